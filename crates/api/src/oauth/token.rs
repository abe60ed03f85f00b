//! `POST /oauth/token`: the token endpoint (RFC 6749 section 3.2).

use super::{authorization_code, client_credentials, device_code, form::Form, grant_type::GrantType, token_exchange};
use axum::{
    Extension,
    extract::State,
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use keyward_edge::oauth_error::{OAuthError, no_store};
use keyward_service::{Services, actor::Origin, tokens::Issued};
use serde::Serialize;

/// A token request with everything that a grant type can need.
pub struct TokenRequest {
    pub app: Services,
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
    State(app): State<Services>,
    Extension(origin): Extension<Origin>,
    headers: HeaderMap,
    form: Form,
) -> Result<Response, OAuthError> {
    let request = TokenRequest { app, origin, headers, form };
    let name = request.form.require("grant_type")?;
    let unknown = || OAuthError::bad_request("unsupported_grant_type", "This grant_type is not supported.");
    match GrantType::from_name(name).ok_or_else(unknown)? {
        GrantType::ClientCredentials => client_credentials::handle(&request).await,
        GrantType::AuthorizationCode => authorization_code::handle(&request).await,
        GrantType::DeviceCode => device_code::handle(&request).await,
        GrantType::TokenExchange => token_exchange::handle(&request).await,
    }
}

/// Returns the response with a token. `kind`: the issued token type of RFC 8693, in a token exchange.
pub fn token_response(issued: &Issued, kind: Option<&'static str>) -> Response {
    let body = TokenResponse {
        access_token: &issued.access_token,
        issued_token_type: kind,
        token_type: "Bearer",
        expires_in: issued.expires_in,
        scope: &issued.scope,
    };
    no_store(axum::Json(body).into_response())
}
