//! Session creation: the last step of a sign-in. It rechecks that the account has not changed since the credentials
//! were verified.

use crate::{Error, Ground};
use keyward_domain::ids::UserId;
use keyward_store::{self as store, queue::Kept, sessions::NewSessionRow};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// Message for a user whose account changed during the sign-in.
pub const ACCOUNT_CHANGED: &str = "Your account was changed meanwhile. Sign in again.";

/// Digest of the password hash that was verified. It is stored with the session that the password opens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compared(String);

impl Compared {
    pub(super) fn with(password_hash: &str) -> Self {
        Self(hex::encode(Sha256::digest(password_hash)))
    }
}

/// Stores a session. Returns `false` if its ID is taken.
///
/// Comparing a password takes long. If the password was changed or reset meanwhile, or the user was disabled, all
/// sessions were ended, and this session must not be created afterwards.
///
/// # Errors
/// [`Error::Conflict`] if the password has changed or the user is disabled.
pub async fn begin(ground: &Ground, row: NewSessionRow, compared: Option<Compared>) -> Result<bool, Error> {
    let now = ground.now().micros();
    let write = ground.queue.write(move |tx| {
        let (row, compared) = (row.clone(), compared.clone());
        Box::pin(async move {
            store::users::lock(tx, row.user_id).await?;
            let user = store::accounts::by_id(tx, row.user_id).await?.filter(|user| user.active);
            let holds = |user: &store::accounts::UserRow| {
                compared.as_ref().is_none_or(|compared| *compared == Compared::with(&user.password_hash))
            };
            if !user.as_ref().is_some_and(holds) {
                return Err(Error::Conflict(ACCOUNT_CHANGED));
            }
            let new = store::sessions::insert(tx, &row).await?;
            if new && !row.pending {
                store::users::signed_in(tx, row.user_id, now).await?;
            }
            Ok(Kept::unrecorded(new))
        })
    });
    write.await
}

/// User to be signed in, and the verified password if there was one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entering {
    pub user: UserId,
    pub compared: Option<Compared>,
}

impl From<UserId> for Entering {
    /// For a sign-in without a password: by the OpenID provider, by a one-time link, or after registration.
    fn from(user: UserId) -> Self {
        Self { user, compared: None }
    }
}
