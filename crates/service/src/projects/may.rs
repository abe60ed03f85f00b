//! Project access: a user's role in a project, read inside the write transaction.

use super::read::role;
use crate::{
    Error,
    actor::{Actor, Caller},
    can::{Action, Power, can, has},
};
use keyward_domain::{ids::ProjectId, project::Role, time::Timestamp};
use keyward_store::{self as store, Conn, projects::ProjectRow};

/// Returns the project if the actor's role permits the action. For a user who is not a member, the project does not
/// exist.
pub(super) async fn allow(
    conn: &mut Conn<'_>,
    actor: &Actor,
    id: ProjectId,
    action: Action,
    refusal: &'static str,
) -> Result<ProjectRow, Error> {
    if matches!(actor, Actor::Program(_)) {
        // A program manages keys. It may only read its project.
        return Err(Error::NotFound);
    }
    if let Some(user) = actor.user() {
        let role = role(conn, id, user).await?.ok_or(Error::NotFound)?;
        if !can(role, action) {
            return Err(Error::Forbidden(refusal));
        }
    }
    store::projects::by_id(conn, id.into()).await?.ok_or(Error::NotFound)
}

/// Whether a user has a permission now: the administrator role may have been removed since the request began.
pub(super) async fn is_able(conn: &mut Conn<'_>, caller: &Caller, power: Power) -> Result<bool, Error> {
    let row = store::accounts::by_id(conn, caller.user.into()).await?;
    Ok(has(row.is_some_and(|row| row.active && row.admin), power))
}

/// Returns the project with the caller's role in it. Without a role, the caller must be an administrator with this
/// permission and have a recent reauthentication.
pub(super) async fn seen(
    conn: &mut Conn<'_>,
    caller: &Caller,
    id: ProjectId,
    power: Power,
    now: Timestamp,
) -> Result<(ProjectRow, Option<Role>), Error> {
    let role = role(conn, id, caller.user).await?;
    if role.is_none() && !is_able(conn, caller, power).await? {
        return Err(Error::NotFound);
    }
    let row = store::projects::by_id(conn, id.into()).await?.ok_or(Error::NotFound)?;
    if role.is_none() {
        let action = match power {
            Power::JoinAnyProject => "member.joined",
            Power::ChooseScopes => "project.scopes_set",
            _ => "project.seen_by_administrator",
        };
        caller.reauthenticate(action, now)?;
    }
    Ok((row, role))
}
