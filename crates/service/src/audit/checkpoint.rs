//! A checkpoint: "the event with this number has this hash", signed. Because every hash covers all events before it, one signature
//! vouches for the whole log up to there.
//!
//! It is a compact JWS (RFC 7515) with a `typ` of its own, so that no access token can be taken for one, nor the other way round;
//! and its key signs nothing else. Claims: `seq`, `head` (the hash of that event, hexadecimal), `after` (the `seq` of the
//! checkpoint before, 0 at the first: one that was taken out is missed), `iat` (seconds).

use super::keys::PublicKey;
use crate::signer::Signer;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use keyward_domain::time::Timestamp;
use serde::{Deserialize, Serialize};

/// The `typ` of a checkpoint.
pub const TYP: &str = "keyward-checkpoint+jwt";

#[derive(Serialize, Deserialize)]
struct Header {
    alg: String,
    typ: String,
    kid: String,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    seq: i64,
    head: String,
    after: i64,
    iat: i64,
}

/// A checkpoint that was read or has just been signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The event that it is of.
    pub seq: i64,
    /// The hash of that event.
    pub head: Vec<u8>,
    /// The event that the checkpoint before it is of; 0: it is the first.
    pub after: i64,
    /// When it was signed, to the second.
    pub at: Timestamp,
    /// The key that it says it is signed with.
    pub kid: String,
    pub token: String,
}

impl Checkpoint {
    /// Signs.
    pub fn sign(signer: &Signer, seq: i64, head: &[u8], after: i64, at: Timestamp) -> Self {
        let kid = signer.kid.clone();
        let header = Header { alg: "EdDSA".into(), typ: TYP.into(), kid: kid.clone() };
        let claims = Claims { seq, head: hex::encode(head), after, iat: at.seconds() };
        let text = format!("{}.{}", part(&header), part(&claims));
        let token = format!("{text}.{}", URL_SAFE_NO_PAD.encode(signer.sign(text.as_bytes())));
        Self { seq, head: head.to_owned(), after, at: Timestamp::from_seconds(at.seconds()), kid, token }
    }

    /// Reads what a token says, believing nothing: [`Self::is_signed_by`] tells whether it may be believed.
    pub fn read(token: &str) -> Option<Self> {
        let mut parts = token.split('.');
        let (header, claims, _, None) = (parts.next()?, parts.next()?, parts.next()?, parts.next()) else {
            return None;
        };
        let header: Header = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).ok()?).ok()?;
        if header.typ != TYP || header.alg != "EdDSA" {
            return None;
        }
        let claims: Claims = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?;
        Some(Self {
            seq: claims.seq,
            head: hex::decode(claims.head).ok()?,
            after: claims.after,
            at: Timestamp::from_seconds(claims.iat),
            kid: header.kid,
            token: token.to_owned(),
        })
    }

    /// The one of these keys that it is signed with.
    pub fn is_signed_by<'k>(&self, keys: &'k [PublicKey]) -> Option<&'k PublicKey> {
        let (text, signature) = self.token.rsplit_once('.')?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        keys.iter().find(|key| key.signed(text.as_bytes(), &signature))
    }

    /// The line that a server prints.
    pub fn line(&self) -> String {
        format!("audit checkpoint {} {}", self.seq, self.token)
    }

    /// Every checkpoint in a text: the lines that a server printed, among whatever else stands there.
    pub fn all_in(text: &str) -> Vec<Self> {
        let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        text.split(|c| !is_part(c)).filter(|word| word.len() > 100).filter_map(Self::read).collect()
    }
}

#[expect(clippy::expect_used, reason = "strings and numbers can be written as JSON")]
fn part(value: &impl Serialize) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(value).expect("JSON"))
}
