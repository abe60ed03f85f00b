//! Project config endpoint, for callers with an access token of the project.

use axum::{
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use keyward_domain::ids::ProjectId;
use keyward_edge::{bearer::Bearer, problem::Problem};
use keyward_service::{Services, tokens::TokenDenyReason};

/// Returns the bearer token of a request.
fn bearer_token(headers: &HeaderMap) -> Result<&str, Problem> {
    let (status, code, words, challenge) = match Bearer::from_headers(headers) {
        Bearer::Token(token) => return Ok(token),
        Bearer::Several => {
            let words = "The request contains more than one token. Send one Authorization header.";
            (StatusCode::BAD_REQUEST, "several_credentials", words, r#"Bearer error="invalid_request""#)
        }
        Bearer::Missing => {
            let words = "The access token is missing. Send an access token of this project: Authorization: Bearer …";
            (StatusCode::UNAUTHORIZED, "missing_token", words, "Bearer")
        }
    };
    Err(Problem::new(status, code, words).header(header::WWW_AUTHENTICATE, challenge))
}

/// Returns the response for a denied token with its challenge (RFC 6750 section 3).
fn denied_response(why: &TokenDenyReason) -> Problem {
    let challenge =
        format!(r#"Bearer error="invalid_token", error_description="{}""#, why.to_string().replace('"', "'"));
    Problem::new(StatusCode::UNAUTHORIZED, why.code(), why.to_string()).header(header::WWW_AUTHENTICATE, &challenge)
}

/// Returns the config exactly as it was saved.
pub async fn config(
    State(app): State<Services>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let token = bearer_token(&headers)?;
    // A malformed id is not the audience of any token, so the response is the same as for another project.
    let id = ProjectId::parse_exact(&id).ok_or_else(|| denied_response(&TokenDenyReason::WrongAudience))?;
    app.tokens.check_for_project(token, id).await?.map_err(|why| denied_response(&why))?;
    let config = app.projects.config(id).await?;
    Ok(([(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")], config).into_response())
}
