//! The bearer token of a request (RFC 6750 section 2.1): in the header alone, never in the query.

use super::problem::Problem;
use axum::http::{HeaderMap, StatusCode, header};

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

/// A refusal with its challenge (RFC 6750 section 3). Nobody said who they are: it names no error (section 3.1).
pub fn challenged(
    status: StatusCode,
    code: &'static str,
    words: &str,
    error: Option<&str>,
    scope: Option<&str>,
) -> Problem {
    let mut challenge = r#"Bearer realm="management""#.to_owned();
    if let Some(error) = error {
        // What may stand in a quoted value there: %x20-21 / %x23-5B / %x5D-7E.
        let plain: String =
            words.chars().map(|c| if matches!(c, ' ' | '!' | '#'..='[' | ']'..='~') { c } else { '\'' }).collect();
        challenge.push_str(&format!(r#", error="{error}", error_description="{plain}""#));
    }
    if let Some(scope) = scope.filter(|_| error != Some("invalid_request")) {
        challenge.push_str(&format!(r#", scope="{scope}""#));
    }
    Problem::new(status, code, words).header(header::WWW_AUTHENTICATE, &challenge)
}
