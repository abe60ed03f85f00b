//! Access to any key by an administrator. For other users, these operations return [`Error::NotFound`].

use super::{
    Keys, Viewer,
    change::{Authority, LifecycleAction},
    is_restore_period_over, role, view,
};
use crate::{
    Error,
    actor::Caller,
    permissions::{AdminPermission, is_allowed},
};
use keyward_domain::{
    ids::KeyId,
    key::{KeyView, Reason},
};
use keyward_store::{self as store, Conn};

/// Checks that a user has a permission now: the administrator role may have been removed since the request began. Other
/// users get [`Error::NotFound`].
pub(crate) async fn require_administrator(
    conn: &mut Conn<'_>,
    caller: &Caller,
    power: AdminPermission,
) -> Result<(), Error> {
    let row = store::accounts::by_id(conn, caller.user.into()).await?;
    let admin = row.is_some_and(|row| row.active && row.admin);
    if is_allowed(admin, power) { Ok(()) } else { Err(Error::NotFound) }
}

impl Keys {
    /// Returns any key, with an owner of its project, for administrators.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the key does not exist, and for other users.
    pub async fn get_any(&self, caller: &Caller, id: KeyId) -> Result<KeyView, Error> {
        let mut reader = self.context.pool.acquire_reader().await?;
        let mut conn = reader.conn();
        require_administrator(&mut conn, caller, AdminPermission::SeeEveryKey).await?;
        let row = store::keys::by_id(&mut conn, id.into()).await?.ok_or(Error::NotFound)?;
        let now = self.context.now();
        if is_restore_period_over(&row, now) {
            return Err(Error::NotFound);
        }
        let role = role(&mut conn, row.project_id.into(), caller.user).await?;
        let owner = store::keys::owner(&mut conn, row.project_id).await?;
        let (owner, owner_email) = owner.map(|row| (row.name, row.email)).unzip();
        Ok(KeyView { owner, owner_email, ..view(row, &Viewer::as_administrator(caller), role, now)? })
    }

    /// Deactivates any key as an administrator, with a reason that its owner sees. Only an administrator can activate
    /// it again.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the key does not exist, and for a user who is not an administrator; [`Error::Invalid`]
    /// without a reason; [`Error::Conflict`] if the key is deleted.
    pub async fn deactivate_any(&self, caller: &Caller, id: KeyId, reason: &str) -> Result<KeyView, Error> {
        self.change_any(caller, id, reason, LifecycleAction::Deactivate).await
    }

    /// Activates any key as an administrator. Its owner may change it again.
    ///
    /// # Errors
    /// As [`Keys::deactivate_any`].
    pub async fn activate_any(&self, caller: &Caller, id: KeyId, reason: &str) -> Result<KeyView, Error> {
        self.change_any(caller, id, reason, LifecycleAction::Activate).await
    }

    /// Deletes any key as an administrator. For seven days only an administrator can restore it.
    ///
    /// # Errors
    /// As [`Keys::deactivate_any`], but a second deletion is not an error.
    pub async fn delete_any(&self, caller: &Caller, id: KeyId, reason: &str) -> Result<KeyView, Error> {
        self.change_any(caller, id, reason, LifecycleAction::Delete).await
    }

    /// Restores any key to its previous state, as an administrator. Its owner may change it again.
    ///
    /// # Errors
    /// As [`Keys::deactivate_any`]; [`Error::NotFound`] also if the seven days are over.
    pub async fn restore_any(&self, caller: &Caller, id: KeyId, reason: &str) -> Result<KeyView, Error> {
        self.change_any(caller, id, reason, LifecycleAction::Restore).await
    }

    async fn change_any(
        &self,
        caller: &Caller,
        id: KeyId,
        reason: &str,
        verb: LifecycleAction,
    ) -> Result<KeyView, Error> {
        let reason = match reason.parse::<Reason>() {
            Ok(reason) => reason,
            Err(error) => {
                // Other users must not learn that a reason is required, or that the key exists.
                self.get_any(caller, id).await?;
                return Err(Error::field("reason", error));
            }
        };
        self.change(Authority::Administrator(caller.clone(), reason), id, verb).await
    }
}
