//! Key creation.

use super::{
    Keys, Viewer, authorize, management, may_grant,
    new_key::{KeyDraft, NewKey},
    restrictions, role, view,
};
use crate::{
    Error,
    actor::{Actor, Caller},
    audit::acting_role,
    permissions::Action,
    policy,
    reauthentication::MANAGEMENT_SCOPE,
};
use jiff::tz::TimeZone;
use keyward_domain::secret::{Mode, PlainSecret};
use keyward_domain::{
    ids::ProjectId,
    key::{Environment, KeyView},
    policy::Policy,
    project::Role,
    scope::ScopeName,
    time::Timestamp,
};
use keyward_store::{
    self as store, Tx,
    change_log::{Change, Topic},
    keys::NewKeyRow,
    write_queue::WriteOutcome,
};

/// Checks that the project offers all scopes, and that only owners grant owner-only scopes (management scopes
/// included).
pub(super) async fn check_scopes(
    conn: &mut store::Engine<'_>,
    actor: &Actor,
    project: ProjectId,
    scopes: &[ScopeName],
    now: Timestamp,
) -> Result<(), Error> {
    let offered = store::projects::list_offered_scopes(conn, project.into()).await?;
    let role = match actor.user() {
        Some(user) => Some(role(conn, project, user).await?.ok_or(Error::NotFound)?),
        None => None,
    };
    for scope in scopes {
        let Some(row) = offered.iter().find(|row| row.name == scope.as_str()) else {
            return Err(Error::field("scopes", format!("This project does not offer the scope {scope}.")));
        };
        if role.is_some_and(|role| !may_grant(role, scope, row)) {
            return Err(Error::field("scopes", format!("Only a project owner can grant the scope {scope}.")));
        }
    }
    if scopes.iter().any(ScopeName::is_management) {
        actor.require_reauthentication(MANAGEMENT_SCOPE, now)?;
    }
    Ok(())
}

/// Checks that the policy permits one more key that is not deleted. The project row is locked until commit, so that two
/// concurrent writes cannot both take the last place.
pub(super) async fn check_key_limit(tx: &mut Tx<'_>, policy: &Policy, project: uuid::Uuid) -> Result<(), Error> {
    let Some(most) = policy.keys_per_project else { return Ok(()) };
    store::policy::lock_project(tx, project).await?;
    if store::projects::key_count(tx, project).await? < i64::from(most) {
        return Ok(());
    }
    Err(Error::Conflict("This project has the maximum number of keys that the policy allows. Delete a key first."))
}

impl Keys {
    /// Returns the current policy.
    async fn policy(&self) -> Result<Policy, Error> {
        let mut reader = self.context.pool.acquire_reader().await?;
        policy::load(&mut reader.conn()).await
    }

    /// Creates a key for a user. Only this response contains the secret.
    ///
    /// # Errors
    /// [`Error::Invalid`] with every invalid field, `expires` if the policy does not allow the expiry;
    /// [`Error::Conflict`] if this form has already created its key, or the project has as many keys as the policy
    /// allows; [`Error::ReauthenticationRequired`] for a key that never expires, expires after more than five years, or
    /// has a `keyward:*` scope, without recent reauthentication.
    #[tracing::instrument(name = "keys.create", skip_all)]
    pub async fn create(&self, caller: &Caller, draft: KeyDraft) -> Result<(KeyView, PlainSecret), Error> {
        let usual = self.policy().await?.default_period();
        let new = draft.parse(&caller.zone, usual, self.context.now())?;
        self.create_as(&Actor::User(caller.clone()), new).await
    }

    /// Creates a key from the command line. Dates and times without an offset are in UTC.
    ///
    /// # Errors
    /// As [`Keys::create`], but reauthentication is never required.
    #[tracing::instrument(name = "keys.create_as_operator", skip_all)]
    pub async fn create_as_operator(&self, draft: KeyDraft) -> Result<(KeyView, PlainSecret), Error> {
        let usual = self.policy().await?.default_period();
        self.create_as(&Actor::Operator, draft.parse(&TimeZone::UTC, usual, self.context.now())?).await
    }

    /// Creates a key for any actor.
    ///
    /// # Errors
    /// As [`Keys::create`].
    #[tracing::instrument(name = "keys.create_as", skip_all)]
    pub async fn create_as(&self, actor: &Actor, new: NewKey) -> Result<(KeyView, PlainSecret), Error> {
        let mode = match new.environment {
            Environment::Live => Mode::Live,
            Environment::Test => Mode::Test,
        };
        let secret = PlainSecret::generate(mode, |bytes| self.context.random.fill(bytes));
        let now = self.context.now();
        let row = NewKeyRow {
            id: self.context.new_id(),
            project_id: new.project.into(),
            name: new.name.as_str().to_owned(),
            environment: new.environment.as_str(),
            digest: *secret.digest().as_bytes(),
            preview: secret.preview().to_owned(),
            scopes: new.scopes.iter().map(ToString::to_string).collect(),
            issued_to: new.issued_to.clone(),
            networks: restrictions::network_strings(&new.restrictions.networks),
            not_before: new.restrictions.not_before.map(Timestamp::micros),
            expires_at: new.expires_at.map(Timestamp::micros),
            rate_limit: new.restrictions.rate_limit.map(|limit| limit.to_string()),
            form_number: new.number.map(Into::into),
            request_digest: new.request,
            created_by: actor.user().map(Into::into),
            created_by_name: actor.name().to_owned(),
            created_at: now.micros(),
        };
        let (actor, viewer) = (actor.clone(), Viewer::from_actor(actor));
        let stored = self.context.queue.write(move |tx| {
            let (actor, new, row) = (actor.clone(), new.clone(), row.clone());
            Box::pin(async move {
                authorize(tx, &actor, new.project, Action::ChangeKeys).await?;
                let project = store::projects::by_id(tx, row.project_id).await?.ok_or(Error::NotFound)?;
                if project.archived_at.is_some() {
                    return Err(Error::Conflict("This project is archived. Unarchive it before you create a key."));
                }
                management::check_new(tx, &actor, &new, now).await?;
                check_scopes(tx, &actor, new.project, &new.scopes, now).await?;
                let policy = policy::load(tx).await?;
                policy.check_end(new.expires_at, now).map_err(|e| Error::field("expires", e))?;
                check_key_limit(tx, &policy, row.project_id).await?;
                actor.require_reauthentication_for_expiry(new.expires_at, now)?;
                if !store::keys::insert(tx, &row).await? {
                    // Another node has used the number since the check above.
                    management::check_idempotency(tx, new.number, new.request.as_ref()).await?;
                    return Err(Error::Conflict(
                        "This form was already submitted, and the secret cannot be shown again. If you did not save it, delete \
                         that key and create another.",
                    ));
                }
                let stored = store::keys::by_id(tx, row.id).await?.ok_or(Error::NotFound)?;
                let acting = acting_role::in_project(tx, &actor, new.project).await?;
                let event = actor
                    .event(now, "key.created", format!("key:{}", row.id), &row.name)
                    .with_acting_role(&acting)
                    .in_project(new.project)
                    .with_detail(serde_json::json!({"after": {
                        "environment": row.environment, "scopes": row.scopes, "issued_to": row.issued_to,
                        "expires_at": row.expires_at, "preview": row.preview, "networks": row.networks,
                        "not_before": row.not_before, "rate_limit": row.rate_limit,
                    }}));
                Ok(WriteOutcome::audited(stored, event).notify(Change { topic: Topic::Key, id: row.id }))
            })
        });
        // A user who creates a key may change it.
        let role = viewer.user.map(|_| Role::Operator);
        let view = view(stored.await?, &viewer, role, now)?;
        Ok((view, secret))
    }
}
