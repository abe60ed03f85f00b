//! RSA signatures with PKCS #1 v1.5 and SHA-256 (RS256, RFC 7518 section 3.3), for clients without EdDSA support.

use super::SignerError;
use aws_lc_rs::{
    encoding::{AsDer as _, Pkcs8V1Der},
    rand::SystemRandom,
    rsa::{KeyPair as RsaKeyPair, KeySize},
    signature::{KeyPair as _, RSA_PKCS1_SHA256},
};
use keyward_core::encryption_at_rest::EncryptionKey;
use keyward_store::signing_keys::SigningKeyRow;
use std::{path::Path, sync::Arc};
use zeroize::Zeroizing;

/// Bytes of the smallest modulus: 2048 bits (RFC 7518 section 3.3).
const MODULUS_MIN: usize = 256;
/// DER tags (X.690).
const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;

/// Signs with a decrypted RSA key.
#[derive(Clone)]
pub struct RsaSigner {
    pair: Arc<RsaKeyPair>,
    /// Big-endian, without leading zeros.
    pub modulus: Arc<[u8]>,
    pub exponent: Arc<[u8]>,
}

/// A new key: both halves as PKCS #8, and the public half as an `RSAPublicKey` (RFC 8017 appendix A.1.1).
pub(super) struct NewRsaKey {
    pub private: Zeroizing<Vec<u8>>,
    pub public: Vec<u8>,
}

impl NewRsaKey {
    /// Generates a key of 2048 bits. Takes a few hundred milliseconds of CPU time. The random numbers come from the
    /// cryptographic library.
    ///
    /// # Errors
    /// [`SignerError::Damaged`] if the library fails.
    pub fn generate() -> Result<Self, SignerError> {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).map_err(|_| SignerError::Damaged)?;
        let private: Pkcs8V1Der<'static> = pair.as_der().map_err(|_| SignerError::Damaged)?;
        let private = Zeroizing::new(private.as_ref().to_vec());
        Ok(Self { private, public: pair.public_key().as_ref().to_vec() })
    }
}

impl RsaSigner {
    /// Decrypts a stored key.
    ///
    /// # Errors
    /// [`SignerError::Wrong`] if the key file does not decrypt the row; [`SignerError::Damaged`] if the row contains no
    /// RSA key of at least 2048 bits, or its public half does not match.
    pub(super) fn unseal(row: &SigningKeyRow, sealing: &EncryptionKey, path: &Path) -> Result<Self, SignerError> {
        let private = sealing.decrypt(row.id, &row.sealed).ok_or_else(|| SignerError::Wrong(path.to_owned()))?;
        let pair = RsaKeyPair::from_pkcs8(&private).map_err(|_| SignerError::Damaged)?;
        if pair.public_key().as_ref() != row.public_key {
            return Err(SignerError::Damaged);
        }
        let (modulus, exponent) = components(&row.public_key).ok_or(SignerError::Damaged)?;
        if modulus.len() < MODULUS_MIN {
            return Err(SignerError::Damaged);
        }
        Ok(Self { modulus: modulus.into(), exponent: exponent.into(), pair: Arc::new(pair) })
    }

    /// Signs a message. The signature is as long as the modulus. If the library fails, the signature is empty, which no
    /// verifier accepts.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        // PKCS #1 v1.5 is deterministic: the library ignores the random source.
        match self.pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature) {
            Ok(()) => signature,
            Err(_) => {
                tracing::error!("tokens.not_signed");
                Vec::new()
            }
        }
    }
}

/// Returns the modulus and the exponent of an `RSAPublicKey`, without leading zeros.
fn components(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (sequence, after) = element(der, SEQUENCE)?;
    let (modulus, rest) = element(sequence, INTEGER)?;
    let (exponent, rest) = element(rest, INTEGER)?;
    fn trimmed(number: &[u8]) -> &[u8] {
        let zeros = number.iter().take_while(|byte| **byte == 0).count();
        &number[zeros..]
    }
    (after.is_empty() && rest.is_empty()).then_some((trimmed(modulus), trimmed(exponent)))
}

/// Returns the content of the first element, which must have this tag, and the remaining bytes.
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&[found, length], rest) = der.split_first_chunk::<2>()?;
    if found != tag {
        return None;
    }
    let (length, rest) = match length {
        0..=0x7f => (usize::from(length), rest),
        // The long form: this number of length bytes follows.
        0x81..=0x84 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(length - 0x80))?;
            (bytes.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)), rest)
        }
        _ => return None,
    };
    rest.split_at_checked(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_key_has_a_modulus_and_an_exponent() {
        // SEQUENCE { INTEGER 0x00C1, INTEGER 65537 }
        let der = [0x30, 9, 2, 2, 0, 0xc1, 2, 3, 1, 0, 1];
        assert_eq!(components(&der), Some((&[0xc1][..], &[1, 0, 1][..])));
        for cut in 0..der.len() {
            assert_eq!(components(&der[..cut]), None, "{cut}");
        }
        assert_eq!(components(&[&der[..], &[0]].concat()), None, "something behind it");
        let long = [&[0x30, 0x81, 0x88, 2, 0x81, 0x80][..], &[7; 128], &[2, 3, 1, 0, 1]].concat();
        assert_eq!(components(&long).map(|(modulus, _)| modulus.len()), Some(128));
    }

    #[test]
    fn a_new_key_has_2048_bits() {
        let key = NewRsaKey::generate().unwrap();
        let (modulus, exponent) = components(&key.public).unwrap();
        assert_eq!((modulus.len(), exponent), (MODULUS_MIN, &[1, 0, 1][..]));
    }
}
