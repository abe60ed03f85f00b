//! Deny responses for a gateway's client, with a `WWW-Authenticate` challenge (RFC 6750 section 3).

use super::question::Asked;
use crate::problem::Problem;
use axum::http::{StatusCode, header};
use keyward_verify::{tokens::TokenRefused, verify::Refused};

/// Response to a request without a credential. The challenge has no error code (RFC 6750 section 3.1).
pub fn nothing_presented(asked: &Asked<'_>) -> Problem {
    let words = "Send your API key, or an access token: Authorization: Bearer …";
    challenged(StatusCode::UNAUTHORIZED, "missing_credential", words, None, asked)
}

/// Response to a request with more than one key or token.
///
/// RFC 6750 specifies 400 for this case. The status is 401 because gateways turn 400 into a server error of their own.
pub fn several_presented(asked: &Asked<'_>) -> Problem {
    let words = "The request carries more than one key or token. Send one, in one place.";
    challenged(StatusCode::UNAUTHORIZED, "several_credentials", words, Some("invalid_request"), asked)
}

/// Response to a credential that is denied for any reason except the rate limit.
pub fn refused(why: &TokenRefused, asked: &Asked<'_>) -> Problem {
    let (status, error) = match why {
        TokenRefused::Key(Refused::MissingScope(_)) | TokenRefused::Scope(_) => {
            (StatusCode::FORBIDDEN, "insufficient_scope")
        }
        // The credential is valid, but not for this project or network. A retry cannot succeed, so there is no
        // challenge.
        TokenRefused::Key(Refused::WrongProject | Refused::WrongNetwork) => {
            return Problem::new(StatusCode::FORBIDDEN, why.code(), why.to_string());
        }
        _ => (StatusCode::UNAUTHORIZED, "invalid_token"),
    };
    challenged(status, why.code(), &why.to_string(), Some(error), asked)
}

fn challenged(status: StatusCode, code: &'static str, words: &str, error: Option<&str>, asked: &Asked<'_>) -> Problem {
    let mut challenge = r#"Bearer realm="api""#.to_owned();
    if let Some(error) = error {
        challenge.push_str(&format!(r#", error="{error}", error_description="{}""#, plain(words)));
    }
    if !asked.scopes().is_empty() && error != Some("invalid_request") {
        challenge.push_str(&format!(r#", scope="{}""#, plain(&asked.scopes().join(" "))));
    }
    Problem::new(status, code, words).header(header::WWW_AUTHENTICATE, &challenge)
}

/// Replaces characters that a quoted challenge parameter cannot contain. RFC 6750 allows %x20-21 / %x23-5B / %x5D-7E.
fn plain(words: &str) -> String {
    words.chars().map(|c| if matches!(c, ' ' | '!' | '#'..='[' | ']'..='~') { c } else { '\'' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderMap;

    fn said(query: &str, problem: impl Fn(&Asked<'_>) -> Problem) -> (u16, String) {
        let (uri, headers) = (format!("/v1/auth{query}").parse().unwrap(), HeaderMap::new());
        let problem = problem(&Asked::read(&uri, &headers, None).unwrap());
        let challenge = problem.headers.iter().find(|(name, _)| name == header::WWW_AUTHENTICATE);
        (problem.status.as_u16(), challenge.map(|(_, value)| value.to_str().unwrap().to_owned()).unwrap_or_default())
    }

    #[test]
    fn challenges_are_those_of_the_rfc() {
        assert_eq!(said("", nothing_presented), (401, r#"Bearer realm="api""#.into()));
        assert_eq!(said("?scope=a:read", nothing_presented), (401, r#"Bearer realm="api", scope="a:read""#.into()));
        let (status, challenge) = said("?scope=a", several_presented);
        assert_eq!(status, 401);
        assert!(challenge.starts_with(r#"Bearer realm="api", error="invalid_request", error_description="The"#));
        let expired = |asked: &Asked<'_>| refused(&TokenRefused::Expired, asked);
        assert!(said("", expired).1.starts_with(r#"Bearer realm="api", error="invalid_token", error_description="#));
        let lacks = |asked: &Asked<'_>| refused(&TokenRefused::Key(Refused::MissingScope("b\"é".into())), asked);
        let (status, challenge) = said("?scope=a+b%22%C3%A9", lacks);
        assert_eq!(status, 403);
        assert!(challenge.contains(r#"error="insufficient_scope""#), "{challenge}");
        assert!(challenge.ends_with(r#", scope="a b''""#), "{challenge}");
        let elsewhere = |asked: &Asked<'_>| refused(&TokenRefused::Key(Refused::WrongNetwork), asked);
        assert_eq!(said("", elsewhere), (403, String::new()));
    }
}
