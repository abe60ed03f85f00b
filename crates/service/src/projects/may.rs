//! Who stands how to a project, read where the change is made.

use super::read::role;
use crate::{
    Error,
    actor::{Actor, Caller},
    can::{Action, Power, can, has},
};
use keyward_domain::{ids::ProjectId, project::Role, time::Timestamp};
use keyward_store::{self as store, Conn, projects::ProjectRow};

/// The project, if the actor may do this to it by their role; whoever is no member gets the answer of what is not there.
pub(super) async fn allow(
    conn: &mut Conn<'_>,
    actor: &Actor,
    id: ProjectId,
    action: Action,
    refusal: &'static str,
) -> Result<ProjectRow, Error> {
    if matches!(actor, Actor::Program(_)) {
        // A program manages keys; of its project it reads.
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

/// Whether somebody has a power now: they may have ceased to be an administrator since the request began.
pub(super) async fn is_able(conn: &mut Conn<'_>, caller: &Caller, power: Power) -> Result<bool, Error> {
    let row = store::accounts::by_id(conn, caller.user.into()).await?;
    Ok(has(row.is_some_and(|row| row.active && row.admin), power))
}

/// The project with the asker's role in it; without a role they must be an administrator with this power, and have proved afresh
/// who they are.
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
