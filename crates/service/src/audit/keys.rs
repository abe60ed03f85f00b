//! Public keys of checkpoint signatures: parsing and encoding.

use crate::{Context, Error, signer::AUDIT_LOG};
use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use keyward_store as store;
use serde_json::Value;

/// `SubjectPublicKeyInfo` prefix of a 32-byte Ed25519 key (RFC 8410).
const SPKI: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
const BEGIN: &str = "-----BEGIN PUBLIC KEY-----";
const END: &str = "-----END PUBLIC KEY-----";

/// Public key that verifies checkpoints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    /// RFC 7517 `kid`, if known.
    pub kid: Option<String>,
    pub bytes: [u8; 32],
}

impl PublicKey {
    /// Returns whether the signature of the message is valid.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, &self.bytes).verify(message, signature).is_ok()
    }

    /// Returns the JWK (RFC 7517, RFC 8037).
    pub fn jwk(&self) -> Value {
        let mut jwk = serde_json::json!({
            "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "x": URL_SAFE_NO_PAD.encode(self.bytes),
        });
        if let Some(kid) = &self.kid {
            jwk["kid"] = kid.as_str().into();
        }
        jwk
    }

    /// Returns the key as PEM (RFC 7468, RFC 8410), with a final line break.
    pub fn pem(&self) -> String {
        format!("{BEGIN}\n{}\n{END}\n", STANDARD.encode([&SPKI[..], &self.bytes].concat()))
    }
}

/// Parses keys in PEM, JWK, or JWK set format, or 32 bytes in base64url. Returns `None` for other input.
pub fn parse(text: &str) -> Option<Vec<PublicKey>> {
    let text = text.trim();
    let keys: Vec<_> = if text.starts_with(BEGIN) {
        text.split(BEGIN).skip(1).map(from_pem).collect::<Option<_>>()?
    } else if text.starts_with('{') {
        let json: Value = serde_json::from_str(text).ok()?;
        match json.get("keys") {
            Some(keys) => from_jwks(keys)?,
            None => vec![from_jwk(&json)?],
        }
    } else {
        vec![PublicKey { kid: None, bytes: URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()? }]
    };
    (!keys.is_empty()).then_some(keys)
}

/// Parses the `keys` of a JWK set.
pub fn from_jwks(keys: &Value) -> Option<Vec<PublicKey>> {
    keys.as_array()?.iter().map(from_jwk).collect()
}

fn from_jwk(jwk: &Value) -> Option<PublicKey> {
    let text = |name: &str| jwk.get(name).and_then(Value::as_str);
    if text("kty") != Some("OKP") || text("crv") != Some("Ed25519") {
        return None;
    }
    let bytes = URL_SAFE_NO_PAD.decode(text("x")?).ok()?.try_into().ok()?;
    Some(PublicKey { kid: text("kid").map(ToOwned::to_owned), bytes })
}

fn from_pem(after_begin: &str) -> Option<PublicKey> {
    let (body, _) = after_begin.split_once(END)?;
    let body: String = body.split_whitespace().collect();
    let bytes = STANDARD.decode(body).ok()?.strip_prefix(&SPKI)?.try_into().ok()?;
    Some(PublicKey { kid: None, bytes })
}

/// Returns the keys in a database, newest first. The list is empty if no server has run on the database.
///
/// # Errors
/// If the database cannot be read.
pub async fn list_from_database(context: &Context) -> Result<Vec<PublicKey>, Error> {
    let mut reader = context.pool.acquire_reader().await?;
    let rows = store::signing_keys::public_halves(&mut reader.conn(), AUDIT_LOG).await?;
    let read = rows.into_iter().map(|(id, bytes)| {
        // The error of the conversion is the value itself.
        let bytes = bytes.try_into().map_err(|_| store::Error::Corrupt("public key"))?;
        Ok(PublicKey { kid: Some(id.to_string()), bytes })
    });
    read.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_as_they_are_given_out() {
        // Public key of RFC 8032, section 7.1, test 1. `openssl pkey -pubin` accepts its PEM.
        let bytes = hex::decode("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a").unwrap();
        let key = PublicKey { kid: Some("k".into()), bytes: bytes.try_into().unwrap() };
        let bare = PublicKey { kid: None, ..key.clone() };
        assert_eq!(parse(&key.pem()), Some(vec![bare.clone()]));
        assert_eq!(parse(&format!("{}{}", key.pem(), key.pem())).unwrap().len(), 2);
        assert_eq!(parse(&key.jwk().to_string()), Some(vec![key.clone()]));
        assert_eq!(parse(&serde_json::json!({"keys": [key.jwk()]}).to_string()), Some(vec![key]));
        assert_eq!(parse("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"), Some(vec![bare]));
        for bad in ["", "key", "{}", "{\"keys\": []}", "{\"kty\": \"RSA\"}", "-----BEGIN PUBLIC KEY-----\nAAAA"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
