//! API keys: use cases to create, list, change, and delete them. One use case per file.

mod admin;
mod bulk;
mod by_issued_to;
mod create;
mod edit;
mod field_parser;
mod form_options;
mod list;
mod management;
mod operator_list;
mod privileges;
mod purge;
mod spec;
mod transition;

pub(super) use admin::require_administrator;
pub(super) use bulk::{deactivate_key, deactivate_key_for};
pub use field_parser::FieldParser;
pub use management::{IdempotencyKey, IfMatch, KeyList, KeyListRequest};
pub use operator_list::{OperatorKeyFilter, OperatorKeyPages};
pub use privileges::Privileges;
pub use spec::{KeyDefaults, KeyDraft, KeyPatch, KeySpec, PatchDraft, RestrictionsDraft};
pub use transition::Precondition;

use super::{
    Context, Error,
    actor::{Actor, Caller},
    permissions::{Action, any_key_permission, role_allows},
    usage::{Calls, Usage},
};
use keyward_domain::{
    ids::{KeyId, ProjectId, UserId},
    key::Key,
    project::Role,
    scope::ScopeName,
    time::Timestamp,
};
use keyward_store::{self as store, Engine, keys::KeyRow, projects::ScopeRow};
use spec::to_key;

/// The use cases of keys.
#[derive(Clone)]
pub struct Keys {
    context: Context,
    usage: Option<Usage>,
}

impl Keys {
    pub fn new(context: Context) -> Self {
        Self { context, usage: None }
    }

    /// Includes usage that this process has counted and not yet written.
    pub fn with_usage(self, usage: Usage) -> Self {
        Self { usage: Some(usage), ..self }
    }
}

/// Whether the restore period of a deleted key is over: the key no longer exists, whether or not it has been purged
/// yet.
fn is_restore_period_over(row: &KeyRow, now: Timestamp) -> bool {
    row.purge_at().is_some_and(|at| at <= now.micros())
}

/// Returns the role of a user in a project, read in the transaction of the change.
pub(super) async fn role(conn: &mut Engine<'_>, project: ProjectId, user: UserId) -> Result<Option<Role>, Error> {
    let Some(role) = store::projects::role(conn, project.into(), user.into()).await? else { return Ok(None) };
    role.parse().map(Some).map_err(|_| store::Error::Corrupt("role of a member").into())
}

/// Checks that an actor may do this to keys of a project. For a user who is neither a member nor acts as an
/// administrator, the project does not exist.
async fn authorize(conn: &mut Engine<'_>, actor: &Actor, project: ProjectId, action: Action) -> Result<(), Error> {
    match actor {
        Actor::User(caller) => match role(conn, project, caller.user).await? {
            Some(role) if role_allows(role, action) => Ok(()),
            Some(_) => {
                Err(Error::Forbidden("Your role in this project allows you to view keys but not to change them."))
            }
            None => Err(Error::NotFound),
        },
        Actor::Administrator(caller) => {
            let permission = any_key_permission(action).ok_or(Error::NotFound)?;
            require_administrator(conn, caller, permission).await
        }
        // The token's scopes decide what the program may do: see `management`.
        Actor::Program(program) => program.check_project(project),
        Actor::Operator | Actor::System(_) => Ok(()),
    }
}

/// Whether a user with this role may give a key this scope, if the project offers it.
pub(super) fn may_grant(role: Role, scope: &ScopeName, row: &ScopeRow) -> bool {
    may_grant_scope(role, scope, row.is_for_owners())
}

/// As [`may_grant`], for a scope that is known to be owner-only or not.
pub(super) fn may_grant_scope(role: Role, scope: &ScopeName, for_owners: bool) -> bool {
    !(scope.is_management() || for_owners) || role_allows(role, Action::GrantManagement)
}

/// Returns the key if the actor may do this to it. A key whose restore period is over does not exist for any actor,
/// purged or not.
async fn find(
    conn: &mut Engine<'_>,
    actor: &Actor,
    id: KeyId,
    action: Action,
    now: Timestamp,
) -> Result<KeyRow, Error> {
    let row = store::keys::by_id(conn, id.into()).await?;
    let row = row.filter(|row| !is_restore_period_over(row, now)).ok_or(Error::NotFound)?;
    authorize(conn, actor, row.project_id.into(), action).await?;
    Ok(row)
}

impl Keys {
    /// Returns a key that the actor may see: to a user with the calls of the day, and to an administrator with an owner of
    /// its project.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the key does not exist, its restore period of seven days is over, the user is not a member
    /// of its project or not an administrator ([`Actor::Administrator`]), or it belongs to another project than the
    /// program.
    #[tracing::instrument(name = "keys.get", skip_all, fields(key.id = %id))]
    pub async fn get(&self, actor: &Actor, id: KeyId) -> Result<Key, Error> {
        let (row, role, now) = self.find_visible(actor, id).await?;
        let project = row.project_id;
        let mut key = to_key(row, actor, role, now)?;
        if let Actor::User(caller) | Actor::Administrator(caller) = actor
            && let Some(Calls { today, last_used }) = self.counted_usage(caller, id).await?
        {
            (key.last_used_at, key.calls_today) = (last_used, Some(today));
        }
        if let Actor::Administrator(_) = actor {
            let mut reader = self.context.pool.acquire_reader().await?;
            let owner = store::keys::owner(&mut reader.conn(), project).await?;
            (key.owner, key.owner_email) = owner.map(|row| (row.name, row.email)).unzip();
        }
        Ok(key)
    }

    /// Returns when a key that the caller may see was last used.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the key does not exist or the caller is not a member of its project.
    #[tracing::instrument(name = "keys.last_used", skip_all, fields(key.id = %id))]
    pub async fn last_used(&self, caller: &Caller, id: KeyId) -> Result<Option<Timestamp>, Error> {
        let (row, ..) = self.find_visible(&Actor::User(caller.clone()), id).await?;
        Ok(match self.counted_usage(caller, id).await? {
            Some(calls) => calls.last_used,
            None => row.last_used_at.map(Timestamp::from_micros),
        })
    }

    /// Returns the counted usage of a key, if this process counts usage.
    async fn counted_usage(&self, caller: &Caller, id: KeyId) -> Result<Option<Calls>, Error> {
        match &self.usage {
            Some(usage) => Ok(Some(usage.calls(id, &caller.zone).await?)),
            None => Ok(None),
        }
    }

    /// Returns a key that an actor may see, with the user's role in its project and the current time. Actors other than
    /// users see it as a project operator does.
    async fn find_visible(&self, actor: &Actor, id: KeyId) -> Result<(KeyRow, Option<Role>, Timestamp), Error> {
        let mut reader = self.context.pool.acquire_reader().await?;
        let mut conn = reader.conn();
        let now = self.context.now();
        let row = find(&mut conn, actor, id, Action::SeeKeys, now).await?;
        let role = match actor.user() {
            Some(user) => role(&mut conn, row.project_id.into(), user).await?,
            None => Some(Role::Operator),
        };
        Ok((row, role, now))
    }
}
