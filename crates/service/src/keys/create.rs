//! Key creation.

use super::{
    IdempotencyKey, KeyDefaults, KeySpec, Keys, Privileges, authorize,
    management::{self, check_idempotency},
    may_grant, role, to_key,
};
use crate::{Error, actor::Actor, audit::acting_role, permissions::Action, policy, reauthentication::MANAGEMENT_SCOPE};
use keyward_domain::secret::{Mode, PlainSecret};
use keyward_domain::{
    ids::ProjectId,
    key::{Environment, Key},
    network::Networks,
    policy::Policy,
    project::Role,
    scope::ScopeName,
    time::{DAY, Timestamp},
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
    /// Returns the defaults of a new key: live, from any address, and the policy's period. For a program, they come from
    /// its own key: its environment, its networks, and its expiry if that is earlier.
    ///
    /// # Errors
    /// [`Error::Management`] if the program's key may no longer create keys, or the idempotency key was used before.
    pub async fn defaults(&self, actor: &Actor, once: Option<&IdempotencyKey>) -> Result<KeyDefaults, Error> {
        let (zone, now) = (actor.zone(), self.context.now());
        let mut reader = self.context.pool.acquire_reader().await?;
        let mut conn = reader.conn();
        let maker = match actor {
            Actor::Program(program) => Some(management::creator_privileges(&mut conn, program, now).await?),
            _ => None,
        };
        // Before the request is parsed: a time that was in the future when the request was first sent may have passed.
        check_idempotency(&mut conn, once.map(IdempotencyKey::number), once.map(IdempotencyKey::request)).await?;
        let usual = now.plus_seconds(i64::from(policy::load(&mut conn).await?.default_period()) * DAY);
        Ok(match maker {
            Some(Privileges { environment, networks, expires_at, .. }) => {
                let expires_at = expires_at.map_or(usual, |end| end.min(usual));
                KeyDefaults { environment, networks, expires_at, zone, now }
            }
            None => KeyDefaults {
                environment: Environment::default(),
                networks: Networks::default(),
                expires_at: usual,
                zone,
                now,
            },
        })
    }

    /// Creates a key. Only this response contains the secret.
    ///
    /// # Errors
    /// - [`Error::NotFound`] if the project does not exist, the user is not a member of it, or it is not the program's;
    ///   [`Error::Forbidden`] for a viewer.
    /// - [`Error::Invalid`] if the project does not offer a scope, or the policy does not allow the expiry (`expires`).
    /// - [`Error::Conflict`] if the form has already created its key, the project is archived, or it has as many keys as
    ///   the policy allows.
    /// - [`Error::ReauthenticationRequired`] for a user without recent reauthentication, if the key never expires,
    ///   expires after more than five years, or has a `keyward:*` scope.
    /// - [`Error::Management`] if the key would exceed the program's key, or the idempotency key was used before.
    #[tracing::instrument(name = "keys.create", skip_all, fields(project.id = %spec.project))]
    pub async fn create(&self, actor: &Actor, spec: KeySpec) -> Result<(Key, PlainSecret), Error> {
        let mode = match spec.environment {
            Environment::Live => Mode::Live,
            Environment::Test => Mode::Test,
        };
        let secret = PlainSecret::generate(mode, |bytes| self.context.random.fill(bytes));
        let now = self.context.now();
        let row = NewKeyRow {
            id: self.context.new_id(),
            project_id: spec.project.into(),
            environment: spec.environment.as_str(),
            digest: *secret.digest().as_bytes(),
            preview: secret.preview().to_owned(),
            fields: spec.fields(),
            form_number: spec.number.map(Into::into),
            request_digest: spec.request,
            created_by: actor.user().map(Into::into),
            created_by_name: actor.name().to_owned(),
            created_at: now.micros(),
        };
        let by = actor.clone();
        let stored = self.context.queue.write(move |tx| {
            let (actor, spec, row) = (by.clone(), spec.clone(), row.clone());
            Box::pin(async move {
                authorize(tx, &actor, spec.project, Action::ChangeKeys).await?;
                let project = store::projects::by_id(tx, row.project_id).await?.ok_or(Error::NotFound)?;
                if project.archived_at.is_some() {
                    return Err(Error::Conflict("This project is archived. Unarchive it before you create a key."));
                }
                management::check_new(tx, &actor, &spec, now).await?;
                check_scopes(tx, &actor, spec.project, &spec.scopes, now).await?;
                let policy = policy::load(tx).await?;
                policy.check_end(spec.expires_at, now).map_err(|e| Error::field("expires", e))?;
                check_key_limit(tx, &policy, row.project_id).await?;
                actor.require_reauthentication_for_expiry(spec.expires_at, now)?;
                if !store::keys::insert(tx, &row).await? {
                    // Another node has used the number since the check above.
                    check_idempotency(tx, spec.number, spec.request.as_ref()).await?;
                    return Err(Error::Conflict(
                        "This form was already submitted, and the secret cannot be shown again. If you did not save it, delete \
                         that key and create another.",
                    ));
                }
                let stored = store::keys::by_id(tx, row.id).await?.ok_or(Error::NotFound)?;
                let acting = acting_role::in_project(tx, &actor, spec.project).await?;
                let event = actor
                    .event(now, "key.created", format!("key:{}", row.id), &row.fields.name)
                    .with_acting_role(&acting)
                    .in_project(spec.project)
                    .with_detail(serde_json::json!({"after": audit_detail(&row)}));
                Ok(WriteOutcome::audited(stored, event).notify(Change { topic: Topic::Key, id: row.id }))
            })
        });
        // A user who creates a key may change it.
        let role = actor.user().map(|_| Role::Operator);
        Ok((to_key(stored.await?, actor, role, now)?, secret))
    }
}

/// Returns what the audit log records of a new key, besides its name.
fn audit_detail(row: &NewKeyRow) -> serde_json::Value {
    let mut detail = serde_json::json!(row.fields);
    detail["environment"] = row.environment.into();
    detail["preview"] = row.preview.as_str().into();
    if let Some(members) = detail.as_object_mut() {
        members.remove("name");
    }
    detail
}
