//! The claims of an access token (RFC 9068 section 2.2), and their serialization as a compact JWS (RFC 7515).
//!
//! Tokens are written thousands of times a second. The header is the same each time and is therefore encoded once.

use crate::signer::TokenSigner;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

/// Maximum length of a chain of token exchanges. Each exchange makes the token longer.
pub const VIA_MAX: usize = 8;
/// Length of an Ed25519 signature in base64url, including the dot before it. An RSA signature is longer, so the text
/// then grows once.
const SIGNATURE: usize = 87;
/// Initial capacity in bytes, enough for most claims.
const ROOM: usize = 512;

/// The claims of an access token, for deserialization.
#[derive(Clone, Debug, Deserialize)]
pub struct Claims {
    pub aud: String,
    pub sub: String,
    pub client_id: String,
    pub jti: String,
    pub iat: i64,
    pub exp: i64,
    pub scope: String,
    #[serde(default)]
    pub grant_id: Option<String>,
    #[serde(default)]
    pub via: Vec<String>,
}

/// The claims of an access token, for serialization.
#[derive(Serialize)]
pub struct OutgoingClaims<'a> {
    pub iss: &'a str,
    pub aud: &'a str,
    pub sub: &'a str,
    pub client_id: &'a str,
    pub jti: uuid::Uuid,
    pub iat: i64,
    pub exp: i64,
    /// Space-separated (RFC 8693 section 4.2).
    pub scope: &'a str,
    /// Private claim: the grant that the token belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant_id: Option<uuid::Uuid>,
    /// Private claim: the `jti` of the tokens that it was exchanged from, the first one first.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub via: &'a [uuid::Uuid],
}

/// Signs JWTs of one type with one key.
#[derive(Clone, Debug)]
pub struct JwtWriter {
    /// The header in base64url, and the dot after it.
    header: Box<str>,
    signer: TokenSigner,
}

impl JwtWriter {
    /// Creates a writer for JWTs with this `typ`.
    pub fn new(typ: &str, signer: TokenSigner) -> Self {
        let header = serde_json::json!({"typ": typ, "alg": signer.alg().as_str(), "kid": signer.kid}).to_string();
        let mut encoded = URL_SAFE_NO_PAD.encode(header);
        encoded.push('.');
        Self { header: encoded.into(), signer }
    }

    /// Serializes and signs claims. The claims must be representable as JSON: strings, numbers, arrays and objects.
    pub fn sign(&self, claims: &impl Serialize) -> String {
        let mut json = Vec::with_capacity(ROOM);
        // Serialization into memory does not fail, and all object keys are strings.
        let _ = serde_json::to_writer(&mut json, claims);
        let mut token = String::with_capacity(self.header.len() + json.len().div_ceil(3) * 4 + SIGNATURE);
        token.push_str(&self.header);
        URL_SAFE_NO_PAD.encode_string(&json, &mut token);
        self.signer.sign_onto(&mut token);
        token
    }
}
