//! Bearer token of a request (RFC 6750 section 2.1): from the header only, never from the query.

use super::{oauth_error::sanitize_description, problem::Problem};
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

/// Builds a challenge (RFC 6750 section 3). `error` is its code and its description: `None` for a request without a
/// credential (section 3.1). An invalid request is not a matter of scopes, so its challenge names none.
pub(crate) fn build_challenge(realm: &str, error: Option<(&str, &str)>, scope: Option<&str>) -> String {
    let mut challenge = format!(r#"Bearer realm="{realm}""#);
    if let Some((error, description)) = error {
        let description = sanitize_description(description);
        challenge.push_str(&format!(r#", error="{error}", error_description="{description}""#));
    }
    let is_invalid_request = matches!(error, Some(("invalid_request", _)));
    if let Some(scope) = scope.filter(|_| !is_invalid_request) {
        challenge.push_str(&format!(r#", scope="{}""#, sanitize_description(scope)));
    }
    challenge
}

/// Deny response of the management API, with a challenge.
pub fn challenge_problem(
    status: StatusCode,
    code: &'static str,
    words: &str,
    error: Option<&str>,
    scope: Option<&str>,
) -> Problem {
    let challenge = build_challenge("management", error.map(|error| (error, words)), scope);
    Problem::new(status, code, words).header(header::WWW_AUTHENTICATE, &challenge)
}
