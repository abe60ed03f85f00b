//! The last step into a session: what let somebody in must still hold when the session is kept.

use crate::{Error, Ground};
use keyward_domain::ids::UserId;
use keyward_store::{self as store, queue::Kept, sessions::NewSessionRow};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// What a user reads whose account changed while they signed in.
pub const ACCOUNT_CHANGED: &str = "Your account was changed meanwhile. Sign in again.";

/// Which password was right: a digest of its hash, kept with the session that it opens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compared(String);

impl Compared {
    pub(super) fn with(password_hash: &str) -> Self {
        Self(hex::encode(Sha256::digest(password_hash)))
    }
}

/// Keeps a session. `false`: its id is taken. Comparing a password takes long: one that was changed or reset meanwhile, or a person
/// who was disabled, has had all sessions ended, and this one must not come after.
///
/// # Errors
/// [`Error::Conflict`] if what let them in holds no more.
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

/// Who is to be signed in, and by which password, if it was one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entering {
    pub user: UserId,
    pub compared: Option<Compared>,
}

impl From<UserId> for Entering {
    /// By something else than a password: a provider's word, a link, the making of the account.
    fn from(user: UserId) -> Self {
        Self { user, compared: None }
    }
}
