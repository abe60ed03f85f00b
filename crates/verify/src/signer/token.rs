//! Token signer: signs access tokens with the algorithm of its key, EdDSA (RFC 8037) or RS256 (RFC 7518).

use super::{ACCESS_TOKENS, ACCESS_TOKENS_RS256, RsaSigner, Signer, SignerError, rsa::NewRsaKey, sealed_row};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::DecodingKey;
use keyward_config::TokenAlg;
use keyward_core::{Context, encryption_at_rest::EncryptionKey};
use keyward_domain::time::Timestamp;
use keyward_store::signing_keys::SigningKeyRow;
use serde_json::{Value, json};
use std::path::Path;

/// Signs access tokens and revocation lists with one key.
#[derive(Clone)]
pub struct TokenSigner {
    /// The key id (RFC 7517 `kid`).
    pub kid: String,
    key: Key,
}

#[derive(Clone)]
enum Key {
    EdDsa(Signer),
    Rs256(RsaSigner),
}

impl std::fmt::Debug for TokenSigner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TokenSigner({}, {})", self.alg().as_str(), self.kid)
    }
}

/// Returns the purpose under which keys of an algorithm are stored. RS256 has its own, so that a release without RS256
/// support ignores those keys.
const fn purpose(alg: TokenAlg) -> &'static str {
    match alg {
        TokenAlg::EdDsa => ACCESS_TOKENS,
        TokenAlg::Rs256 => ACCESS_TOKENS_RS256,
    }
}

/// Returns the algorithm of a stored key for access tokens.
pub fn alg_of(row: &SigningKeyRow) -> TokenAlg {
    if row.purpose == ACCESS_TOKENS_RS256 { TokenAlg::Rs256 } else { TokenAlg::EdDsa }
}

/// Generates a key of this algorithm that signs from `from`, and encrypts its private half.
///
/// # Errors
/// [`SignerError::Damaged`] if the cryptographic library fails.
pub async fn new_token_row(
    context: &Context,
    sealing: &EncryptionKey,
    alg: TokenAlg,
    from: Timestamp,
) -> Result<SigningKeyRow, SignerError> {
    match alg {
        TokenAlg::EdDsa => super::new_row(context, sealing, purpose(alg), from),
        TokenAlg::Rs256 => {
            // The search for primes is slow and must not block a thread that handles requests.
            let made = tokio::task::spawn_blocking(NewRsaKey::generate).await;
            let made = made.map_err(|_| SignerError::Damaged)??;
            sealed_row(context, sealing, purpose(alg), &made.private, made.public, from)
        }
    }
}

impl TokenSigner {
    /// Decrypts a stored key.
    ///
    /// # Errors
    /// [`SignerError::Wrong`] if the key file does not decrypt the row; [`SignerError::Damaged`] if the row contains no
    /// key of its algorithm.
    pub fn unseal(row: &SigningKeyRow, sealing: &EncryptionKey, path: &Path) -> Result<Self, SignerError> {
        let key = match alg_of(row) {
            TokenAlg::EdDsa => Key::EdDsa(Signer::unseal(row, sealing, path)?),
            TokenAlg::Rs256 => Key::Rs256(RsaSigner::unseal(row, sealing, path)?),
        };
        Ok(Self { kid: row.id.to_string(), key })
    }

    pub const fn alg(&self) -> TokenAlg {
        match self.key {
            Key::EdDsa(_) => TokenAlg::EdDsa,
            Key::Rs256(_) => TokenAlg::Rs256,
        }
    }

    /// Appends a dot and the signature of the text, in base64url.
    pub fn sign_onto(&self, text: &mut String) {
        let signature = match &self.key {
            Key::EdDsa(signer) => URL_SAFE_NO_PAD.encode(signer.sign(text.as_bytes())),
            Key::Rs256(signer) => URL_SAFE_NO_PAD.encode(signer.sign(text.as_bytes())),
        };
        text.push('.');
        text.push_str(&signature);
    }

    /// Returns the key that verifies the signatures of this signer.
    pub fn decoding_key(&self) -> DecodingKey {
        match &self.key {
            Key::EdDsa(signer) => DecodingKey::from_ed_der(&signer.public),
            Key::Rs256(signer) => DecodingKey::from_rsa_raw_components(&signer.modulus, &signer.exponent),
        }
    }

    /// Returns the public half as a JWK (RFC 7517; RFC 8037 section 2, RFC 7518 section 6.3.1).
    pub fn jwk(&self) -> Value {
        let base64 = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let (kid, alg) = (&self.kid, self.alg().as_str());
        match &self.key {
            Key::EdDsa(signer) => json!({
                "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": alg, "kid": kid, "x": base64(&signer.public),
            }),
            Key::Rs256(signer) => json!({
                "kty": "RSA", "use": "sig", "alg": alg, "kid": kid, "n": base64(&signer.modulus), "e": base64(&signer.exponent),
            }),
        }
    }
}
