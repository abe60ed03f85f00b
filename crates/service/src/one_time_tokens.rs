//! One-time tokens of links: invitations, password resets, confirmations. Only the SHA-256 digest is stored.

use super::random::Random;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};
use std::fmt;
use zeroize::Zeroizing;

/// One-time token: 256 random bits as 43 characters that need no escaping in a URL. It appears in one link and nowhere
/// else.
#[derive(Clone)]
pub struct OneTimeCode(Zeroizing<String>);

impl fmt::Debug for OneTimeCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OneTimeCode(…)")
    }
}

impl OneTimeCode {
    /// Generates a new token.
    pub fn generate(random: &dyn Random) -> Self {
        let mut bytes = Zeroizing::new([0; 32]);
        random.fill(bytes.as_mut());
        Self(Zeroizing::new(URL_SAFE_NO_PAD.encode(bytes.as_ref())))
    }

    /// Wraps a presented token.
    pub fn from_presented(presented: &str) -> Self {
        Self(Zeroizing::new(presented.to_owned()))
    }

    /// Returns the digest that is stored.
    pub fn digest(&self) -> [u8; 32] {
        digest(&self.0)
    }

    /// Returns the plain text, for the link.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// Returns the digest that would be stored for a presented token. Any text is accepted.
pub fn digest(presented: &str) -> [u8; 32] {
    Sha256::digest(presented.trim()).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandom;

    #[test]
    fn codes_differ_and_hide() {
        let (a, b) = (OneTimeCode::generate(&SystemRandom), OneTimeCode::generate(&SystemRandom));
        assert_eq!(a.expose().len(), 43);
        assert_ne!(a.expose(), b.expose());
        assert_eq!(a.digest(), digest(&format!(" {}\n", a.expose())));
        assert!(!format!("{a:?}").contains(a.expose()));
    }
}
