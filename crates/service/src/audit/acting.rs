//! As what somebody acts, where their role in a project says it.

use crate::{Error, actor::Actor};
use keyward_domain::ids::ProjectId;
use keyward_store::{self as store, Conn};

/// The role of a person in this project; what they are anyway if they have none, or are no person.
///
/// # Errors
/// If the database cannot be read.
pub async fn in_project(conn: &mut Conn<'_>, actor: &Actor, project: ProjectId) -> Result<String, Error> {
    let role = match actor.user() {
        Some(user) => store::projects::role(conn, project.into(), user.into()).await?,
        None => None,
    };
    Ok(role.unwrap_or_else(|| actor.acting().to_owned()))
}
