//! User management by administrators. For all other callers the users do not exist.

mod activity;
mod admin_role;
mod delete;
mod read;
mod transfer;

pub use activity::Disabled;
pub use delete::{Disposition, ProjectDispositions};

use super::{Context, Error, actor::Actor, keys, permissions::AdminPermission};
use keyward_domain::ids::UserId;
use keyward_store::{self as store, Engine, Tx, users::PersonRow};

/// Use cases of user management.
#[derive(Clone)]
pub struct Users {
    context: Context,
}

impl Users {
    pub fn new(context: Context) -> Self {
        Self { context }
    }
}

/// Checks an administrator permission in the database. The operator at the command line has every permission; programs
/// and Keyward itself have none.
async fn authorize(conn: &mut Engine<'_>, actor: &Actor, power: AdminPermission) -> Result<(), Error> {
    match actor {
        Actor::User(caller) | Actor::Administrator(caller) => keys::require_administrator(conn, caller, power).await,
        Actor::Operator => Ok(()),
        Actor::Program(_) | Actor::System(_) => Err(Error::NotFound),
    }
}

/// Begins a change of a user: locks, checks the permission, and reads the row. Changes that count administrators or
/// project owners are serialized across all nodes.
async fn lock_user(tx: &mut Tx<'_>, actor: &Actor, id: UserId, power: AdminPermission) -> Result<PersonRow, Error> {
    store::write_queue::serialize_change(tx).await?;
    authorize(tx, actor, power).await?;
    store::users::lock(tx, id.into()).await?;
    store::users::by_id(tx, id.into()).await?.ok_or(Error::NotFound)
}

/// Rejects a change that would leave the instance without an active administrator.
async fn check_administrator_remains(conn: &mut Engine<'_>, row: &PersonRow) -> Result<(), Error> {
    if row.admin && row.active && store::users::administrators(conn).await? <= 1 {
        return Err(Error::Conflict(
            "No other administrator can sign in. Add the administrator role to another user first.",
        ));
    }
    Ok(())
}

/// Returns the audit event target of a user.
fn target(id: UserId) -> String {
    format!("user:{id}")
}
