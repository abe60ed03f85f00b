//! `POST /oauth/token`: the token endpoint (RFC 6749 section 3.2).

use super::{
    authorization_code, client_credentials, device_code,
    error::{OAuthError, never_kept},
    form::Form,
    grant_type::GrantType,
    token_exchange,
};
use crate::service::{App, actor::Origin, tokens::Issued};
use axum::{
    Extension,
    extract::State,
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use serde::Serialize;

/// A token request with everything that a grant type can need.
pub struct TokenRequest {
    pub app: App,
    pub origin: Origin,
    pub headers: HeaderMap,
    pub form: Form,
}

/// Successful token response (RFC 6749 section 5.1).
#[derive(Serialize)]
struct TokenResponse<'a> {
    access_token: &'a str,
    /// RFC 8693 section 2.2.1.
    #[serde(skip_serializing_if = "Option::is_none")]
    issued_token_type: Option<&'static str>,
    token_type: &'static str,
    expires_in: i64,
    scope: &'a str,
}

/// Handles a token request: dispatches to the grant type.
pub async fn token(
    State(app): State<App>,
    Extension(origin): Extension<Origin>,
    headers: HeaderMap,
    form: Form,
) -> Result<Response, OAuthError> {
    let asked = TokenRequest { app, origin, headers, form };
    let name = asked.form.need("grant_type")?;
    let unknown = || OAuthError::bad("unsupported_grant_type", "This server does not know this grant_type.");
    match GrantType::of(name).ok_or_else(unknown)? {
        GrantType::ClientCredentials => client_credentials::answer(&asked).await,
        GrantType::AuthorizationCode => authorization_code::answer(&asked).await,
        GrantType::DeviceCode => device_code::answer(&asked).await,
        GrantType::TokenExchange => token_exchange::answer(&asked).await,
    }
}

/// Returns the response with a token. `kind`: the issued token type of RFC 8693, in a token exchange.
pub fn issued(issued: &Issued, kind: Option<&'static str>) -> Response {
    let body = TokenResponse {
        access_token: &issued.access_token,
        issued_token_type: kind,
        token_type: "Bearer",
        expires_in: issued.expires_in,
        scope: &issued.scope,
    };
    never_kept(axum::Json(body).into_response())
}
