//! `GET /.well-known/oauth-authorization-server`: authorization server metadata (RFC 8414). A test compares every
//! endpoint with the route table.

use super::grant_type::GrantType;
use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use keyward_service::Services;
use serde_json::json;

/// The authentication methods of a key as the client.
const BY_SECRET: [&str; 2] = ["client_secret_basic", "client_secret_post"];

/// Returns the metadata. Unsupported features are left out.
pub async fn metadata(State(app): State<Services>) -> Response {
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
