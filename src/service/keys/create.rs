//! Making a key.

use super::{Keys, allow, view};
use crate::{
    domain::{
        expiry::ExpiryChoice,
        ids::{FormNumber, ProjectId},
        key::{Environment, KeyName, KeyView, parse_issued_to},
        project::Role,
        scope::ScopeName,
        time::Timestamp,
    },
    secret::{Mode, PlainSecret},
    service::{
        Error, Field,
        actor::{Actor, Caller},
        can::Action,
        expiry,
    },
    store::{self, changes::Change, keys::NewKeyRow, queue::Kept},
};

/// What the form says, unread.
#[derive(Clone, Debug)]
pub struct KeyDraft {
    pub number: FormNumber,
    pub name: String,
    pub project: ProjectId,
    /// Empty: live.
    pub environment: String,
    /// `90d`, `date` (then `expires_on` counts) or `never`; empty: 90 days.
    pub expires: String,
    pub expires_on: String,
    /// The person's IANA time zone; empty: UTC.
    pub zone: String,
    pub scopes: Vec<String>,
    pub issued_to: String,
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
}

impl NewKey {
    /// Reads what the command line says, and says everything that is wrong at once.
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
        let expires_at = gather(&mut errors, expiry::resolve(expires, "", now));
        let scopes = gather(&mut errors, parse_scopes(scopes));
        let issued_to = gather(&mut errors, parse_issued_to(issued_to).map_err(|e| Field::new("issued_to", e)));
        match (name, expires_at, scopes, issued_to) {
            (Some(name), Some(expires_at), Some(scopes), Some(issued_to)) => {
                Ok(Self { number: None, name, project, environment, expires_at, scopes, issued_to })
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
pub(super) fn parse_expiry(expires: &str, on: &str, zone: &str, now: Timestamp) -> Result<Option<Timestamp>, Field> {
    let choice = match expires {
        "" => ExpiryChoice::Days(crate::domain::expiry::DEFAULT_DAYS),
        "date" => ExpiryChoice::Date(on.to_owned()),
        other => other.parse().map_err(|e| Field::new("expires", e))?,
    };
    expiry::resolve(&choice, zone, now)
}

/// Gathers the value of a field, or its error.
pub(super) fn gather<T>(errors: &mut Vec<Field>, read: Result<T, Field>) -> Option<T> {
    read.map_err(|e| errors.push(e)).ok()
}

impl KeyDraft {
    /// Reads every field, and says everything that is wrong at once.
    fn read(&self, now: Timestamp) -> Result<NewKey, Error> {
        let mut errors = Vec::new();
        let name = gather(&mut errors, self.name.parse().map_err(|e| Field::new("name", e)));
        let environment = if self.environment.is_empty() { "live" } else { &self.environment };
        let environment = gather(&mut errors, environment.parse().map_err(|e| Field::new("environment", e)));
        let expires_at = gather(&mut errors, parse_expiry(&self.expires, &self.expires_on, &self.zone, now));
        let scopes = gather(&mut errors, parse_scopes(&self.scopes));
        let issued_to = gather(&mut errors, parse_issued_to(&self.issued_to).map_err(|e| Field::new("issued_to", e)));
        match (name, environment, expires_at, scopes, issued_to) {
            (Some(name), Some(environment), Some(expires_at), Some(scopes), Some(issued_to)) => Ok(NewKey {
                number: Some(self.number),
                project: self.project,
                name,
                environment,
                expires_at,
                scopes,
                issued_to,
            }),
            _ => Err(Error::Invalid(errors)),
        }
    }
}

/// Only what the project offers, and management scopes only by whoever may grant them.
pub(super) async fn check_scopes(
    conn: &mut store::Conn<'_>,
    actor: &Actor,
    project: ProjectId,
    scopes: &[ScopeName],
) -> Result<(), Error> {
    let offered = store::projects::offered(conn, project.into()).await?;
    for scope in scopes {
        if !offered.iter().any(|row| row.name == scope.as_str()) {
            return Err(Error::field("scopes", format!("This project does not offer {scope}.")));
        }
    }
    if scopes.iter().any(ScopeName::is_management) {
        allow(conn, actor, project, Action::GrantManagement).await?;
    }
    Ok(())
}

impl Keys {
    /// Makes a key for a person. The secret is in the answer, and nowhere else.
    ///
    /// # Errors
    /// [`Error::Invalid`] with every wrong field; [`Error::Conflict`] if this form has made its key already.
    pub async fn create(&self, caller: &Caller, draft: KeyDraft) -> Result<(KeyView, PlainSecret), Error> {
        let new = draft.read(self.ground.now())?;
        self.create_as(&Actor::User(caller.clone()), new).await
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
            expires_at: new.expires_at.map(Timestamp::micros),
            form_number: new.number.map(Into::into),
            created_by: actor.user().map(Into::into),
            created_by_name: actor.name().to_owned(),
            created_at: now.micros(),
        };
        let (actor, viewer) = (actor.clone(), actor.user());
        let stored = self.ground.queue.write(move |tx| {
            let (actor, new, row) = (actor.clone(), new.clone(), row.clone());
            Box::pin(async move {
                allow(tx, &actor, new.project, Action::ChangeKeys).await?;
                let project = store::projects::by_id(tx, row.project_id).await?.ok_or(Error::NotFound)?;
                if project.archived_at.is_some() {
                    return Err(Error::Conflict("This project is archived. Unarchive it before you make a key."));
                }
                check_scopes(tx, &actor, new.project, &new.scopes).await?;
                if !store::keys::insert(tx, &row).await? {
                    return Err(Error::Conflict(
                        "This form has made its key already, and a secret is shown only in the answer that made it. If you \
                         did not get it, delete that key and create another.",
                    ));
                }
                let stored = store::keys::by_id(tx, row.id).await?.ok_or(Error::NotFound)?;
                let event = actor
                    .event(now, "key.created", format!("key:{}", row.id), &row.name)
                    .in_project(new.project)
                    .detail(serde_json::json!({"after": {
                        "environment": row.environment, "scopes": row.scopes, "issued_to": row.issued_to,
                        "expires_at": row.expires_at, "preview": row.preview,
                    }}));
                Ok(Kept::with(stored, event).heard(Change { topic: "key", id: row.id }))
            })
        });
        // Whoever makes a key may change it.
        let view = view(stored.await?, viewer, viewer.map(|_| Role::Operator), now)?;
        Ok((view, secret))
    }
}
