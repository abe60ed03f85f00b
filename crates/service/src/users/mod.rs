//! User management by administrators. For all other callers the users do not exist.

mod activity;
mod delete;
mod power;
mod read;
mod transfer;

pub use activity::Disabled;
pub use delete::{Fate, Plan};

use super::{Error, Ground, actor::Actor, can::Power, keys};
use keyward_domain::ids::UserId;
use keyward_store::{self as store, Conn, Tx, users::PersonRow};

/// Use cases of user management.
#[derive(Clone)]
pub struct Users {
    ground: Ground,
}

impl Users {
    pub fn new(ground: Ground) -> Self {
        Self { ground }
    }
}

/// Checks an administrator permission in the database. The operator at the command line has every permission; programs
/// and Keyward itself have none.
async fn allow(conn: &mut Conn<'_>, actor: &Actor, power: Power) -> Result<(), Error> {
    match actor {
        Actor::User(caller) => keys::administrator(conn, caller, power).await,
        Actor::Operator => Ok(()),
        Actor::Program(_) | Actor::System(_) => Err(Error::NotFound),
    }
}

/// Begins a change of a user: locks, checks the permission, and reads the row. Changes that count administrators or
/// project owners are serialized across all nodes.
async fn begin(tx: &mut Tx<'_>, actor: &Actor, id: UserId, power: Power) -> Result<PersonRow, Error> {
    store::queue::take_turns(tx).await?;
    allow(tx, actor, power).await?;
    store::users::lock(tx, id.into()).await?;
    store::users::by_id(tx, id.into()).await?.ok_or(Error::NotFound)
}

/// Rejects a change that would leave the instance without an active administrator.
async fn keep_one(conn: &mut Conn<'_>, row: &PersonRow) -> Result<(), Error> {
    if row.admin && row.active && store::users::administrators(conn).await? <= 1 {
        return Err(Error::Conflict(
            "Nobody else is an administrator who can sign in. Make somebody else an administrator first.",
        ));
    }
    Ok(())
}

/// Returns the audit event target of a user.
fn target(id: UserId) -> String {
    format!("user:{id}")
}
