//! Making a key.

use super::{
    Keys, Viewer, allow, may_grant, role,
    rules::{self, Rules, RulesDraft},
    view,
};
use crate::{
    domain::{
        expiry::ExpiryChoice,
        ids::{FormNumber, ProjectId},
        key::{Environment, KeyName, KeyView, parse_issued_to},
        policy::Policy,
        project::Role,
        scope::ScopeName,
        time::Timestamp,
    },
    secret::{Mode, PlainSecret},
    service::{
        Error, Field,
        actor::{Actor, Caller},
        audit::acting,
        can::Action,
        expiry, not_before, policy,
    },
    store::{self, Tx, changes::Change, keys::NewKeyRow, queue::Kept},
};
use jiff::tz::TimeZone;

/// What the form says, unread.
#[derive(Clone, Debug)]
pub struct KeyDraft {
    pub number: FormNumber,
    pub name: String,
    pub project: ProjectId,
    /// Empty: live.
    pub environment: String,
    /// `90d`, `date` (then `expires_on` counts) or `never`; empty: 90 days, or the longest that the policy allows.
    pub expires: String,
    pub expires_on: String,
    pub scopes: Vec<String>,
    pub issued_to: String,
    pub rules: RulesDraft,
}

/// A key that was asked for, read and checked but for what only the database knows.
#[derive(Clone, Debug)]
pub struct NewKey {
    pub number: Option<FormNumber>,
    pub name: KeyName,
    pub project: ProjectId,
    pub environment: Environment,
    /// `None`: never.
    pub expires_at: Option<Timestamp>,
    pub scopes: Vec<ScopeName>,
    pub issued_to: Option<String>,
    pub rules: Rules,
}

impl NewKey {
    /// Reads what is said of a key without rules, and says everything that is wrong at once.
    ///
    /// # Errors
    /// [`Error::Invalid`].
    pub fn read(
        name: &str,
        project: ProjectId,
        environment: Environment,
        expires: &ExpiryChoice,
        scopes: &[String],
        issued_to: &str,
        now: Timestamp,
    ) -> Result<Self, Error> {
        let mut errors = Vec::new();
        let name = gather(&mut errors, name.parse().map_err(|e| Field::new("name", e)));
        let expires_at = gather(&mut errors, expiry::resolve(expires, &TimeZone::UTC, now));
        let scopes = gather(&mut errors, parse_scopes(scopes));
        let issued_to = gather(&mut errors, parse_issued_to(issued_to).map_err(|e| Field::new("issued_to", e)));
        match (name, expires_at, scopes, issued_to) {
            (Some(name), Some(expires_at), Some(scopes), Some(issued_to)) => {
                let rules = Rules::default();
                Ok(Self { number: None, name, project, environment, expires_at, scopes, issued_to, rules })
            }
            _ => Err(Error::Invalid(errors)),
        }
    }
}

/// Reads scope names; the same one twice counts once.
pub(super) fn parse_scopes(scopes: &[String]) -> Result<Vec<ScopeName>, Field> {
    let mut read = Vec::with_capacity(scopes.len());
    for scope in scopes {
        let scope = scope.parse::<ScopeName>().map_err(|e| Field::new("scopes", e))?;
        if !read.contains(&scope) {
            read.push(scope);
        }
    }
    Ok(read)
}

/// Reads the expiry dropdown and the date beside it.
pub(super) fn parse_expiry(
    expires: &str,
    on: &str,
    zone: &TimeZone,
    now: Timestamp,
) -> Result<Option<Timestamp>, Field> {
    expiry::resolve(&expiry::read(expires, on)?, zone, now)
}

/// Gathers the value of a field, or its error.
pub(super) fn gather<T>(errors: &mut Vec<Field>, read: Result<T, Field>) -> Option<T> {
    read.map_err(|e| errors.push(e)).ok()
}

impl KeyDraft {
    /// Reads every field, and says everything that is wrong at once.
    fn read(&self, zone: &TimeZone, usual: u16, now: Timestamp) -> Result<NewKey, Error> {
        let mut errors = Vec::new();
        let usual = ExpiryChoice::Days(usual).to_string();
        let expires = if self.expires.is_empty() { &usual } else { &self.expires };
        let name = gather(&mut errors, self.name.parse().map_err(|e| Field::new("name", e)));
        let environment = if self.environment.is_empty() { "live" } else { &self.environment };
        let environment = gather(&mut errors, environment.parse().map_err(|e| Field::new("environment", e)));
        let expires_at = gather(&mut errors, parse_expiry(expires, &self.expires_on, zone, now));
        let scopes = gather(&mut errors, parse_scopes(&self.scopes));
        let issued_to = gather(&mut errors, parse_issued_to(&self.issued_to).map_err(|e| Field::new("issued_to", e)));
        let rules = self.rules.read(&mut errors, zone, now);
        if let (Some(rules), Some(end)) = (&rules, expires_at) {
            gather(&mut errors, not_before::check(rules.not_before, end, zone));
        }
        match (name, environment, expires_at, scopes, issued_to, rules) {
            (Some(name), Some(environment), Some(expires_at), Some(scopes), Some(issued_to), Some(rules))
                if errors.is_empty() =>
            {
                Ok(NewKey {
                    number: Some(self.number),
                    project: self.project,
                    name,
                    environment,
                    expires_at,
                    scopes,
                    issued_to,
                    rules,
                })
            }
            _ => Err(Error::Invalid(errors)),
        }
    }
}

/// Only what the project offers, and what is for owners to grant (management among it) only by them.
pub(super) async fn check_scopes(
    conn: &mut store::Conn<'_>,
    actor: &Actor,
    project: ProjectId,
    scopes: &[ScopeName],
) -> Result<(), Error> {
    let offered = store::projects::offered(conn, project.into()).await?;
    let role = match actor.user() {
        Some(user) => Some(role(conn, project, user).await?.ok_or(Error::NotFound)?),
        None => None,
    };
    for scope in scopes {
        let Some(row) = offered.iter().find(|row| row.name == scope.as_str()) else {
            return Err(Error::field("scopes", format!("This project does not offer {scope}.")));
        };
        if role.is_some_and(|role| !may_grant(role, scope, row)) {
            return Err(Error::field("scopes", format!("Only an owner of this project may give {scope} to a key.")));
        }
    }
    Ok(())
}

/// Whether the policy leaves room for one more key that is not deleted. The project is held until commit, so that two at once
/// cannot both take the last place.
pub(super) async fn check_room(tx: &mut Tx<'_>, policy: &Policy, project: uuid::Uuid) -> Result<(), Error> {
    let Some(most) = policy.keys_per_project else { return Ok(()) };
    store::policy::hold_project(tx, project).await?;
    if store::projects::key_count(tx, project).await? < i64::from(most) {
        return Ok(());
    }
    Err(Error::Conflict(
        "This project has as many keys as the policy of this Keyward allows. Delete one of them first.",
    ))
}

impl Keys {
    /// What holds for everybody now.
    async fn policy(&self) -> Result<Policy, Error> {
        let mut reader = self.ground.pool.read().await?;
        policy::read(&mut reader.conn()).await
    }

    /// Makes a key for a person. The secret is in the answer, and nowhere else.
    ///
    /// # Errors
    /// [`Error::Invalid`] with every wrong field, `expires` if the policy allows no such end; [`Error::Conflict`] if this form has
    /// made its key already, or the project has as many as the policy allows; [`Error::StepUp`] for a key that never expires, without
    /// a fresh proof.
    pub async fn create(&self, caller: &Caller, draft: KeyDraft) -> Result<(KeyView, PlainSecret), Error> {
        let usual = self.policy().await?.usual_period();
        let new = draft.read(&caller.zone, usual, self.ground.now())?;
        self.create_as(&Actor::User(caller.clone()), new).await
    }

    /// Makes a key for whoever is at the command line: dates and times without an offset are in UTC.
    ///
    /// # Errors
    /// As [`Keys::create`], but nobody is asked for a proof.
    pub async fn create_as_operator(&self, draft: KeyDraft) -> Result<(KeyView, PlainSecret), Error> {
        let usual = self.policy().await?.usual_period();
        self.create_as(&Actor::Operator, draft.read(&TimeZone::UTC, usual, self.ground.now())?).await
    }

    /// Makes a key for any actor.
    ///
    /// # Errors
    /// As [`Keys::create`].
    pub async fn create_as(&self, actor: &Actor, new: NewKey) -> Result<(KeyView, PlainSecret), Error> {
        let mode = match new.environment {
            Environment::Live => Mode::Live,
            Environment::Test => Mode::Test,
        };
        let secret = PlainSecret::generate(mode, |bytes| self.ground.random.fill(bytes));
        let now = self.ground.now();
        let row = NewKeyRow {
            id: self.ground.new_id(),
            project_id: new.project.into(),
            name: new.name.as_str().to_owned(),
            environment: new.environment.as_str(),
            digest: *secret.digest().as_bytes(),
            preview: secret.preview().to_owned(),
            scopes: new.scopes.iter().map(ToString::to_string).collect(),
            issued_to: new.issued_to.clone(),
            networks: rules::words(&new.rules.networks),
            not_before: new.rules.not_before.map(Timestamp::micros),
            expires_at: new.expires_at.map(Timestamp::micros),
            rate_limit: new.rules.rate_limit.map(|limit| limit.to_string()),
            form_number: new.number.map(Into::into),
            created_by: actor.user().map(Into::into),
            created_by_name: actor.name().to_owned(),
            created_at: now.micros(),
        };
        let (actor, viewer) = (actor.clone(), Viewer::acting(actor));
        let stored = self.ground.queue.write(move |tx| {
            let (actor, new, row) = (actor.clone(), new.clone(), row.clone());
            Box::pin(async move {
                allow(tx, &actor, new.project, Action::ChangeKeys).await?;
                let project = store::projects::by_id(tx, row.project_id).await?.ok_or(Error::NotFound)?;
                if project.archived_at.is_some() {
                    return Err(Error::Conflict("This project is archived. Unarchive it before you make a key."));
                }
                check_scopes(tx, &actor, new.project, &new.scopes).await?;
                let policy = policy::read(tx).await?;
                policy.check_end(new.expires_at, now).map_err(|e| Error::field("expires", e))?;
                check_room(tx, &policy, row.project_id).await?;
                if row.expires_at.is_none() {
                    actor.step_up(now)?;
                }
                if !store::keys::insert(tx, &row).await? {
                    return Err(Error::Conflict(
                        "This form has made its key already, and a secret is shown only in the answer that made it. If you \
                         did not get it, delete that key and create another.",
                    ));
                }
                let stored = store::keys::by_id(tx, row.id).await?.ok_or(Error::NotFound)?;
                let acting = acting::in_project(tx, &actor, new.project).await?;
                let event = actor
                    .event(now, "key.created", format!("key:{}", row.id), &row.name)
                    .acting_as(&acting)
                    .in_project(new.project)
                    .detail(serde_json::json!({"after": {
                        "environment": row.environment, "scopes": row.scopes, "issued_to": row.issued_to,
                        "expires_at": row.expires_at, "preview": row.preview, "networks": row.networks,
                        "not_before": row.not_before, "rate_limit": row.rate_limit,
                    }}));
                Ok(Kept::with(stored, event).heard(Change { topic: "key", id: row.id }))
            })
        });
        // Whoever makes a key may change it.
        let role = viewer.user.map(|_| Role::Operator);
        let view = view(stored.await?, &viewer, role, now)?;
        Ok((view, secret))
    }
}
