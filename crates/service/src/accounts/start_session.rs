//! Session creation: the last step of a sign-in. It rechecks that the account has not changed since the credentials
//! were verified.

use crate::{Context, Error};
use keyward_domain::ids::UserId;
use keyward_store::{self as store, sessions::NewSessionRow, write_queue::WriteOutcome};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// Message for a user whose account changed during the sign-in.
pub const ACCOUNT_CHANGED: &str = "Your account was changed during the sign-in. Sign in again.";

/// Digest of the password hash that was verified. It is stored with the session that the password opens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerifiedPassword(String);

impl VerifiedPassword {
    pub(super) fn from_hash(password_hash: &str) -> Self {
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
pub async fn start_session(
    context: &Context,
    row: NewSessionRow,
    compared: Option<VerifiedPassword>,
) -> Result<bool, Error> {
    let now = context.now().micros();
    let write = context.queue.write(move |tx| {
        let (row, compared) = (row.clone(), compared.clone());
        Box::pin(async move {
            store::users::lock(tx, row.user_id).await?;
            let user = store::accounts::by_id(tx, row.user_id).await?.filter(|user| user.active);
            let holds = |user: &store::accounts::UserRow| {
                compared.as_ref().is_none_or(|compared| *compared == VerifiedPassword::from_hash(&user.password_hash))
            };
            if !user.as_ref().is_some_and(holds) {
                return Err(Error::Conflict(ACCOUNT_CHANGED));
            }
            let new = store::sessions::insert(tx, &row).await?;
            if new && !row.pending {
                store::users::record_sign_in(tx, row.user_id, now).await?;
            }
            Ok(WriteOutcome::unaudited(new))
        })
    });
    write.await
}

/// User to be signed in, and the verified password if there was one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingSession {
    pub user: UserId,
    pub verified_password: Option<VerifiedPassword>,
}

impl From<UserId> for PendingSession {
    /// For a sign-in without a password: by the OpenID provider, by a one-time link, or after registration.
    fn from(user: UserId) -> Self {
        Self { user, verified_password: None }
    }
}
