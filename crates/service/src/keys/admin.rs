//! Permission of administrators for any key. For other users, its operations return [`Error::NotFound`].

use crate::{
    Error,
    actor::Caller,
    permissions::{AdminPermission, is_allowed},
};
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
