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
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim()).filter(|token| !token.is_empty())
}

/// A refusal with its challenge (RFC 6750 section 3).
fn refused(why: &TokenRefused) -> Problem {
    let challenge =
        format!(r#"Bearer error="invalid_token", error_description="{}""#, why.to_string().replace('"', "'"));
    Problem::new(StatusCode::UNAUTHORIZED, why.code(), why.to_string()).header(header::WWW_AUTHENTICATE, &challenge)
}

/// The config, as it was saved.
pub async fn config(State(app): State<App>, Path(id): Path<String>, headers: HeaderMap) -> Result<Response, Problem> {
    let Some(token) = bearer(&headers) else {
        let detail = "Send an access token of this project: Authorization: Bearer …";
        return Err(
            Problem::new(StatusCode::UNAUTHORIZED, "missing_token", detail).header(header::WWW_AUTHENTICATE, "Bearer")
        );
    };
    // An id that is none is the audience of no token: the same answer as for a project that is not theirs.
    let id: ProjectId = id.parse().map_err(|_| refused(&TokenRefused::WrongAudience))?;
    app.tokens.check(token, id).await?.map_err(|why| refused(&why))?;
    let config = app.projects.config(id).await?;
    Ok(([(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")], config).into_response())
}
