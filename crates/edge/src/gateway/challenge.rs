//! Deny responses for a gateway's client, with a `WWW-Authenticate` challenge (RFC 6750 section 3).

use super::request::GatewayRequest;
use crate::{bearer::build_challenge, problem::Problem};
use axum::http::{StatusCode, header};
use keyward_verify::{tokens::TokenDenyReason, verify::DenyReason};

/// Response to a request without a credential. The challenge has no error code (RFC 6750 section 3.1).
pub fn missing_credential(request: &GatewayRequest<'_>) -> Problem {
    let words = "Send an API key or an access token: Authorization: Bearer …";
    challenge_problem(StatusCode::UNAUTHORIZED, "missing_credential", words, None, request)
}

/// Response to a request with more than one key or token.
///
/// RFC 6750 specifies 400 for this case. The status is 401 because gateways turn 400 into a server error of their own.
pub fn several_credentials(request: &GatewayRequest<'_>) -> Problem {
    let words = "The request contains more than one key or token. Send exactly one.";
    challenge_problem(StatusCode::UNAUTHORIZED, "several_credentials", words, Some("invalid_request"), request)
}

/// Response to a credential that is denied for any reason except the rate limit.
pub fn denied(why: &TokenDenyReason, request: &GatewayRequest<'_>) -> Problem {
    let (status, error) = match why {
        TokenDenyReason::Key(DenyReason::MissingScope(_)) | TokenDenyReason::Scope(_) => {
            (StatusCode::FORBIDDEN, "insufficient_scope")
        }
        // The credential is valid, but not for this project or network. A retry cannot succeed, so there is no
        // challenge.
        TokenDenyReason::Key(DenyReason::WrongProject | DenyReason::WrongNetwork) => {
            return Problem::new(StatusCode::FORBIDDEN, why.code(), why.to_string());
        }
        _ => (StatusCode::UNAUTHORIZED, "invalid_token"),
    };
    challenge_problem(status, why.code(), &why.to_string(), Some(error), request)
}

fn challenge_problem(
    status: StatusCode,
    code: &'static str,
    words: &str,
    error: Option<&str>,
    request: &GatewayRequest<'_>,
) -> Problem {
    let scopes = request.scopes().join(" ");
    let scope = (!scopes.is_empty()).then_some(scopes.as_str());
    let challenge = build_challenge("api", error.map(|error| (error, words)), scope);
    Problem::new(status, code, words).header(header::WWW_AUTHENTICATE, &challenge)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderMap;

    fn challenge_of(query: &str, problem: impl Fn(&GatewayRequest<'_>) -> Problem) -> (u16, String) {
        let (uri, headers) = (format!("/v1/auth{query}").parse().unwrap(), HeaderMap::new());
        let problem = problem(&GatewayRequest::parse(&uri, &headers, None).unwrap());
        let challenge = problem.headers.iter().find(|(name, _)| name == header::WWW_AUTHENTICATE);
        (problem.status.as_u16(), challenge.map(|(_, value)| value.to_str().unwrap().to_owned()).unwrap_or_default())
    }

    #[test]
    fn challenges_are_those_of_the_rfc() {
        assert_eq!(challenge_of("", missing_credential), (401, r#"Bearer realm="api""#.into()));
        assert_eq!(
            challenge_of("?scope=a:read", missing_credential),
            (401, r#"Bearer realm="api", scope="a:read""#.into())
        );
        let (status, challenge) = challenge_of("?scope=a", several_credentials);
        assert_eq!(status, 401);
        assert!(challenge.starts_with(r#"Bearer realm="api", error="invalid_request", error_description="The"#));
        let expired = |request: &GatewayRequest<'_>| denied(&TokenDenyReason::Expired, request);
        assert!(
            challenge_of("", expired).1.starts_with(r#"Bearer realm="api", error="invalid_token", error_description="#)
        );
        let lacks = |request: &GatewayRequest<'_>| {
            denied(&TokenDenyReason::Key(DenyReason::MissingScope("b\"é".into())), request)
        };
        let (status, challenge) = challenge_of("?scope=a+b%22%C3%A9", lacks);
        assert_eq!(status, 403);
        assert!(challenge.contains(r#"error="insufficient_scope""#), "{challenge}");
        assert!(challenge.ends_with(r#", scope="a b''""#), "{challenge}");
        let elsewhere = |request: &GatewayRequest<'_>| denied(&TokenDenyReason::Key(DenyReason::WrongNetwork), request);
        assert_eq!(challenge_of("", elsewhere), (403, String::new()));
    }
}
