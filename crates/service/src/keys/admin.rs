//! Any key, by an administrator. To anybody else all of it answers as if nothing were there.

use super::{
    Keys, Viewer,
    change::{Standing, Verb},
    is_gone, role, view,
};
use crate::{
    Error,
    actor::Caller,
    can::{Power, has},
};
use keyward_domain::{
    ids::KeyId,
    key::{KeyView, Reason},
};
use keyward_store::{self as store, Conn};

/// Whether a person has a power now: an administrator may have ceased to be one since the request began. Anybody else gets the
/// answer of what is not there.
pub(crate) async fn administrator(conn: &mut Conn<'_>, caller: &Caller, power: Power) -> Result<(), Error> {
    let row = store::accounts::by_id(conn, caller.user.into()).await?;
    let admin = row.is_some_and(|row| row.active && row.admin);
    if has(admin, power) { Ok(()) } else { Err(Error::NotFound) }
}

impl Keys {
    /// Any key there is, with an owner of it, for administrators.
    ///
    /// # Errors
    /// [`Error::NotFound`] if it is not there, and for anybody else.
    pub async fn get_any(&self, caller: &Caller, id: KeyId) -> Result<KeyView, Error> {
        let mut reader = self.ground.pool.read().await?;
        let mut conn = reader.conn();
        administrator(&mut conn, caller, Power::SeeEveryKey).await?;
        let row = store::keys::by_id(&mut conn, id.into()).await?.ok_or(Error::NotFound)?;
        let now = self.ground.now();
        if is_gone(&row, now) {
            return Err(Error::NotFound);
        }
        let role = role(&mut conn, row.project_id.into(), caller.user).await?;
        let owner = store::keys::owner(&mut conn, row.project_id).await?;
        let (owner, owner_email) = owner.map(|row| (row.name, row.email)).unzip();
        Ok(KeyView { owner, owner_email, ..view(row, &Viewer::administrator(caller), role, now)? })
    }

    /// Deactivates any key as an administrator, for a reason that its owner reads: only an administrator can activate it again.
    ///
    /// # Errors
    /// [`Error::NotFound`] if it is not there, and for anybody who is no administrator; [`Error::Invalid`] without a reason;
    /// [`Error::Conflict`] if deleted.
    pub async fn deactivate_any(&self, caller: &Caller, id: KeyId, reason: &str) -> Result<KeyView, Error> {
        self.change_any(caller, id, reason, Verb::Deactivate).await
    }

    /// Activates any key as an administrator; its owner may change it again.
    ///
    /// # Errors
    /// As [`Keys::deactivate_any`].
    pub async fn activate_any(&self, caller: &Caller, id: KeyId, reason: &str) -> Result<KeyView, Error> {
        self.change_any(caller, id, reason, Verb::Activate).await
    }

    /// Deletes any key as an administrator: for seven days an administrator, and nobody else, can restore it.
    ///
    /// # Errors
    /// As [`Keys::deactivate_any`], but deleting twice is no error.
    pub async fn delete_any(&self, caller: &Caller, id: KeyId, reason: &str) -> Result<KeyView, Error> {
        self.change_any(caller, id, reason, Verb::Delete).await
    }

    /// Restores any key as an administrator, to the state that it had; its owner may change it again.
    ///
    /// # Errors
    /// As [`Keys::deactivate_any`]; [`Error::NotFound`] too if its seven days are over.
    pub async fn restore_any(&self, caller: &Caller, id: KeyId, reason: &str) -> Result<KeyView, Error> {
        self.change_any(caller, id, reason, Verb::Restore).await
    }

    async fn change_any(&self, caller: &Caller, id: KeyId, reason: &str, verb: Verb) -> Result<KeyView, Error> {
        let reason = match reason.parse::<Reason>() {
            Ok(reason) => reason,
            Err(error) => {
                // Nobody else learns even that a reason is asked for, or that the key is there.
                self.get_any(caller, id).await?;
                return Err(Error::field("reason", error));
            }
        };
        self.change(Standing::Administrator(caller.clone(), reason), id, verb).await
    }
}
