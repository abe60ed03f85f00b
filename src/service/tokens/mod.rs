//! Access tokens: JWTs (RFC 9068's `at+jwt`), signed with EdDSA, of keys and of what people allowed.

mod check;
mod claims;
mod exchange;
mod holder;
mod read;

pub use check::{Accepted, Checked};
pub use exchange::{DAY_LIFE, ExchangeRefused, HOUR_LIFE, OfGrant, Target, Wish};
pub use holder::{Audience, ClientName, Holder, NotAClient};
pub use read::Known;

use super::{
    signer::Signer,
    verify::{Refused, Verifier},
};
use crate::config::PublicUrl;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use claims::Writer;
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
    /// The key is not good for what was asked, or the one that the token was made from is not.
    #[error("{0}")]
    Key(Refused),
}

impl TokenRefused {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed => "invalid_token",
            Self::Expired => "token_expired",
            Self::WrongAudience => "wrong_audience",
            Self::Key(refused) => refused.code(),
        }
    }
}

/// Makes and checks tokens.
#[derive(Clone)]
pub struct Tokens {
    issuer: Arc<str>,
    public: [u8; 32],
    writer: Writer,
    reader: Arc<read::Reader>,
    verify: Verifier,
}

impl Tokens {
    pub fn new(issuer: &PublicUrl, signer: Signer, verify: Verifier) -> Self {
        let issuer = issuer.to_string();
        Self {
            reader: Arc::new(read::Reader::new(&issuer, &signer)),
            issuer: issuer.into(),
            public: signer.public,
            writer: Writer::new(TYP, signer),
            verify,
        }
    }

    /// The public half, as a JWK set (RFC 7517, RFC 8037).
    pub fn jwks(&self) -> serde_json::Value {
        serde_json::json!({"keys": [{
            "kty": "OKP",
            "crv": "Ed25519",
            "use": "sig",
            "alg": "EdDSA",
            "kid": self.reader.kid(),
            "x": URL_SAFE_NO_PAD.encode(self.public),
        }]})
    }
}
