//! Project access: a user's role in a project, read inside the write transaction.

use super::read::role;
use crate::{
    Error,
    actor::{Actor, Caller},
    permissions::{Action, AdminPermission, is_allowed, role_allows},
};
use keyward_domain::{ids::ProjectId, project::Role, time::Timestamp};
use keyward_store::{self as store, Engine, projects::ProjectRow};

/// Returns the project if the actor's role permits the action. For a user who is not a member, the project does not
/// exist.
pub(super) async fn authorize(
    conn: &mut Engine<'_>,
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
        if !role_allows(role, action) {
            return Err(Error::Forbidden(refusal));
        }
    }
    store::projects::by_id(conn, id.into()).await?.ok_or(Error::NotFound)
}

/// Whether a user has a permission now: the administrator role may have been removed since the request began.
pub(super) async fn has_permission(
    conn: &mut Engine<'_>,
    caller: &Caller,
    power: AdminPermission,
) -> Result<bool, Error> {
    let row = store::accounts::by_id(conn, caller.user.into()).await?;
    Ok(is_allowed(row.is_some_and(|row| row.active && row.admin), power))
}

/// Returns the project with the caller's role in it. Without a role, the caller must be an administrator with this
/// permission and have a recent reauthentication.
pub(super) async fn find_visible(
    conn: &mut Engine<'_>,
    caller: &Caller,
    id: ProjectId,
    power: AdminPermission,
    now: Timestamp,
) -> Result<(ProjectRow, Option<Role>), Error> {
    let role = role(conn, id, caller.user).await?;
    if role.is_none() && !has_permission(conn, caller, power).await? {
        return Err(Error::NotFound);
    }
    let row = store::projects::by_id(conn, id.into()).await?.ok_or(Error::NotFound)?;
    if role.is_none() {
        let action = match power {
            AdminPermission::JoinAnyProject => "member.joined",
            AdminPermission::ChooseScopes => "project.scopes_set",
            _ => "project.seen_by_administrator",
        };
        caller.require_reauthentication(action, now)?;
    }
    Ok((row, role))
}
