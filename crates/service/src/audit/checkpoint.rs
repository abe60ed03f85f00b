//! Checkpoint: a signed statement that the event with this number has this hash. Every hash covers all earlier events,
//! so one signature covers the whole log up to that event.
//!
//! A checkpoint is a compact JWS (RFC 7515). Its own `typ` prevents confusion with access tokens, and its key signs
//! nothing else. Claims: `seq`, `head` (the hash of that event, hexadecimal), `after` (the `seq` of the previous
//! checkpoint, 0 for the first; it reveals a removed checkpoint), `iat` (seconds).

use super::keys::PublicKey;
use crate::signer::Signer;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use keyward_domain::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Value of the `typ` header.
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

/// Parsed or newly signed checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Number of the event that it signs.
    pub seq: i64,
    /// Hash of that event.
    pub head: Vec<u8>,
    /// Event of the previous checkpoint; 0 for the first checkpoint.
    pub after: i64,
    /// Time of signing, in whole seconds.
    pub at: Timestamp,
    /// Key ID from the header; not verified.
    pub kid: String,
    pub token: String,
}

impl Checkpoint {
    /// Signs a checkpoint.
    pub fn sign(signer: &Signer, seq: i64, head: &[u8], after: i64, at: Timestamp) -> Self {
        let kid = signer.kid.clone();
        let header = Header { alg: "EdDSA".into(), typ: TYP.into(), kid: kid.clone() };
        let claims = Claims { seq, head: hex::encode(head), after, iat: at.seconds() };
        let text = format!("{}.{}", part(&header), part(&claims));
        let token = format!("{text}.{}", URL_SAFE_NO_PAD.encode(signer.sign(text.as_bytes())));
        Self { seq, head: head.to_owned(), after, at: Timestamp::from_seconds(at.seconds()), kid, token }
    }

    /// Parses a token without verifying it. [`Self::is_signed_by`] verifies the signature.
    pub fn parse(token: &str) -> Option<Self> {
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

    /// Returns the key that verifies the signature.
    pub fn is_signed_by<'k>(&self, keys: &'k [PublicKey]) -> Option<&'k PublicKey> {
        let (text, signature) = self.token.rsplit_once('.')?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        keys.iter().find(|key| key.verifies(text.as_bytes(), &signature))
    }

    /// Returns the line that a server prints: the event and its hash.
    pub fn line(&self) -> String {
        format!("audit checkpoint {} {}", self.seq, hex::encode(&self.head))
    }

    /// Returns the line with the complete checkpoint, which a server prints at the log level `debug`.
    pub fn complete_line(&self) -> String {
        format!("audit checkpoint {} {}", self.seq, self.token)
    }

    /// Whether it comes from a line without the signature. It is as reliable as the place where the line was kept.
    pub fn is_hash_only(&self) -> bool {
        self.token.is_empty()
    }

    /// Finds every checkpoint in a text, such as the output of a server with other lines. A short line yields a
    /// checkpoint without a token.
    pub fn find_all(text: &str) -> Vec<Self> {
        let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        let words = text.split(|c| !is_part(c)).filter(|word| !word.is_empty());
        let (mut found, mut before) = (Vec::new(), ["", ""]);
        for word in words {
            if word.len() > 100 {
                found.extend(Self::parse(word));
            } else if before[0] == "checkpoint"
                && let (64, Ok(seq), Ok(head)) = (word.len(), before[1].parse(), hex::decode(word))
            {
                let (after, at) = (0, Timestamp::from_seconds(0));
                found.push(Self { seq, head, after, at, kid: String::new(), token: String::new() });
            }
            before = [before[1], word];
        }
        found
    }
}

#[expect(clippy::expect_used, reason = "strings and numbers can be written as JSON")]
fn part(value: &impl Serialize) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(value).expect("JSON"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_lines_are_found_among_others() {
        let head = "ab".repeat(32);
        let text = format!(
            "Keyward 1.0 is running\naudit checkpoint 12 {head}\r\nx checkpoint y {head}\naudit checkpoint 13 abc\n"
        );
        let [found] = Checkpoint::find_all(&text).try_into().unwrap();
        assert_eq!((found.seq, hex::encode(&found.head), found.is_hash_only()), (12, head, true));
        assert_eq!(found.line(), text.lines().nth(1).unwrap());
    }
}
