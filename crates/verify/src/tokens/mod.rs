//! Access tokens: JWTs (RFC 9068's `at+jwt`), signed with EdDSA or RS256, of keys and of what people
//! allowed.

mod check;
mod claims;
mod exchange;
mod holder;
mod keys;
mod list;
mod read;
mod revoke;
mod revoked;
mod rotate;
mod wish;

pub use check::{Accepted, Checked};
pub use exchange::OfGrant;
pub use holder::{Audience, Holder};
pub use keys::KeySet;
pub use list::{List, TYP as LIST_TYP, forgotten};
pub use read::Known;
pub use revoke::TooMany;
pub use revoked::Revoked;
pub use rotate::{PUBLISHED_FIRST, PUBLISHED_FIRST_BY_SCHEDULE, Published, replace, rotate};
pub use wish::{DAY_LIFE, ExchangeRefused, HOUR_LIFE, Target, Wish};

use super::verify::{Refused, Verifier};
use keys::Ring;
use keyward_config::PublicUrl;
use keyward_core::{Error, Ground, sealing::SealingKey};
use keyward_store::feed::Heard;
use std::sync::Arc;
use uuid::Uuid;

/// The `typ` of an access token (RFC 9068 section 2.1), checked before anything else (RFC 8725 section 3.11).
pub const TYP: &str = "at+jwt";

/// A token, for the answer that carries it.
#[derive(Clone, Debug)]
pub struct Issued {
    pub access_token: String,
    pub jti: Uuid,
    /// Seconds.
    pub expires_in: i64,
    pub scope: String,
}

/// Why a token, or the key that was presented in its place, was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenRefused {
    #[error("This is not an access token of this server.")]
    Malformed,
    #[error("This access token has expired. Exchange the key for another.")]
    Expired,
    #[error("This access token is for something else.")]
    WrongAudience,
    #[error("This access token was revoked.")]
    Revoked,
    /// The key is not good for what was asked, or the one that the token was made from is not.
    #[error("{0}")]
    Key(Refused),
    /// Its key may have the scope; it has not.
    #[error("This token does not have the scope {0}. A token has what is asked for when it is made.")]
    Scope(String),
    /// What a person allowed is over: a rule of keys, in other words, for nobody here has a key.
    #[error("{}", over(.0))]
    Grant(Refused),
}

/// What is said of a grant that a rule of keys refuses.
const fn over(rule: &Refused) -> &'static str {
    match rule {
        Refused::Expired => "The time for which this was allowed is over. Ask the person again.",
        Refused::ProjectArchived => "The project of this token is archived.",
        _ => "What was allowed here was taken back, or whoever allowed it no longer may. Ask the person again.",
    }
}

impl TokenRefused {
    /// What a rule says of a token of this holder.
    fn behind(holder: Holder, rule: Refused) -> Self {
        match (holder, rule) {
            (
                Holder::Grant { .. },
                over @ (Refused::Deleted | Refused::Inactive | Refused::Expired | Refused::ProjectArchived),
            ) => Self::Grant(over),
            (_, rule) => Self::Key(rule),
        }
    }

    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed => "invalid_token",
            Self::Expired => "token_expired",
            Self::WrongAudience => "wrong_audience",
            Self::Revoked => "token_revoked",
            Self::Scope(_) => "missing_scope",
            Self::Key(refused) | Self::Grant(refused) => refused.code(),
        }
    }
}

/// The topic under which the change feed tells of signing keys.
const SIGNING_KEY: &str = "signing_key";

/// Makes and checks tokens. Clones share what they know.
#[derive(Clone)]
pub struct Tokens {
    issuer: Arc<str>,
    ring: Arc<Ring>,
    reader: Arc<read::Reader>,
    revoked: Arc<Revoked>,
    list: Arc<list::Made>,
    verify: Verifier,
}

impl Tokens {
    /// Signs with these keys, and with those that are made later and sealed under the same key file.
    pub fn new(ground: Ground, issuer: &PublicUrl, keys: KeySet, sealing: SealingKey, verify: Verifier) -> Self {
        let issuer = issuer.to_string();
        let revoked = Arc::new(Revoked::default());
        ground.queue.tell(revoked.clone());
        Self {
            reader: Arc::new(read::Reader::new(&issuer)),
            issuer: issuer.into(),
            ring: Arc::new(Ring::new(ground, sealing, keys)),
            revoked,
            list: Arc::default(),
            verify,
        }
    }

    /// The public halves of the keys that tokens are signed with, as this process last read them.
    pub fn jwks(&self) -> serde_json::Value {
        self.ring.now().jwks(self.verify.now())
    }

    /// As [`Tokens::jwks`], as they were a minute ago at most: a node that has not heard of a key for longer does not publish.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn fresh_jwks(&self) -> Result<serde_json::Value, Error> {
        Ok(self.ring.fresh().await?.jwks(self.verify.now()))
    }

    /// Others changed this.
    pub(super) fn heard(&self, changes: &[Heard]) {
        self.revoked.heard(changes);
        if changes.iter().any(|change| change.topic == SIGNING_KEY) {
            self.ring.heard();
        }
    }

    /// Changes were missed.
    pub(super) fn missed(&self) {
        self.revoked.missed();
        self.ring.heard();
    }

    /// Reads the signing keys again whenever somebody has changed them; ends never.
    pub(super) async fn follow_keys(&self) {
        loop {
            self.ring.change().await;
            while let Err(error) = self.ring.reload().await {
                tracing::warn!(%error, "tokens.keys_not_read");
                tokio::time::sleep(keys::RETRY).await;
            }
        }
    }
}
