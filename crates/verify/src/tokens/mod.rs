//! Access tokens: JWTs (`at+jwt` of RFC 9068), signed with EdDSA or RS256, for keys and grants.

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

/// An issued token, for the response.
#[derive(Clone, Debug)]
pub struct Issued {
    pub access_token: String,
    pub jti: Uuid,
    /// Seconds.
    pub expires_in: i64,
    pub scope: String,
}

/// The reason why a token, or a key presented in its place, was denied.
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
    /// The presented key, or the key of the token, was denied.
    #[error("{0}")]
    Key(Refused),
    /// The token does not have this scope, although its key may have it.
    #[error("This token does not have the scope {0}. A token has what is asked for when it is made.")]
    Scope(String),
    /// The grant is no longer valid. The message differs from that of a key, because the user has no key.
    #[error("{}", over(.0))]
    Grant(Refused),
}

/// Returns the message for a grant that a key rule denied.
const fn over(rule: &Refused) -> &'static str {
    match rule {
        Refused::Expired => "The time for which this was allowed is over. Ask the person again.",
        Refused::ProjectArchived => "The project of this token is archived.",
        _ => "What was allowed here was taken back, or whoever allowed it no longer may. Ask the person again.",
    }
}

impl TokenRefused {
    /// Converts a key rule into the denial for a token of this subject.
    fn behind(holder: Holder, rule: Refused) -> Self {
        match (holder, rule) {
            (
                Holder::Grant { .. },
                over @ (Refused::Deleted | Refused::Inactive | Refused::Expired | Refused::ProjectArchived),
            ) => Self::Grant(over),
            (_, rule) => Self::Key(rule),
        }
    }

    /// Returns the stable reason code.
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

/// The topic of signing keys in the change feed.
const SIGNING_KEY: &str = "signing_key";

/// Issues and verifies tokens. Clones share their caches.
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
    /// Creates the service with these keys. Keys that are generated later are encrypted with the same key file.
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

    /// Returns the public halves of the signing keys as a JWK set, as last read by this process.
    pub fn jwks(&self) -> serde_json::Value {
        self.ring.now().jwks(self.verify.now())
    }

    /// Same as [`Tokens::jwks`], at most a minute old: a node that cannot read the keys does not publish outdated ones.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn fresh_jwks(&self) -> Result<serde_json::Value, Error> {
        Ok(self.ring.fresh().await?.jwks(self.verify.now()))
    }

    /// Applies changes of other processes.
    pub(super) fn heard(&self, changes: &[Heard]) {
        self.revoked.heard(changes);
        if changes.iter().any(|change| change.topic == SIGNING_KEY) {
            self.ring.heard();
        }
    }

    /// Invalidates the caches after missed changes.
    pub(super) fn missed(&self) {
        self.revoked.missed();
        self.ring.heard();
    }

    /// Reads the signing keys again after every change. Never returns.
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
