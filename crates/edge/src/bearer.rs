//! Bearer token of a request (RFC 6750 section 2.1): from the header only, never from the query.

use super::problem::Problem;
use axum::http::{HeaderMap, StatusCode, header};

/// Bearer tokens of a request.
pub enum Bearer<'h> {
    Missing,
    Token(&'h str),
    Several,
}

impl<'h> Bearer<'h> {
    /// Extracts the token. Another scheme or an empty token counts as [`Self::Missing`].
    pub fn from_headers(headers: &'h HeaderMap) -> Self {
        let mut all = headers.get_all(header::AUTHORIZATION).iter();
        let (first, second) = (all.next(), all.next());
        if second.is_some() {
            return Self::Several;
        }
        let text = first.and_then(|value| value.to_str().ok()).and_then(|value| strip_scheme(value.as_bytes()));
        text.and_then(|text| std::str::from_utf8(text).ok())
            .filter(|text| !text.is_empty())
            .map_or(Self::Missing, Self::Token)
    }
}

/// Returns the value after the `Bearer` scheme. The scheme is case-insensitive (RFC 9110 section 11.1).
pub fn strip_scheme(value: &[u8]) -> Option<&[u8]> {
    let at = value.iter().position(|byte| *byte == b' ')?;
    let (scheme, text) = value.split_at(at);
    scheme.eq_ignore_ascii_case(b"bearer").then(|| text.trim_ascii())
}

/// Deny response with a challenge (RFC 6750 section 3). Without a credential the challenge has no error code (section
/// 3.1).
pub fn challenge_problem(
    status: StatusCode,
    code: &'static str,
    words: &str,
    error: Option<&str>,
    scope: Option<&str>,
) -> Problem {
    let mut challenge = r#"Bearer realm="management""#.to_owned();
    if let Some(error) = error {
        // RFC 6750 allows these characters in the quoted value: %x20-21 / %x23-5B / %x5D-7E.
        let plain: String =
            words.chars().map(|c| if matches!(c, ' ' | '!' | '#'..='[' | ']'..='~') { c } else { '\'' }).collect();
        challenge.push_str(&format!(r#", error="{error}", error_description="{plain}""#));
    }
    if let Some(scope) = scope.filter(|_| error != Some("invalid_request")) {
        challenge.push_str(&format!(r#", scope="{scope}""#));
    }
    Problem::new(status, code, words).header(header::WWW_AUTHENTICATE, &challenge)
}
