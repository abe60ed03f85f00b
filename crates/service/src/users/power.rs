//! Making somebody an administrator, and taking that back.

use super::{Users, begin, keep_one, target};
use crate::{Error, actor::Actor, can::Power};
use keyward_domain::ids::UserId;
use keyward_store::{self as store, changes::Change, queue::Kept};

impl Users {
    /// The person looks after everything from the next request on.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is no such person, and for whoever is no administrator; [`Error::Conflict`] for somebody who
    /// cannot sign in; [`Error::StepUp`] without recent reauthentication.
    pub async fn make_administrator(&self, actor: &Actor, id: UserId) -> Result<(), Error> {
        self.set_administrator(actor, id, true).await
    }

    /// The person is like anybody else from the next request on.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is no such person, and for whoever is no administrator (any more: of two who unmake each other at
    /// once the second is none); [`Error::Conflict`] for the last one.
    pub async fn unmake_administrator(&self, actor: &Actor, id: UserId) -> Result<(), Error> {
        self.set_administrator(actor, id, false).await
    }

    async fn set_administrator(&self, actor: &Actor, id: UserId, admin: bool) -> Result<(), Error> {
        let (actor, now) = (actor.clone(), self.ground.now());
        let write = self.ground.queue.write(move |tx| {
            let actor = actor.clone();
            Box::pin(async move {
                let row = begin(tx, &actor, id, Power::ManageUsers).await?;
                let action = if admin { "user.made_administrator" } else { "user.unmade_administrator" };
                actor.reauthenticate(action, now)?;
                if row.admin == admin {
                    return Ok(Kept::unrecorded(()));
                }
                if admin && !row.active {
                    return Err(Error::Conflict("This person is disabled. Enable them first."));
                }
                if !admin {
                    keep_one(tx, &row).await?;
                }
                if !store::users::set_admin(tx, row.id, admin).await? {
                    return Err(Error::Internal("a person who was just read was not there to be changed"));
                }
                let event = actor
                    .event(now, action, target(id), &row.name)
                    .acting_as(actor.power())
                    .detail(serde_json::json!({"before": {"admin": row.admin}, "after": {"admin": admin}}));
                Ok(Kept::with((), event).heard(Change { topic: "user", id: row.id }))
            })
        });
        write.await
    }
}
