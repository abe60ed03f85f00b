//! Administrator role: granting and revoking it.

use super::{Users, check_administrator_remains, lock_user, target};
use crate::{Error, actor::Actor, permissions::AdminPermission};
use keyward_domain::ids::UserId;
use keyward_store::{
    self as store,
    change_log::{Change, Topic},
    write_queue::WriteOutcome,
};

impl Users {
    /// Grants the administrator role, effective from the next request.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the user does not exist or the caller is not an administrator; [`Error::Conflict`] for a
    /// disabled user; [`Error::ReauthenticationRequired`] without recent reauthentication.
    #[tracing::instrument(name = "users.grant_administrator", skip_all, fields(user.id = %id))]
    pub async fn grant_administrator(&self, actor: &Actor, id: UserId) -> Result<(), Error> {
        self.set_administrator(actor, id, true).await
    }

    /// Revokes the administrator role, effective from the next request.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the user does not exist or the caller is not an administrator (any more: if two
    /// administrators revoke each other's role at once, the second request fails); [`Error::Conflict`] for the last
    /// administrator; [`Error::ReauthenticationRequired`] without recent reauthentication.
    #[tracing::instrument(name = "users.revoke_administrator", skip_all, fields(user.id = %id))]
    pub async fn revoke_administrator(&self, actor: &Actor, id: UserId) -> Result<(), Error> {
        self.set_administrator(actor, id, false).await
    }

    async fn set_administrator(&self, actor: &Actor, id: UserId, admin: bool) -> Result<(), Error> {
        let (actor, now) = (actor.clone(), self.context.now());
        let write = self.context.queue.write(move |tx| {
            let actor = actor.clone();
            Box::pin(async move {
                let row = lock_user(tx, &actor, id, AdminPermission::ManageUsers).await?;
                let action = if admin { "user.made_administrator" } else { "user.unmade_administrator" };
                actor.require_reauthentication(action, now)?;
                if row.admin == admin {
                    return Ok(WriteOutcome::unaudited(()));
                }
                if admin && !row.active {
                    return Err(Error::Conflict("This user is disabled. Enable the user first."));
                }
                if !admin {
                    check_administrator_remains(tx, &row).await?;
                }
                if !store::users::set_admin(tx, row.id, admin).await? {
                    return Err(Error::Internal("the user to change no longer exists"));
                }
                let event = actor
                    .event(now, action, target(id), &row.name)
                    .with_acting_role(actor.admin_acting_role())
                    .with_detail(serde_json::json!({"before": {"admin": row.admin}, "after": {"admin": admin}}));
                Ok(WriteOutcome::audited((), event).notify(Change { topic: Topic::User, id: row.id }))
            })
        });
        write.await
    }
}
