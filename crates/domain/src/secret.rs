//! Secret of an API key, in three types: generated ([`PlainSecret`]), presented ([`PresentedSecret`]), stored
//! ([`Digest`]).
//!
//! A secret is `kw_live_` or `kw_test_`, 50 characters of base62 from the system's random source, and a checksum:
//! CRC-32 (IEEE) over the preceding 58 characters, as six base62 digits, most significant first. The total length is
//! 64 characters.
//!
//! The secret has 297 random bits and needs no slow hash, so only its SHA-256 is stored. The checksum rejects typing
//! errors before any lookup. It is not a security measure.
//!
//! This module depends on no other module of the workspace, so that every crate can use it.

use sha2::{Digest as _, Sha256};
use std::{fmt, str::FromStr};
use zeroize::Zeroizing;

/// Length of a secret, in characters.
pub const LENGTH: usize = 64;
const PREFIX_LENGTH: usize = 8;
const CHECKSUM_LENGTH: usize = 6;
/// Length of the prefix and the random part, which the checksum covers, in characters.
const COVERED: usize = LENGTH - CHECKSUM_LENGTH;
/// Length of the preview that may be shown later, in characters: the prefix and four more.
const PREVIEW: usize = PREFIX_LENGTH + 4;
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Environment of a secret, encoded in its prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Live,
    Test,
}

impl Mode {
    const fn prefix(self) -> &'static str {
        match self {
            Self::Live => "kw_live_",
            Self::Test => "kw_test_",
        }
    }
}

/// A new secret, in clear. Zeroized on drop. It has no `Display` and a redacted `Debug`.
#[derive(Clone)]
pub struct PlainSecret(Zeroizing<String>);

impl PlainSecret {
    /// Generates a secret. `fill` fills a buffer from the system's random source.
    pub fn generate(mode: Mode, mut fill: impl FnMut(&mut [u8])) -> Self {
        let mut text = Zeroizing::new(String::with_capacity(LENGTH));
        text.push_str(mode.prefix());
        let mut bytes = Zeroizing::new([0_u8; 64]);
        while text.len() < COVERED {
            fill(bytes.as_mut());
            // 248 is the greatest multiple of 62 in a byte. Using greater values would make some characters more
            // likely.
            for byte in bytes.iter().filter(|b| **b < 248).take(COVERED - text.len()) {
                text.push(char::from(ALPHABET[usize::from(byte % 62)]));
            }
        }
        let sum = checksum(text.as_bytes());
        text.extend(sum.iter().map(|b| char::from(*b)));
        Self(text)
    }

    /// The secret in clear, for the only response that contains it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The prefix and four characters, which are enough to recognize a key.
    pub fn preview(&self) -> &str {
        &self.0[..PREVIEW]
    }

    /// Returns the digest to store.
    pub fn digest(&self) -> Digest {
        Digest::from_text(&self.0)
    }
}

impl fmt::Debug for PlainSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PlainSecret(…)")
    }
}

/// SHA-256 of all 64 characters.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    fn from_text(text: &str) -> Self {
        Self(Sha256::digest(text.as_bytes()).into())
    }

    /// The bytes to store.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest(…)")
    }
}

/// A well-formed secret from a request. Only its digest is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PresentedSecret {
    pub mode: Mode,
    pub digest: Digest,
}

/// Format error of a secret, one variant per cause. No variant contains any part of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    #[error("A key has 64 characters.")]
    Length,
    #[error("A key begins with kw_live_ or kw_test_.")]
    Prefix,
    /// The position starts at one and counts characters, without white space at the ends.
    #[error(
        "The key contains a character that is not a letter (a to z, A to Z) or a digit, at position {at}. Copy the key again; some \
         letters of other alphabets look the same."
    )]
    Alphabet { at: usize },
    #[error("The key's checksum does not match: at least one character is wrong. Copy the key again.")]
    Checksum,
}

impl FromStr for PresentedSecret {
    type Err = Malformed;

    /// Ignores ASCII white space at the ends, because a key is often copied with its line break. Only the rest is
    /// hashed, so that all spellings of a key are one key for the cache and the rate limits.
    fn from_str(text: &str) -> Result<Self, Malformed> {
        let text = text.trim_ascii();
        let mode = [Mode::Live, Mode::Test].into_iter().find(|mode| text.starts_with(mode.prefix()));
        let Some(mode) = mode else { return Err(without_prefix(text)) };
        // Checks bytes first for speed: every request with a key runs this code.
        if !text.bytes().skip(PREFIX_LENGTH).all(|byte| byte.is_ascii_alphanumeric()) {
            let at = text.chars().skip(PREFIX_LENGTH).take_while(char::is_ascii_alphanumeric).count();
            return Err(Malformed::Alphabet { at: PREFIX_LENGTH + at + 1 });
        }
        if text.len() != LENGTH {
            return Err(Malformed::Length);
        }
        let (covered, sum) = text.as_bytes().split_at(COVERED);
        if checksum(covered) != sum {
            return Err(Malformed::Checksum);
        }
        Ok(Self { mode, digest: Digest::from_text(text) })
    }
}

/// Returns the error of a text without a valid prefix.
fn without_prefix(text: &str) -> Malformed {
    // A letter of another alphabet in the prefix can look correct, so report its position.
    match text.chars().take(PREFIX_LENGTH).position(|c| !c.is_ascii()) {
        Some(at) => Malformed::Alphabet { at: at + 1 },
        None if text.chars().count() == LENGTH => Malformed::Prefix,
        None => Malformed::Length,
    }
}

/// CRC-32 (IEEE, as zlib) as six base62 digits, most significant first, padded with `0`.
fn checksum(covered: &[u8]) -> [u8; CHECKSUM_LENGTH] {
    let mut rest = crc32fast::hash(covered);
    let mut digits = [b'0'; CHECKSUM_LENGTH];
    for digit in digits.iter_mut().rev() {
        *digit = ALPHABET[(rest % 62) as usize];
        rest /= 62;
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The test vectors of `docs/reference/secret-format.md`, with their SHA-256. They follow a pattern and belong to no key.
    const VECTORS: [(&str, &str); 2] = [
        (
            "kw_live_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmn2f8raQ",
            "7a5a3b5c8fe27faf13a15b2b9d3fe27862b069a60610f839150b311661012b01",
        ),
        (
            "kw_test_zyxwvutsrqponmlkjihgfedcbaZYXWVUTSRQPONMLKJIHGFEDC35itPk",
            "b69c5a6ecc306228b12d6cf846e5646c45a030a621a37b3f60d109bc65127483",
        ),
    ];

    #[test]
    fn the_published_vectors_hold() {
        for ((text, sha256), mode) in VECTORS.into_iter().zip([Mode::Live, Mode::Test]) {
            let presented: PresentedSecret = text.parse().unwrap();
            assert_eq!(presented.mode, mode);
            assert_eq!(hex::encode(presented.digest.as_bytes()), sha256);
        }
    }

    fn secret(mode: Mode, seed: u64) -> PlainSecret {
        // A deterministic generator makes the test reproducible.
        let mut state = seed | 1;
        PlainSecret::generate(mode, |bytes| {
            for byte in bytes {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                *byte = (state >> 56) as u8;
            }
        })
    }

    fn modes() -> impl Strategy<Value = Mode> {
        prop_oneof![Just(Mode::Live), Just(Mode::Test)]
    }

    proptest! {
        #[test]
        fn what_is_made_is_accepted(mode in modes(), seed: u64) {
            let plain = secret(mode, seed);
            prop_assert_eq!(plain.expose().len(), LENGTH);
            let presented: PresentedSecret = plain.expose().parse().unwrap();
            prop_assert_eq!(presented.mode, mode);
            prop_assert_eq!(presented.digest, plain.digest());
            prop_assert!(plain.expose().starts_with(plain.preview()));
        }

        /// Every position with every other printable character is rejected before any lookup.
        #[test]
        fn every_single_change_is_refused(mode in modes(), seed: u64) {
            let plain = secret(mode, seed);
            for place in 0..LENGTH {
                for other in (b' '..=b'~').filter(|b| *b != plain.expose().as_bytes()[place]) {
                    let mut text = plain.expose().as_bytes().to_vec();
                    text[place] = other;
                    let text = String::from_utf8(text).unwrap();
                    prop_assert!(text.parse::<PresentedSecret>().is_err(), "{} at {}", char::from(other), place);
                }
            }
        }

        #[test]
        fn any_text_is_answered_without_a_panic(text in "\\PC{0,80}") {
            let _ = text.parse::<PresentedSecret>();
        }
    }

    #[test]
    fn each_fault_has_its_error() {
        let plain = secret(Mode::Live, 7);
        let text = plain.expose();
        assert_eq!(text[1..].parse::<PresentedSecret>(), Err(Malformed::Length));
        assert_eq!(format!("sk{}", &text[2..]).parse::<PresentedSecret>(), Err(Malformed::Prefix));
        assert_eq!(
            format!("{}é{}", &text[..20], &text[22..]).parse::<PresentedSecret>(),
            Err(Malformed::Alphabet { at: 21 })
        );
        assert_eq!(format!("{}000000", &text[..58]).parse::<PresentedSecret>(), Err(Malformed::Checksum));
    }

    /// 64 characters with one non-ASCII letter are 65 bytes. The message contains the position and no part of the key.
    #[test]
    fn a_letter_of_another_alphabet_is_named_by_its_place() {
        let plain = secret(Mode::Live, 7);
        let text = plain.expose();
        for (at, letter) in [(1, 'к'), (9, 'а'), (30, 'О'), (64, 'е'), (40, '\u{200B}'), (20, ' '), (12, '-')] {
            let mut letters: Vec<char> = text.chars().collect();
            letters[at - 1] = letter;
            let wrong: String = letters.into_iter().collect();
            let fault = format!("\n{wrong} ").parse::<PresentedSecret>().unwrap_err();
            assert_eq!(fault, Malformed::Alphabet { at }, "{letter:?}");
            let words = fault.to_string();
            assert!(words.contains(&format!("at position {at}.")) && !words.contains(&text[8..12]), "{words}");
        }
        assert_eq!(
            format!("{}\n{}", &text[..40], &text[40..]).parse::<PresentedSecret>(),
            Err(Malformed::Alphabet { at: 41 })
        );
    }

    #[test]
    fn white_space_at_the_ends_does_not_count() {
        let plain = secret(Mode::Test, 9);
        for (before, after) in [("", "\n"), (" ", ""), ("\r\n\t ", " \x0c\r\n")] {
            let presented: PresentedSecret = format!("{before}{}{after}", plain.expose()).parse().unwrap();
            assert_eq!(presented.digest, plain.digest());
        }
        // Only ASCII white space is ignored. Other white space is part of the text.
        assert!(format!("\u{a0}{}", plain.expose()).parse::<PresentedSecret>().is_err());
    }

    #[test]
    fn debug_shows_nothing() {
        let plain = secret(Mode::Live, 7);
        assert_eq!(format!("{plain:?} {:?}", plain.digest()), "PlainSecret(…) Digest(…)");
    }
}
