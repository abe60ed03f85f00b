//! The secret of a key, in three types: made ([`PlainSecret`]), presented ([`PresentedSecret`]), stored ([`Digest`]).
//!
//! A secret is `kw_live_` or `kw_test_`, 50 characters of base62 from the system's random source, and a checksum: CRC-32 (IEEE)
//! over the 58 characters before it, as six base62 digits, most significant first. 64 characters in all.
//! The 297 random bits need no slow hash, so only SHA-256 is stored. The checksum refuses typing errors before any look-up; it
//! protects nothing.
//!
//! Imports nothing of ours, so that every room of the server may use it.

use sha2::{Digest as _, Sha256};
use std::{fmt, str::FromStr};
use zeroize::Zeroizing;

/// Characters in a secret.
pub const LENGTH: usize = 64;
const PREFIX_LENGTH: usize = 8;
const CHECKSUM_LENGTH: usize = 6;
/// Characters of the prefix and the random part: what the checksum covers.
const COVERED: usize = LENGTH - CHECKSUM_LENGTH;
/// Characters of a secret that may be shown again: the prefix and four more.
const PREVIEW: usize = PREFIX_LENGTH + 4;
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The world that a secret opens, as its prefix says it.
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

/// A new secret, in clear. Wiped when dropped; no `Display`, and `Debug` shows nothing.
#[derive(Clone)]
pub struct PlainSecret(Zeroizing<String>);

impl PlainSecret {
    /// Makes a secret. `fill` fills a buffer from the system's random source.
    pub fn generate(mode: Mode, mut fill: impl FnMut(&mut [u8])) -> Self {
        let mut text = Zeroizing::new(String::with_capacity(LENGTH));
        text.push_str(mode.prefix());
        let mut bytes = Zeroizing::new([0_u8; 64]);
        while text.len() < COVERED {
            fill(bytes.as_mut());
            // 248 is the greatest multiple of 62 that a byte can hold: beyond it some letters would come more often.
            for byte in bytes.iter().filter(|b| **b < 248).take(COVERED - text.len()) {
                text.push(char::from(ALPHABET[usize::from(byte % 62)]));
            }
        }
        let sum = checksum(text.as_bytes());
        text.extend(sum.iter().map(|b| char::from(*b)));
        Self(text)
    }

    /// The secret in clear, for the one answer that carries it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The prefix and four characters: enough to recognise a key by.
    pub fn preview(&self) -> &str {
        &self.0[..PREVIEW]
    }

    /// What is stored.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.0)
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
    fn of(text: &str) -> Self {
        Self(Sha256::digest(text.as_bytes()).into())
    }

    /// As the store takes it.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest(…)")
    }
}

/// A well-formed secret that somebody presented: all that is kept of it is its digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PresentedSecret {
    pub mode: Mode,
    pub digest: Digest,
}

/// Why a text cannot be a secret: one error a format fault. None holds any of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    #[error("A key has 64 characters.")]
    Length,
    #[error("A key begins with kw_live_ or kw_test_.")]
    Prefix,
    /// The place is counted from one, in characters, without the white space at the ends.
    #[error(
        "The key contains a character that is not a letter (a to z, A to Z) or a digit, at position {at}. Copy the key again; some \
         letters of other alphabets look the same."
    )]
    Alphabet { at: usize },
    #[error("The key's checksum does not fit: a character was lost or changed.")]
    Checksum,
}

impl FromStr for PresentedSecret {
    type Err = Malformed;

    /// White space (ASCII) at the ends does not count: a key is often copied with the end of its line. What is left is what is
    /// hashed, so that every way of writing a key is one key to the cache and the limits.
    fn from_str(text: &str) -> Result<Self, Malformed> {
        let text = text.trim_ascii();
        let mode = [Mode::Live, Mode::Test].into_iter().find(|mode| text.starts_with(mode.prefix()));
        let Some(mode) = mode else { return Err(without_prefix(text)) };
        // By bytes first: every request with a key passes here.
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
        Ok(Self { mode, digest: Digest::of(text) })
    }
}

/// What is wrong with a text that does not begin as a key does.
fn without_prefix(text: &str) -> Malformed {
    // A letter of another alphabet in the prefix looks as it should.
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

    /// The two vectors of the README, with their SHA-256. Both are made of a pattern, not of random bytes: they open nothing.
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
        // A small generator, so that the test is the same each time.
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

        /// Every place, every other printable character: refused before any look-up.
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

    /// 64 characters of which one is of another alphabet are 65 bytes: the message names the place, and nothing of the key.
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
        // Only that of ASCII: other blanks are characters.
        assert!(format!("\u{a0}{}", plain.expose()).parse::<PresentedSecret>().is_err());
    }

    #[test]
    fn debug_shows_nothing() {
        let plain = secret(Mode::Live, 7);
        assert_eq!(format!("{plain:?} {:?}", plain.digest()), "PlainSecret(…) Digest(…)");
    }
}
