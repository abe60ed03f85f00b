//! Extractors that authenticate a management client by the bearer token of its request.

use crate::{
    http::{
        AppState,
        bearer::{Bearer, challenged},
        problem::Problem,
        quota,
    },
    service::{
        actor::{Origin, Program},
        program::{READ, WRITE},
        tokens::TokenRefused,
        verify::Refused,
    },
};
use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, StatusCode, request::Parts},
};

/// A client that may read the keys of its project.
pub struct Reads(pub Program);

/// A client that may read and change them.
pub struct Writes(pub Program);

impl FromRequestParts<AppState> for Reads {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        program(parts, state, READ).await.map(Self)
    }
}

impl FromRequestParts<AppState> for Writes {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        program(parts, state, WRITE).await.map(Self)
    }
}

/// Returns the bearer token of a request. Exactly one is allowed.
fn bearer<'h>(headers: &'h HeaderMap, scope: &'static str) -> Result<&'h str, Problem> {
    match Bearer::of(headers) {
        Bearer::One(token) => Ok(token),
        Bearer::Several => {
            let words = "The request carries more than one token. Send one Authorization header.";
            let (status, error) = (StatusCode::BAD_REQUEST, Some("invalid_request"));
            Err(challenged(status, "several_credentials", words, error, Some(scope)))
        }
        Bearer::Nothing => {
            let words =
                "Send an access token for management: Authorization: Bearer … POST /oauth/token makes one of a key.";
            Err(challenged(StatusCode::UNAUTHORIZED, "missing_token", words, None, Some(scope)))
        }
    }
}

async fn program(parts: &Parts, state: &AppState, scope: &'static str) -> Result<Program, Problem> {
    let token = bearer(&parts.headers, scope)?;
    let checked = state.app.tokens.management(token, scope).await?;
    let accepted = checked.map_err(|why| refused(&why, scope))?;
    if scope == WRITE && accepted.token.as_ref().is_some_and(|token| token.holder.grant_id().is_some()) {
        // A key limits the privileges of the keys it creates. A grant has no key, so no limit can be derived.
        let words =
            "Keys are made and changed with a token that a key was exchanged for, not with one that a person allowed.";
        return Err(Problem::new(StatusCode::FORBIDDEN, "key_needed", words));
    }
    let origin = parts.extensions.get::<Origin>().cloned().unwrap_or_default();
    Ok(accepted.program(origin))
}

/// Converts a denied token, or a denied key behind it, into a response.
fn refused(why: &TokenRefused, scope: &'static str) -> Problem {
    let (status, error) = match why {
        TokenRefused::Key(Refused::RateLimited(limit)) => return quota::problem(StatusCode::TOO_MANY_REQUESTS, limit),
        TokenRefused::Key(Refused::MissingScope(_)) | TokenRefused::Scope(_) => {
            (StatusCode::FORBIDDEN, "insufficient_scope")
        }
        _ => (StatusCode::UNAUTHORIZED, "invalid_token"),
    };
    challenged(status, why.code(), &why.to_string(), Some(error), Some(scope))
}
