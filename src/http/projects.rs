//! A project's config, for whoever holds a token of that project.

use super::problem::Problem;
use crate::{
    domain::ids::ProjectId,
    service::{App, tokens::TokenRefused},
};
use axum::{
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};

/// The bearer token of a request (RFC 6750 section 2.1): the header alone, never the query.
fn bearer(headers: &HeaderMap) -> Result<&str, Problem> {
    let mut all = headers.get_all(header::AUTHORIZATION).iter();
    let (first, second) = (all.next(), all.next());
    if second.is_some() {
        let words = "The request carries more than one token. Send one Authorization header.";
        return Err(Problem::new(StatusCode::BAD_REQUEST, "several_credentials", words)
            .header(header::WWW_AUTHENTICATE, r#"Bearer error="invalid_request""#));
    }
    let split = first.and_then(|value| value.to_str().ok()).and_then(|value| value.split_once(' '));
    let token = split.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, token)| token.trim());
    token.filter(|token| !token.is_empty()).ok_or_else(|| {
        let words = "Send an access token of this project: Authorization: Bearer …";
        Problem::new(StatusCode::UNAUTHORIZED, "missing_token", words).header(header::WWW_AUTHENTICATE, "Bearer")
    })
}

/// A refusal with its challenge (RFC 6750 section 3).
fn refused(why: &TokenRefused) -> Problem {
    let challenge =
        format!(r#"Bearer error="invalid_token", error_description="{}""#, why.to_string().replace('"', "'"));
    Problem::new(StatusCode::UNAUTHORIZED, why.code(), why.to_string()).header(header::WWW_AUTHENTICATE, &challenge)
}

/// The config, as it was saved.
pub async fn config(State(app): State<App>, Path(id): Path<String>, headers: HeaderMap) -> Result<Response, Problem> {
    let token = bearer(&headers)?;
    // An id that is none is the audience of no token: the same answer as for a project that is not theirs.
    let id: ProjectId = id.parse().map_err(|_| refused(&TokenRefused::WrongAudience))?;
    app.tokens.check(token, id).await?.map_err(|why| refused(&why))?;
    let config = app.projects.config(id).await?;
    Ok(([(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")], config).into_response())
}
