//! Extractors that authenticate a management client by the bearer token of its request.

use crate::ApiState;
use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, StatusCode, request::Parts},
};
use keyward_edge::{
    bearer::{Bearer, challenge_problem},
    problem::Problem,
    rate_limit_headers,
    request_span::RequestSpan,
};
use keyward_service::{
    actor::{ManagementClient, Origin},
    management_client::{READ_SCOPE, WRITE_SCOPE},
    tokens::TokenDenyReason,
    verify::DenyReason,
};

/// A client that may read the keys of its project.
pub struct CanRead(pub ManagementClient);

/// A client that may read and change them.
pub struct CanWrite(pub ManagementClient);

impl FromRequestParts<ApiState> for CanRead {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Problem> {
        authenticate(parts, state, READ_SCOPE).await.map(Self)
    }
}

impl FromRequestParts<ApiState> for CanWrite {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Problem> {
        authenticate(parts, state, WRITE_SCOPE).await.map(Self)
    }
}

/// Returns the bearer token of a request. Exactly one is allowed.
fn bearer_token<'h>(headers: &'h HeaderMap, scope: &'static str) -> Result<&'h str, Problem> {
    match Bearer::from_headers(headers) {
        Bearer::Token(token) => Ok(token),
        Bearer::Several => {
            let words = "The request contains more than one token. Send exactly one Authorization header.";
            let (status, error) = (StatusCode::BAD_REQUEST, Some("invalid_request"));
            Err(challenge_problem(status, "several_credentials", words, error, Some(scope)))
        }
        Bearer::Missing => {
            let words = "Send a management token: Authorization: Bearer … Exchange a key for one at POST /oauth/token.";
            Err(challenge_problem(StatusCode::UNAUTHORIZED, "missing_token", words, None, Some(scope)))
        }
    }
}

async fn authenticate(parts: &Parts, state: &ApiState, scope: &'static str) -> Result<ManagementClient, Problem> {
    let token = bearer_token(&parts.headers, scope)?;
    let checked = state.app.tokens.check_for_management(token, scope).await?;
    let accepted = checked.map_err(|why| denied_response(&why, scope))?;
    if scope == WRITE_SCOPE && accepted.token.as_ref().is_some_and(|token| token.subject.grant_id().is_some()) {
        // A key limits the privileges of the keys it creates. A grant has no key, so no limit can be derived.
        let words =
            "To create or change keys, use a token that was issued for a key. This token was issued for a user grant.";
        return Err(Problem::new(StatusCode::FORBIDDEN, "key_needed", words));
    }
    let origin = parts.extensions.get::<Origin>().cloned().unwrap_or_default();
    let client = accepted.management_client(origin);
    if let Some(span) = parts.extensions.get::<RequestSpan>() {
        span.set_actor(client.subject);
    }
    Ok(client)
}

/// Converts a denied token, or a denied key behind it, into a response.
fn denied_response(why: &TokenDenyReason, scope: &'static str) -> Problem {
    let (status, error) = match why {
        TokenDenyReason::Key(DenyReason::RateLimited(limit)) => {
            return rate_limit_headers::problem(StatusCode::TOO_MANY_REQUESTS, limit);
        }
        TokenDenyReason::Key(DenyReason::MissingScope(_)) | TokenDenyReason::Scope(_) => {
            (StatusCode::FORBIDDEN, "insufficient_scope")
        }
        _ => (StatusCode::UNAUTHORIZED, "invalid_token"),
    };
    challenge_problem(status, why.code(), &why.to_string(), Some(error), Some(scope))
}
