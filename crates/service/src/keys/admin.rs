//! Access to any key by an administrator. For other users, these operations return [`Error::NotFound`].

use super::{Keys, Viewer, view};
use crate::{
    Error,
    actor::{Actor, Caller},
    permissions::{AdminPermission, is_allowed},
};
use keyward_domain::{ids::KeyId, key::KeyView};
use keyward_store::{self as store, Engine};

/// Checks that a user has a permission now: the administrator role may have been removed since the request began. Other
/// users get [`Error::NotFound`].
pub(crate) async fn require_administrator(
    conn: &mut Engine<'_>,
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
    #[tracing::instrument(name = "keys.get_any", skip_all, fields(key.id = %id))]
    pub async fn get_any(&self, caller: &Caller, id: KeyId) -> Result<KeyView, Error> {
        let actor = Actor::Administrator(caller.clone());
        let (row, role, now) = self.find_visible(&actor, id).await?;
        let owner = {
            let mut reader = self.context.pool.acquire_reader().await?;
            store::keys::owner(&mut reader.conn(), row.project_id).await?
        };
        let (owner, owner_email) = owner.map(|row| (row.name, row.email)).unzip();
        Ok(KeyView { owner, owner_email, ..view(row, &Viewer::from_actor(&actor), role, now)? })
    }
}
