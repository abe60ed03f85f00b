//! Keys: made, listed, changed, ended. One verb a file.

mod change;
mod create;
mod edit;
mod list;
mod purge;

pub use create::{KeyDraft, NewKey};
pub use edit::KeyEdit;

use super::{
    Error, Ground,
    actor::{Actor, Caller},
    can::{Action, can},
    moments::moment_of,
};
use crate::{
    domain::{
        ids::{KeyId, ProjectId, UserId},
        key::{Environment, KeyView, Lifecycle, RESTORE_DAYS, Status},
        project::Role,
        time::{DAY, Timestamp},
    },
    store::{self, Conn, keys::KeyRow},
};

/// The use cases of keys.
#[derive(Clone)]
pub struct Keys {
    ground: Ground,
}

impl Keys {
    pub fn new(ground: Ground) -> Self {
        Self { ground }
    }
}

impl KeyRow {
    /// The facts from which its status follows.
    pub fn lifecycle(&self) -> Lifecycle {
        Lifecycle {
            active: self.active,
            not_before: self.not_before.map(Timestamp::from_micros),
            expires_at: self.expires_at.map(Timestamp::from_micros),
            deleted_at: self.deleted_at.map(Timestamp::from_micros),
        }
    }

    /// Its environment.
    ///
    /// # Errors
    /// [`store::Error::Corrupt`] if the column holds something else.
    pub fn environment(&self) -> Result<Environment, store::Error> {
        self.environment.parse().map_err(|_| store::Error::Corrupt("environment of a key"))
    }

    /// The instant from which a deleted key cannot be restored.
    fn gone_at(&self) -> Option<i64> {
        self.deleted_at.map(|at| Timestamp::from_micros(at).plus_seconds(RESTORE_DAYS * DAY).micros())
    }
}

/// A key as `viewer` sees it.
fn view(row: KeyRow, viewer: Option<UserId>, role: Option<Role>, now: Timestamp) -> Result<KeyView, Error> {
    let by_viewer = viewer.is_some() && row.created_by.map(UserId::from) == viewer;
    Ok(KeyView {
        id: row.id.into(),
        environment: row.environment()?,
        scopes: row.scopes()?,
        status: row.lifecycle().status(now),
        gone: row.gone_at().map(moment_of),
        created: moment_of(row.created_at),
        created_by: if by_viewer { "You".to_owned() } else { row.created_by_name },
        last_used: row.last_used_at.map(moment_of),
        expires: row.expires_at.map(moment_of),
        may_change: role.is_some_and(|role| can(role, Action::ChangeKeys)),
        project_id: row.project_id.into(),
        project: row.project_name,
        name: row.name,
        preview: row.preview,
        issued_to: row.issued_to,
    })
}

/// The role of a user in a project, read where the change will be.
async fn role(conn: &mut Conn<'_>, project: ProjectId, user: UserId) -> Result<Option<Role>, Error> {
    let Some(role) = store::projects::role(conn, project.into(), user.into()).await? else { return Ok(None) };
    role.parse().map(Some).map_err(|_| store::Error::Corrupt("role of a member").into())
}

/// Whether an actor may do this to keys of a project. Somebody who is no member gets the answer of a project that is not there.
async fn allow(conn: &mut Conn<'_>, actor: &Actor, project: ProjectId, action: Action) -> Result<(), Error> {
    let Some(user) = actor.user() else { return Ok(()) };
    match role(conn, project, user).await? {
        Some(role) if can(role, action) => Ok(()),
        Some(_) => Err(Error::Forbidden("Your role in this project lets you see keys, not change them.")),
        None => Err(Error::NotFound),
    }
}

/// The key, if the actor may do this to it.
async fn find(conn: &mut Conn<'_>, actor: &Actor, id: KeyId, action: Action) -> Result<KeyRow, Error> {
    let row = store::keys::by_id(conn, id.into()).await?.ok_or(Error::NotFound)?;
    allow(conn, actor, row.project_id.into(), action).await?;
    Ok(row)
}

impl Keys {
    /// One key, for whoever may see it.
    ///
    /// # Errors
    /// [`Error::NotFound`] if it is not there or not theirs.
    pub async fn get(&self, caller: &Caller, id: KeyId) -> Result<KeyView, Error> {
        let mut reader = self.ground.pool.read().await?;
        let mut conn = reader.conn();
        let row = find(&mut conn, &Actor::User(caller.clone()), id, Action::SeeKeys).await?;
        let role = role(&mut conn, row.project_id.into(), caller.user).await?;
        let now = self.ground.now();
        // Past its seven days a deleted key is gone, whether or not it has been purged yet.
        if row.gone_at().is_some_and(|at| at <= now.micros()) {
            return Err(Error::NotFound);
        }
        view(row, Some(caller.user), role, now)
    }

    /// The keys of a project, or of all, the newest first, for the command line.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn all(&self, project: Option<ProjectId>) -> Result<Vec<KeyRow>, Error> {
        let mut reader = self.ground.pool.read().await?;
        Ok(store::keys::of_project(&mut reader.conn(), project.map(Into::into)).await?)
    }

    /// The status of a row for the command line.
    pub fn status(&self, row: &KeyRow) -> Status {
        row.lifecycle().status(self.ground.now())
    }
}
