//! User code of a device (RFC 8628 section 6.1): eight letters without vowels, so that it spells no word.

use crate::{one_time_tokens, random::Random};

const LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
const LENGTH: usize = 8;

/// A user code: its eight letters without the hyphen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct UserCode(String);

impl UserCode {
    /// Generates a code with 34 bits of entropy. It is valid for minutes and for few attempts.
    pub fn generate(random: &dyn Random) -> Self {
        let mut text = String::with_capacity(LENGTH);
        let mut bytes = [0; 16];
        while text.len() < LENGTH {
            random.fill(&mut bytes);
            // 240 is the largest multiple of 20 within a byte. Higher values would make some letters more frequent.
            let even = bytes.iter().filter(|byte| **byte < 240).take(LENGTH - text.len());
            text.extend(even.map(|byte| char::from(LETTERS[usize::from(byte % 20)])));
        }
        Self(text)
    }

    /// Parses a typed code, in any case, and ignores white space and punctuation.
    pub fn parse(typed: &str) -> Option<Self> {
        let text: String = typed
            .chars()
            .filter(|c| !c.is_whitespace() && !c.is_ascii_punctuation())
            .take(LENGTH + 1)
            .map(|c| c.to_ascii_uppercase())
            .collect();
        let right = text.len() == LENGTH && text.bytes().all(|b| LETTERS.contains(&b));
        right.then_some(Self(text))
    }

    /// Returns the code as it is shown: `WDJB-MJHT`.
    pub fn formatted(&self) -> String {
        let (left, right) = self.0.split_at(LENGTH / 2);
        format!("{left}-{right}")
    }

    /// Returns the digest that is stored.
    pub fn digest(&self) -> [u8; 32] {
        one_time_tokens::digest(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandom;

    #[test]
    fn what_is_shown_can_be_typed() {
        for _ in 0..100 {
            let code = UserCode::generate(&SystemRandom);
            let shown = code.formatted();
            assert_eq!((shown.len(), shown.as_bytes()[4]), (9, b'-'));
            for typed in [shown.clone(), shown.to_lowercase(), shown.replace('-', " "), format!(" {} ", code.0)] {
                assert_eq!(UserCode::parse(&typed), Some(code.clone()), "{typed}");
            }
        }
        for bad in ["", "WDJB-MJH", "WDJB-MJHTT", "AEIO-UAEI", "WDJB-MJH7", "ШDJB-MJHT"] {
            assert_eq!(UserCode::parse(bad), None, "{bad}");
        }
    }
}
