//! `POST /authentication/token`: exchanges a key for a short-lived access token. Also serves the JWK set of the signing
//! keys.

use super::{
    json::{Json, Whole},
    problem::Problem,
    quota,
};
use crate::service::{
    App,
    actor::Origin,
    tokens::{DAY_LIFE, ExchangeRefused, Wish},
    verify::Refused,
};
use axum::{
    Extension,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// The request body.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenRequest {
    secret_key: Zeroizing<String>,
    /// Token lifetime in seconds. Default: a day.
    #[serde(default)]
    expires_in: Option<Whole>,
}

/// The response body (RFC 6749 section 5.1).
#[derive(Serialize)]
struct TokenResponse {
    access_token: String,
    token_type: &'static str,
    expires_in: i64,
    scope: String,
}

/// Exchanges a key for a token.
pub async fn exchange(
    State(app): State<App>,
    Extension(origin): Extension<Origin>,
    Json(asked): Json<TokenRequest>,
) -> Result<Response, Problem> {
    let life = asked.expires_in.map(|Whole(life)| life);
    if life.is_some_and(|life| life < 1) {
        return Err(Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "invalid_body",
            "expires_in is a number of seconds, 1 or more.",
        ));
    }
    let wish = Wish::of_project(life.unwrap_or(DAY_LIFE));
    let issued = app.tokens.exchange(&asked.secret_key, origin.ip, &wish).await?.map_err(|refused| match refused {
        ExchangeRefused::Key(Refused::RateLimited(limit)) => quota::problem(StatusCode::TOO_MANY_REQUESTS, &limit),
        // RFC 9110 section 15.5.2: a 401 must contain a challenge.
        refused => Problem::new(StatusCode::UNAUTHORIZED, refused.code(), refused.to_string())
            .header(header::WWW_AUTHENTICATE, r#"Keyward realm="authentication""#),
    })?;
    let body = TokenResponse {
        access_token: issued.access_token,
        token_type: "Bearer",
        expires_in: issued.expires_in,
        scope: issued.scope,
    };
    Ok(([(header::CACHE_CONTROL, "no-store")], axum::Json(body)).into_response())
}

/// Returns the JWK set.
pub async fn jwks(State(app): State<App>) -> Result<Response, Problem> {
    let keys = app.tokens.fresh_jwks().await?;
    Ok(([(header::CACHE_CONTROL, "public, max-age=300")], axum::Json(keys)).into_response())
}
