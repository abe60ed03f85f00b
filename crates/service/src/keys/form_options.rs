//! Form options for a new key and for an edit.

use super::{Keys, find, may_grant, role, to_key};
use crate::{
    Error,
    actor::{Actor, Caller},
    expiry, not_before,
    permissions::{Action, role_allows},
    policy, time_format,
};
use keyward_domain::{
    expiry::ExpiryChoice,
    ids::KeyId,
    key::EditForm,
    project::{KeyForm, ProjectChoice, Role},
    scope::{ScopeName, ScopeView},
    time::Timestamp,
};
use keyward_store::{self as store, Engine};
use uuid::Uuid;

/// Returns the scopes of a project that a user with this role may give to a key.
async fn grantable_scopes(conn: &mut Engine<'_>, project: Uuid, role: Role) -> Result<Vec<ScopeView>, Error> {
    let mut scopes = Vec::new();
    for row in store::projects::list_offered_scopes(conn, project).await? {
        let name: ScopeName = row.name.parse().map_err(|_| store::Error::Corrupt("name of a scope"))?;
        if may_grant(role, &name, &row) {
            scopes.push(ScopeView { name, description: row.description });
        }
    }
    Ok(scopes)
}

impl Keys {
    /// Returns the projects in which a user may create keys, with the scopes that they may give, and a one-time number
    /// for the form.
    ///
    /// # Errors
    /// If the database cannot be read.
    #[tracing::instrument(name = "keys.new_key_form", skip_all)]
    pub async fn new_key_form(&self, caller: &Caller) -> Result<KeyForm, Error> {
        let mut reader = self.context.pool.acquire_reader().await?;
        let mut conn = reader.conn();
        let mut projects = Vec::new();
        for member in store::projects::list_by_user(&mut conn, caller.user.into()).await? {
            let role: Role = member.role.parse().map_err(|_| store::Error::Corrupt("role of a member"))?;
            if !role_allows(role, Action::ChangeKeys) || member.project.archived_at.is_some() {
                continue;
            }
            let scopes = grantable_scopes(&mut conn, member.project.id, role).await?;
            projects.push(ProjectChoice { id: member.project.id.into(), name: member.project.name, scopes });
        }
        let (now, policy) = (self.context.now(), policy::load(&mut conn).await?);
        Ok(KeyForm {
            projects,
            expiries: expiry::options(&policy, &caller.zone, now),
            usual: ExpiryChoice::Days(policy.default_period()).to_string(),
            policy: policy.describe_lifetime_rule(),
            zone: time_format::zone_name(&caller.zone),
            number: self.context.new_id().into(),
            now,
        })
    }

    /// Returns the current values of a key and the options for an edit.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the key does not exist or the caller is not a member of its project, [`Error::Forbidden`]
    /// for a viewer, [`Error::Conflict`] if the key is deleted.
    #[tracing::instrument(name = "keys.edit_form", skip_all, fields(key.id = %id))]
    pub async fn edit_form(&self, caller: &Caller, id: KeyId) -> Result<EditForm, Error> {
        let mut reader = self.context.pool.acquire_reader().await?;
        let mut conn = reader.conn();
        let now = self.context.now();
        let actor = Actor::User(caller.clone());
        let row = find(&mut conn, &actor, id, Action::ChangeKeys, now).await?;
        if row.deleted_at.is_some() {
            return Err(Error::Conflict("This key is deleted. Restore it first."));
        }
        let role = role(&mut conn, row.project_id.into(), caller.user).await?.ok_or(Error::NotFound)?;
        let mut scopes = grantable_scopes(&mut conn, row.project_id, role).await?;
        for scope in row.scopes()? {
            let name: ScopeName = scope.parse().map_err(|_| store::Error::Corrupt("scope of a key"))?;
            if !scopes.iter().any(|it| it.name == name) {
                let description = "The key can keep this scope. If you remove it, you cannot add it again.".to_owned();
                scopes.push(ScopeView { name, description });
            }
        }
        let not_before = row.not_before.map(Timestamp::from_micros);
        let not_before = not_before.map(|at| not_before::field_value(at, &caller.zone)).unwrap_or_default();
        let (version, policy) = (row.updated_at, policy::load(&mut conn).await?);
        Ok(EditForm {
            key: to_key(row, &actor, Some(role), now)?,
            offered: scopes,
            expiries: expiry::options(&policy, &caller.zone, now),
            policy: policy.describe_lifetime_rule(),
            zone: time_format::zone_name(&caller.zone),
            not_before,
            version,
            now,
        })
    }

    /// Returns the preview text of the expiry field: when a key would expire if it were created now.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the choice is not a valid expiry.
    pub fn expiry_preview(&self, caller: &Caller, expires: &str, on: &str) -> Result<String, Error> {
        let choice = expiry::parse(expires, on);
        let text = choice.and_then(|choice| expiry::preview_text(&choice, &caller.zone, self.context.now()));
        text.map_err(|field| Error::Invalid(vec![field]))
    }

    /// Returns the preview text of the "not before" field: when a key would start to work if it were created now.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the text is not a valid time, or a time in the past.
    pub fn not_before_preview(&self, caller: &Caller, text: &str) -> Result<String, Error> {
        not_before::preview_text(text, &caller.zone, self.context.now()).map_err(|field| Error::Invalid(vec![field]))
    }
}
