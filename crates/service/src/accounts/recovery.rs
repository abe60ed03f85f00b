//! Recovery codes, which replace a lost second factor. Each code works once; only its SHA-256 digest is stored.

use super::totp;
use crate::random::Random;
use keyward_domain::sensitive::RevealedSecret;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;
use zeroize::Zeroizing;

/// Number of codes per user.
pub const COUNT: usize = 10;
/// Random bytes per code. 80 bits cannot be searched, so a fast hash is sufficient.
const BYTES: usize = 10;

/// Generates new codes in display format: `abcd-efgh-ijkl-mnop`.
pub fn generate(random: &dyn Random) -> Vec<RevealedSecret> {
    let one = || {
        let mut bytes = Zeroizing::new([0; BYTES]);
        random.fill(bytes.as_mut());
        RevealedSecret::new(grouped(&totp::base32(bytes.as_ref()).to_lowercase(), "-"))
    };
    std::iter::repeat_with(one).take(COUNT).collect()
}

/// Inserts a separator between groups of four characters.
pub fn grouped(text: &str, between: &str) -> String {
    let mut grouped = String::with_capacity(text.len() * 2);
    for (at, letter) in text.chars().enumerate() {
        if at > 0 && at % 4 == 0 {
            grouped.push_str(between);
        }
        grouped.push(letter);
    }
    grouped
}

/// Returns the stored digest of a code. Case and separators do not matter. The user ID is included, so that equal codes
/// of two users have different digests.
pub fn digest(user: Uuid, typed: &str) -> [u8; 32] {
    let letters: Zeroizing<String> =
        Zeroizing::new(typed.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect());
    Sha256::new().chain_update(user.as_bytes()).chain_update(letters.as_bytes()).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandom;

    #[test]
    fn ten_codes_that_differ_and_are_read_however_they_are_written() {
        let codes = generate(&SystemRandom);
        assert_eq!(codes.len(), COUNT);
        let user = Uuid::from_u128(7);
        let mut digests: Vec<_> = codes.iter().map(|code| digest(user, code.expose())).collect();
        for (code, expected) in codes.iter().zip(&digests) {
            let code = code.expose();
            assert_eq!(code.len(), 19, "{code}");
            assert!(code.split('-').all(|group| group.len() == 4), "{code}");
            for written in [code.to_uppercase(), code.replace('-', ""), format!(" {} ", code.replace('-', " "))] {
                assert_eq!(digest(user, &written), *expected, "{written}");
            }
            assert_ne!(digest(Uuid::from_u128(8), code), *expected);
        }
        digests.sort_unstable();
        digests.dedup();
        assert_eq!(digests.len(), COUNT);
    }
}
