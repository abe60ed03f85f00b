//! The bearer token of a request (RFC 6750 section 2.1): in the header alone, never in the query.

use axum::http::{HeaderMap, header};

/// What a request carries.
pub enum Bearer<'h> {
    Nothing,
    One(&'h str),
    Several,
}

impl<'h> Bearer<'h> {
    /// Another scheme is nothing, and so is a token without a character.
    pub fn of(headers: &'h HeaderMap) -> Self {
        let mut all = headers.get_all(header::AUTHORIZATION).iter();
        let (first, second) = (all.next(), all.next());
        if second.is_some() {
            return Self::Several;
        }
        let text = first.and_then(|value| value.to_str().ok()).and_then(|value| behind(value.as_bytes()));
        text.and_then(|text| std::str::from_utf8(text).ok())
            .filter(|text| !text.is_empty())
            .map_or(Self::Nothing, Self::One)
    }
}

/// What stands behind the scheme, whose name has no case (RFC 9110 section 11.1).
pub fn behind(value: &[u8]) -> Option<&[u8]> {
    let at = value.iter().position(|byte| *byte == b' ')?;
    let (scheme, text) = value.split_at(at);
    scheme.eq_ignore_ascii_case(b"bearer").then(|| text.trim_ascii())
}
