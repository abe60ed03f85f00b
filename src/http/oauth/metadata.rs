//! `GET /.well-known/oauth-authorization-server` (RFC 8414): what a client needs to know of this server. A test holds every address
//! against the table of routes.

use super::grant_type::GrantType;
use crate::service::App;
use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use serde_json::json;

/// How a key proves itself.
const BY_SECRET: [&str; 2] = ["client_secret_basic", "client_secret_post"];

/// The metadata. What is not said is not there.
pub async fn metadata(State(app): State<App>) -> Response {
    let issuer = app.config.public_url.to_string();
    let at = |path: &str| format!("{issuer}{path}");
    let grant_types: Vec<_> = GrantType::ALL.iter().map(|it| it.as_str()).collect();
    let body = json!({
        "issuer": issuer,
        "token_endpoint": at("/oauth/token"),
        "token_endpoint_auth_methods_supported": [BY_SECRET[0], BY_SECRET[1], "none"],
        "grant_types_supported": grant_types,
        "authorization_endpoint": at("/authorize"),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query", "web_message"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
        "device_authorization_endpoint": at("/oauth/device_authorization"),
        "introspection_endpoint": at("/oauth/introspect"),
        "introspection_endpoint_auth_methods_supported": [BY_SECRET[0], BY_SECRET[1], "Bearer"],
        "revocation_endpoint": at("/oauth/revoke"),
        "revocation_endpoint_auth_methods_supported": [BY_SECRET[0], BY_SECRET[1], "none"],
        "jwks_uri": at("/.well-known/jwks.json"),
        "keyward_revoked_tokens_uri": at("/.well-known/revoked-tokens"),
    });
    ([(header::CACHE_CONTROL, "public, max-age=300")], axum::Json(body)).into_response()
}
