//! Acting role: the project role under which an actor performs an action.

use crate::{Error, actor::Actor};
use keyward_domain::ids::ProjectId;
use keyward_store::{self as store, Engine};

/// Returns a user's role in this project, or the actor's general role if they have none, act as an administrator, or
/// are not a user.
///
/// # Errors
/// If the database cannot be read.
pub async fn in_project(conn: &mut Engine<'_>, actor: &Actor, project: ProjectId) -> Result<String, Error> {
    let role = match actor {
        Actor::User(caller) => store::projects::role(conn, project.into(), caller.user.into()).await?,
        Actor::Administrator(_) | Actor::Program(_) | Actor::Operator | Actor::System(_) => None,
    };
    Ok(role.unwrap_or_else(|| actor.acting_role().to_owned()))
}
