//! The claims of an access token (RFC 9068 section 2.2), and writing them: a compact JWS (RFC 7515), signed with the key pair that is
//! kept. Writing is done thousands of times a second; the header is the same each time, and ready.

use crate::signer::TokenSigner;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

/// Most tokens that one was exchanged from, in a row: each makes it longer.
pub const VIA_MAX: usize = 8;
/// Base64 of an Ed25519 signature, and the dot before it. One of RSA is longer, and grows the text once.
const SIGNATURE: usize = 87;
/// Bytes of most claims.
const ROOM: usize = 512;

/// The claims of an access token, as they are read.
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

/// The same, as they are written.
#[derive(Serialize)]
pub struct Written<'a> {
    pub iss: &'a str,
    pub aud: &'a str,
    pub sub: &'a str,
    pub client_id: &'a str,
    pub jti: uuid::Uuid,
    pub iat: i64,
    pub exp: i64,
    /// Space-separated (RFC 8693 section 4.2).
    pub scope: &'a str,
    /// Ours: which consent of a person it is of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant_id: Option<uuid::Uuid>,
    /// Ours: the `jti` of the tokens that it was exchanged from, the first one first.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub via: &'a [uuid::Uuid],
}

/// Signs one kind of thing with one key.
#[derive(Clone, Debug)]
pub struct Writer {
    /// The header in base64url, and the dot behind it.
    header: Box<str>,
    signer: TokenSigner,
}

impl Writer {
    /// For what has this `typ`.
    pub fn new(typ: &str, signer: TokenSigner) -> Self {
        let header = serde_json::json!({"typ": typ, "alg": signer.alg().as_str(), "kid": signer.kid}).to_string();
        let mut encoded = URL_SAFE_NO_PAD.encode(header);
        encoded.push('.');
        Self { header: encoded.into(), signer }
    }

    /// The whole, of claims that can be written as JSON: strings, numbers, lists and objects.
    pub fn write(&self, claims: &impl Serialize) -> String {
        let mut json = Vec::with_capacity(ROOM);
        // Writing into memory does not fail, and no key of an object is anything but a text.
        let _ = serde_json::to_writer(&mut json, claims);
        let mut token = String::with_capacity(self.header.len() + json.len().div_ceil(3) * 4 + SIGNATURE);
        token.push_str(&self.header);
        URL_SAFE_NO_PAD.encode_string(&json, &mut token);
        self.signer.sign_onto(&mut token);
        token
    }
}
