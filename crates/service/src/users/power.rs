//! Administrator role: granting and revoking it.

use super::{Users, begin, keep_one, target};
use crate::{Error, actor::Actor, can::Power};
use keyward_domain::ids::UserId;
use keyward_store::{self as store, changes::Change, queue::Kept};

impl Users {
    /// Grants the administrator role, effective from the next request.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the user does not exist or the caller is not an administrator; [`Error::Conflict`] for a
    /// disabled user; [`Error::StepUp`] without recent reauthentication.
    pub async fn make_administrator(&self, actor: &Actor, id: UserId) -> Result<(), Error> {
        self.set_administrator(actor, id, true).await
    }

    /// Revokes the administrator role, effective from the next request.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the user does not exist or the caller is not an administrator (any more: if two
    /// administrators revoke each other's role at once, the second request fails); [`Error::Conflict`] for the last
    /// administrator; [`Error::StepUp`] without recent reauthentication.
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
