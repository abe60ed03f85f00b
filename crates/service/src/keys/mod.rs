//! API keys: use cases to create, list, change, and delete them. One use case per file.

mod admin;
mod bulk;
mod by_issued_to;
mod create;
mod edit;
mod form_options;
mod key_patch;
mod list;
mod management;
mod new_key;
mod operator_list;
mod privileges;
mod purge;
mod restrictions;
mod transition;

pub(super) use admin::require_administrator;
pub(super) use bulk::{deactivate_key, deactivate_key_for};
pub use key_patch::{KEEP, KeyEdit, KeyPatch};
pub use management::{Expiry, IdempotencyKey, IfMatch, KeyList, KeyListRequest, KeyPatchRequest, NewKeyRequest};
pub use new_key::{KeyDraft, NewKey};
pub use operator_list::{OperatorKeyFilter, OperatorKeyPages};
pub use privileges::Privileges;
pub use restrictions::{Restrictions, RestrictionsDraft};
pub use transition::Precondition;

use super::{
    Context, Error,
    actor::{Actor, Caller},
    permissions::{Action, any_key_permission, role_allows},
    time_format::{format_moment, moment_from_micros},
    usage::{Calls, Usage},
};
use jiff::tz::TimeZone;
use keyward_domain::{
    ids::{KeyId, ProjectId, UserId},
    key::{KeyView, Note, RateView},
    project::Role,
    scope::ScopeName,
    time::{Moment, Timestamp},
};
use keyward_store::{self as store, Engine, keys::KeyRow, projects::ScopeRow};

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

/// The viewer of a key.
struct Viewer {
    user: Option<UserId>,
    zone: TimeZone,
    /// The viewer acts as an administrator.
    administrator: bool,
}

impl Viewer {
    fn from_caller(caller: &Caller) -> Self {
        Self { user: Some(caller.user), zone: caller.zone.clone(), administrator: false }
    }

    fn as_administrator(caller: &Caller) -> Self {
        Self { administrator: true, ..Self::from_caller(caller) }
    }

    fn from_actor(actor: &Actor) -> Self {
        Self { user: actor.user(), zone: actor.zone(), administrator: matches!(actor, Actor::Administrator(_)) }
    }
}

/// Converts a row to the key view for a viewer with this role in the key's project.
fn view(row: KeyRow, viewer: &Viewer, role: Option<Role>, now: Timestamp) -> Result<KeyView, Error> {
    let by_viewer = viewer.user.is_some() && row.created_by.map(UserId::from) == viewer.user;
    let moment = |micros| moment_from_micros(micros, &viewer.zone);
    let rate_limit = row.parse_rate_limit()?.map(|limit| RateView {
        calls: limit.calls(),
        per: limit.per().as_str().to_owned(),
        burst: limit.burst(),
        words: limit.describe(),
    });
    let may_change = role.is_some_and(|role| role_allows(role, Action::ChangeKeys));
    let note = row.note.as_ref().zip(row.note_at).map(|(text, at)| Note {
        text: text.clone(),
        by: row.note_by.clone().unwrap_or_default(),
        at: moment(at),
        held: row.held,
    });
    Ok(KeyView {
        id: row.id.into(),
        environment: row.environment()?,
        scopes: row.scopes()?,
        networks: row.networks()?,
        not_before: row.not_before.map(moment),
        rate_limit,
        status: row.lifecycle().status(now),
        gone: row.purge_at().map(moment),
        created: moment(row.created_at),
        created_by: if by_viewer { "You".to_owned() } else { row.created_by_name },
        last_used: row.last_used_at.map(moment),
        calls_today: None,
        expires: row.expires_at.map(moment),
        may_change,
        may_start: viewer.administrator || (may_change && !row.held),
        note,
        version: row.updated_at,
        owner: None,
        owner_email: None,
        now,
        project_id: row.project_id.into(),
        project: row.project_name,
        name: row.name,
        preview: row.preview,
        issued_to: row.issued_to,
    })
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
    /// Returns a key that the caller may see.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the key does not exist or the caller is not a member of its project.
    #[tracing::instrument(name = "keys.get", skip_all, fields(key.id = %id))]
    pub async fn get(&self, caller: &Caller, id: KeyId) -> Result<KeyView, Error> {
        let (row, role, now) = self.find_visible(&Actor::User(caller.clone()), id).await?;
        let shown = view(row, &Viewer::from_caller(caller), role, now)?;
        let Some(Calls { today, last_used }) = self.counted_usage(caller, id).await? else { return Ok(shown) };
        let last_used = last_used.map(|at| format_moment(at, &caller.zone));
        Ok(KeyView { last_used, calls_today: Some(today), ..shown })
    }

    /// Returns when a key that the caller may see was last used.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the key does not exist or the caller is not a member of its project.
    #[tracing::instrument(name = "keys.last_used", skip_all, fields(key.id = %id))]
    pub async fn last_used(&self, caller: &Caller, id: KeyId) -> Result<Option<Moment>, Error> {
        let (row, ..) = self.find_visible(&Actor::User(caller.clone()), id).await?;
        let last_used = match self.counted_usage(caller, id).await? {
            Some(calls) => calls.last_used,
            None => row.last_used_at.map(Timestamp::from_micros),
        };
        Ok(last_used.map(|at| format_moment(at, &caller.zone)))
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

    /// Returns a key, for the command line.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the key does not exist, or its restore period of seven days is over.
    #[tracing::instrument(name = "keys.get_as_operator", skip_all, fields(key.id = %id))]
    pub async fn get_as_operator(&self, id: KeyId) -> Result<KeyView, Error> {
        let (row, ..) = self.find_visible(&Actor::Operator, id).await?;
        view(row, &Viewer::from_actor(&Actor::Operator), Some(Role::Operator), self.context.now())
    }
}
