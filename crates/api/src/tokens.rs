//! `POST /authentication/token`: exchanges a key for a short-lived access token. Also serves the JWK set of the signing
//! keys.

use axum::{
    Extension,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use keyward_edge::{
    json::{Json, JsonInteger},
    problem::Problem,
    rate_limit_headers,
};
use keyward_service::{
    Services,
    actor::Origin,
    tokens::{DAY_LIFE, ExchangeDenyReason, TokenParameters},
    verify::DenyReason,
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
    expires_in: Option<JsonInteger>,
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
    State(app): State<Services>,
    Extension(origin): Extension<Origin>,
    Json(request): Json<TokenRequest>,
) -> Result<Response, Problem> {
    let life = request.expires_in.map(|JsonInteger(life)| life);
    if life.is_some_and(|life| life < 1) {
        return Err(Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "invalid_body",
            "expires_in must be a whole number of seconds, at least 1.",
        ));
    }
    let wish = TokenParameters::for_own_project(life.unwrap_or(DAY_LIFE));
    let issued =
        app.tokens.exchange(&request.secret_key, origin.ip, &wish).await?.map_err(|refused| match refused {
            ExchangeDenyReason::Key(DenyReason::RateLimited(limit)) => {
                rate_limit_headers::problem(StatusCode::TOO_MANY_REQUESTS, &limit)
            }
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
pub async fn jwks(State(app): State<Services>) -> Result<Response, Problem> {
    let keys = app.tokens.fresh_jwks().await?;
    Ok(([(header::CACHE_CONTROL, "public, max-age=300")], axum::Json(keys)).into_response())
}
