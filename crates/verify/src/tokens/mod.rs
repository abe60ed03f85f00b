//! Access tokens: JWTs (`at+jwt` of RFC 9068), signed with EdDSA or RS256, for keys and grants.

mod claims;
mod exchange;
mod keys;
mod revocation_list;
mod revoke;
mod revoked;
mod rotate;
mod subject;
mod token_decision;
mod token_request;
mod token_verifier;

pub use exchange::GrantSource;
pub use keys::KeySet;
pub use revocation_list::{RevocationList, TYP as LIST_TYP, retention_start};
pub use revoke::TooManyRevocations;
pub use revoked::RevokedSet;
pub use rotate::{PUBLISH_LEAD_TIME, PublishedKey, SCHEDULED_PUBLISH_LEAD_TIME, replace, rotate};
pub use subject::{Audience, Subject};
pub use token_decision::{Accepted, TokenDecision};
pub use token_request::{DAY_LIFE, ExchangeDenyReason, HOUR_LIFE, Target, TokenParameters};
pub use token_verifier::ParsedToken;

use super::verify::{DenyReason, Verifier};
use keys::SigningKeyRing;
use keyward_config::PublicUrl;
use keyward_core::{Context, Error, encryption_at_rest::EncryptionKey};
use keyward_domain::error_chain::ErrorChain;
use keyward_store::{change_feed::ChangeEvent, change_log::Topic};
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
pub enum TokenDenyReason {
    #[error("This is not an access token issued by this server.")]
    Malformed,
    #[error("This access token has expired. Request a new one.")]
    Expired,
    #[error("This access token was issued for another audience.")]
    WrongAudience,
    #[error("This access token was revoked.")]
    Revoked,
    /// The presented key, or the key of the token, was denied.
    #[error("{0}")]
    Key(DenyReason),
    /// The token does not have this scope, although its key may have it.
    #[error("This token does not have the scope {0}. Request a token with this scope.")]
    Scope(String),
    /// The grant is no longer valid. The message differs from that of a key, because the user has no key.
    #[error("{}", over(.0))]
    Grant(DenyReason),
}

/// Returns the message for a grant that a key rule denied.
const fn over(rule: &DenyReason) -> &'static str {
    match rule {
        DenyReason::Expired => "The grant has expired. Ask the user for consent again.",
        DenyReason::ProjectArchived => "The project of this token is archived.",
        _ => "The grant was revoked, or its user no longer has access. Ask the user for consent again.",
    }
}

impl TokenDenyReason {
    /// Converts a key rule into the denial for a token of this subject.
    fn from_key_reason(holder: Subject, rule: DenyReason) -> Self {
        match (holder, rule) {
            (
                Subject::Grant { .. },
                over @ (DenyReason::Deleted | DenyReason::Inactive | DenyReason::Expired | DenyReason::ProjectArchived),
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

/// Issues and verifies tokens. Clones share their caches.
#[derive(Clone)]
pub struct Tokens {
    issuer: Arc<str>,
    ring: Arc<SigningKeyRing>,
    reader: Arc<token_verifier::TokenVerifier>,
    revoked: Arc<RevokedSet>,
    list: Arc<revocation_list::CachedList>,
    verify: Verifier,
}

impl Tokens {
    /// Creates the service with these keys. Keys that are generated later are encrypted with the same key file.
    pub fn new(context: Context, issuer: &PublicUrl, keys: KeySet, sealing: EncryptionKey, verify: Verifier) -> Self {
        let issuer = issuer.to_string();
        let revoked = Arc::new(RevokedSet::default());
        context.queue.subscribe(revoked.clone());
        Self {
            reader: Arc::new(token_verifier::TokenVerifier::new(&issuer)),
            issuer: issuer.into(),
            ring: Arc::new(SigningKeyRing::new(context, sealing, keys)),
            revoked,
            list: Arc::default(),
            verify,
        }
    }

    /// Returns the public halves of the signing keys as a JWK set, as last read by this process.
    pub fn jwks(&self) -> serde_json::Value {
        self.ring.current().jwks(self.verify.now())
    }

    /// Same as [`Tokens::jwks`], at most a minute old: a node that cannot read the keys does not publish outdated ones.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn fresh_jwks(&self) -> Result<serde_json::Value, Error> {
        Ok(self.ring.fresh().await?.jwks(self.verify.now()))
    }

    /// Applies changes of other processes.
    pub(super) fn apply(&self, changes: &[ChangeEvent]) {
        self.revoked.apply(changes);
        if changes.iter().any(|change| change.topic == Some(Topic::SigningKey)) {
            self.ring.notify_changed();
        }
    }

    /// Invalidates the caches after missed changes.
    pub(super) fn invalidate_all(&self) {
        self.revoked.mark_incomplete();
        self.ring.notify_changed();
    }

    /// Reads the signing keys again after every change. Never returns.
    pub(super) async fn follow_keys(&self) {
        loop {
            self.ring.wait_for_change().await;
            while let Err(error) = self.ring.reload().await {
                tracing::warn!(error = %ErrorChain(&error), "tokens.keys_not_read");
                tokio::time::sleep(keys::RETRY).await;
            }
        }
    }
}
