//! Request ids: the id from a trusted proxy, or a generated one.

use super::{client::Client, logged::has_secret};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use keyward_core::random::Random;
use std::sync::atomic::{AtomicU64, Ordering};

pub const NAME: HeaderName = HeaderName::from_static("x-request-id");
/// Crockford's base32 alphabet in lowercase.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const PREFIX: &[u8; 4] = b"req_";
/// Number of base32 digits for 64 bits.
const DIGITS: usize = 13;
/// Length from which an id of a proxy is rejected, in bytes. API keys have this length.
const LENGTH_END: usize = 64;

/// Generator of request ids.
///
/// Ids are unique within a process, and very probably across processes. Random bytes are read once for the seed, not
/// for each id: a request id is not a secret.
#[derive(Debug)]
pub struct RequestIds(AtomicU64);

impl RequestIds {
    pub fn new(random: &dyn Random) -> Self {
        let mut seed = [0; 8];
        random.fill(&mut seed);
        Self(AtomicU64::new(u64::from_le_bytes(seed)))
    }

    /// Returns the id of a request: the one from a trusted proxy if it is valid, otherwise a new one.
    pub fn for_request(&self, client: &Client<'_>, headers: &HeaderMap) -> HeaderValue {
        match headers.get(NAME).filter(|given| client.is_forwarded && is_acceptable(given.as_bytes())) {
            Some(given) => given.clone(),
            None => self.next(),
        }
    }

    /// Generates the next id with SplitMix64: a golden-ratio step and a bijective mix, so that no two steps have the
    /// same result.
    fn next(&self) -> HeaderValue {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut mixed = self.0.fetch_add(STEP, Ordering::Relaxed);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        let mut id = [0; PREFIX.len() + DIGITS];
        id[..PREFIX.len()].copy_from_slice(PREFIX);
        for digit in id[PREFIX.len()..].iter_mut().rev() {
            *digit = ALPHABET[(mixed & 31) as usize];
            mixed >>= 5;
        }
        HeaderValue::from_bytes(&id).unwrap_or(HeaderValue::from_static("req_"))
    }
}

/// Whether an id is acceptable: 1 to 63 letters, digits, `-`, `_` or `.`, so that it is safe in logs and headers. An id
/// that looks like a secret is rejected, because a client may have sent one in the wrong header.
fn is_acceptable(id: &[u8]) -> bool {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    (1..LENGTH_END).contains(&id.len())
        && id.iter().all(is_plain)
        && std::str::from_utf8(id).is_ok_and(|id| !has_secret(id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use keyward_core::random::SystemRandom;
    use std::collections::HashSet;

    #[test]
    fn no_two_are_the_same() {
        let ids = RequestIds::new(&SystemRandom);
        let made: HashSet<_> = (0..100_000).map(|_| ids.next()).collect();
        assert_eq!(made.len(), 100_000);
        assert!(
            made.iter().all(|id| id.len() == 17 && id.as_bytes().starts_with(b"req_") && is_acceptable(id.as_bytes()))
        );
    }

    #[test]
    fn what_a_proxy_gives_is_plain_and_short() {
        for fine in ["7f3c9a", "018f-0000", "req_0", "A.b", &"x".repeat(63)] {
            assert!(is_acceptable(fine.as_bytes()), "{fine}");
        }
        for wrong in [
            "",
            "a b",
            "a\tb",
            "\"a\"",
            "é",
            "a,b",
            "{}",
            &"x".repeat(64),
            "kw_live_0123",
            "KW_TEST_0",
            "id.kw_live_a",
            "eyJhbGciOiJFZERTQSJ9",
        ] {
            assert!(!is_acceptable(wrong.as_bytes()), "{wrong}");
        }
    }
}
