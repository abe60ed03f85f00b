//! People, as administrators look after them. To anybody else all of it answers as if nothing were there.

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

/// The use cases of looking after people.
#[derive(Clone)]
pub struct Users {
    ground: Ground,
}

impl Users {
    pub fn new(ground: Ground) -> Self {
        Self { ground }
    }
}

/// Whether an actor has a power now; whoever is at the command line has every power, Keyward itself needs none.
async fn allow(conn: &mut Conn<'_>, actor: &Actor, power: Power) -> Result<(), Error> {
    match actor {
        Actor::User(caller) => keys::administrator(conn, caller, power).await,
        Actor::Operator => Ok(()),
        Actor::Program(_) | Actor::System(_) => Err(Error::NotFound),
    }
}

/// Begins a change of a person: whoever counts administrators, or a project's owners, does so one after another, on every node.
async fn begin(tx: &mut Tx<'_>, actor: &Actor, id: UserId, power: Power) -> Result<PersonRow, Error> {
    store::queue::take_turns(tx).await?;
    allow(tx, actor, power).await?;
    store::users::lock(tx, id.into()).await?;
    store::users::by_id(tx, id.into()).await?.ok_or(Error::NotFound)
}

/// Refuses what would leave nobody to look after this Keyward.
async fn keep_one(conn: &mut Conn<'_>, row: &PersonRow) -> Result<(), Error> {
    if row.admin && row.active && store::users::administrators(conn).await? <= 1 {
        return Err(Error::Conflict(
            "Nobody else is an administrator who can sign in. Make somebody else an administrator first.",
        ));
    }
    Ok(())
}

/// The thing that events about a person are of.
fn target(id: UserId) -> String {
    format!("user:{id}")
}
