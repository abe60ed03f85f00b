//! User creation. Each user gets a project of their own.

use super::{Accounts, passwords};
use crate::{Error, InvalidField, actor::Actor};
use keyward_domain::{
    email::Email,
    ids::{ProjectId, UserId},
    project::{ProjectTitle, Role},
    sensitive::Password,
    user::PersonName,
};
use keyward_store::{self as store, Tx, accounts::NewUserRow, write_queue::WriteOutcome};

/// Maximum token lifetime of a new project, in seconds: one day.
const TOKEN_LIFE_MAX: i64 = 86_400;

/// Fields of a new user, not parsed.
#[derive(Clone, Debug)]
pub struct NewUser {
    pub email: String,
    pub name: String,
    pub password: Password,
    pub admin: bool,
    /// Name of the first project. Empty: derived from the user's name.
    pub project: String,
}

/// Parsed fields of a new user, with the password hashed.
#[derive(Clone)]
pub(super) struct PreparedUser {
    user: NewUserRow,
    project_id: ProjectId,
    project: String,
}

impl PreparedUser {
    pub fn name(&self) -> &str {
        &self.user.name
    }
}

/// Returns the default name of a user's own project.
fn own_project(name: &str) -> String {
    format!("{}’s project", name.split_whitespace().next().unwrap_or(name))
}

impl Accounts {
    /// Parses the fields of a new user and hashes the password.
    pub(super) async fn prepare(&self, person: &NewUser) -> Result<PreparedUser, Error> {
        let mut errors = Vec::new();
        let mut gather = |read: Result<String, InvalidField>| read.map_err(|e| errors.push(e)).unwrap_or_default();
        let name = person.name.parse::<PersonName>().map(|name| name.as_str().to_owned());
        let name = gather(name.map_err(|e| InvalidField::new("name", e)));
        let project = match person.project.trim() {
            "" => own_project(&name),
            project => {
                let title = project.parse::<ProjectTitle>().map(|title| title.as_str().to_owned());
                gather(title.map_err(|e| InvalidField::new("project", e)))
            }
        };
        let email = person.email.parse::<Email>().map_err(|e| errors.push(InvalidField::new("email", e))).ok();
        if let Some(email) = &email
            && let Err(message) = passwords::check(&person.password, email, &name)
        {
            errors.push(InvalidField::new("password", message));
        }
        let (Some(email), true) = (email, errors.is_empty()) else { return Err(Error::Invalid(errors)) };
        Ok(PreparedUser {
            user: NewUserRow {
                id: self.context.new_id(),
                email: email.clone(),
                name,
                password_hash: self.passwords.hash(&person.password).await?,
                admin: person.admin,
                created_at: self.context.now().micros(),
            },
            project_id: self.context.new_id().into(),
            project,
        })
    }

    /// Prepares a user without a password, who signs in through the OpenID provider.
    pub(super) fn without_password(&self, email: &Email, name: String) -> PreparedUser {
        PreparedUser {
            project: own_project(&name),
            project_id: self.context.new_id().into(),
            user: NewUserRow {
                id: self.context.new_id(),
                email: email.clone(),
                name,
                password_hash: String::new(),
                admin: false,
                created_at: self.context.now().micros(),
            },
        }
    }

    /// Creates a user from the command line.
    ///
    /// # Errors
    /// [`Error::Invalid`] with every invalid field; `email` if the address is taken.
    #[tracing::instrument(name = "accounts.create_user", skip_all)]
    pub async fn create_user(&self, actor: &Actor, person: NewUser) -> Result<UserId, Error> {
        let prepared = self.prepare(&person).await?;
        let (actor, now) = (actor.clone(), self.context.now());
        let write = self.context.queue.write(move |tx| {
            let (actor, prepared) = (actor.clone(), prepared.clone());
            Box::pin(async move { insert(tx, &actor, now, &prepared).await })
        });
        write.await
    }
}

/// Inserts a user and their own project, with one audit event each.
pub(super) async fn insert(
    tx: &mut Tx<'_>,
    actor: &Actor,
    now: keyward_domain::time::Timestamp,
    prepared: &PreparedUser,
) -> Result<WriteOutcome<UserId>, Error> {
    let PreparedUser { user, project_id, project } = prepared;
    if !store::accounts::insert(tx, user).await? {
        return Err(Error::field("email", "This email address is already in use."));
    }
    store::projects::insert(tx, (*project_id).into(), project, TOKEN_LIFE_MAX, now.micros()).await?;
    store::projects::add_member(tx, (*project_id).into(), user.id, Role::Owner.as_str(), now.micros()).await?;
    let made = actor
        .event(now, "user.created", format!("user:{}", user.id), &user.name)
        .with_detail(serde_json::json!({"after": {"email": user.email.as_str(), "admin": user.admin}}));
    let project = actor
        .event(now, "project.created", format!("project:{project_id}"), project)
        .in_project(*project_id)
        .with_detail(serde_json::json!({"after": {"owner": user.id}}));
    Ok(WriteOutcome::audited(user.id.into(), made).and_event(project))
}
