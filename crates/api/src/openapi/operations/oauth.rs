//! Operations of the OAuth endpoints.

use super::{Operation, Security, schema};
use serde_json::{Value, json};

fn post(path: &'static str, id: &'static str, summary: &'static str, body: &str, example: Value) -> Operation {
    Operation::new("POST", path, id, "Tokens", summary).with_security(Security::Client).form_body(body, example)
}

/// Description of a 429 for a key that authenticates a client.
const LIMIT: &str = "The rate limit of the client’s key is exceeded: `code` is `rate_limited`.";

/// Adds the error responses of RFC 6749 section 5.2, and those of the middleware.
fn with_oauth_errors(operation: Operation, too_often: &'static str) -> Operation {
    let error = || schema("OAuthError");
    operation
        .typed_response("400", "application/json", error(), "The request is not valid. `error` has the reason.")
        .typed_response(
            "401",
            "application/json",
            error(),
            "The client is not authenticated: `invalid_client` or `invalid_token`.",
        )
        .response_header("WWW-Authenticate", "A challenge (RFC 7617 or RFC 6750 section 3).")
        .typed_response("429", "application/json", error(), too_often)
        .response_header("Retry-After", "Seconds until the next request can succeed.")
        .default_response()
}

/// Returns the operation of a protected resource metadata endpoint.
fn resource(path: &'static str, id: &'static str, summary: &'static str) -> Operation {
    Operation::new("GET", path, id, "Tokens", summary)
        .with_description("The `resource_metadata` parameter of a bearer challenge has the URL of this document.")
        .json_response("200", "ResourceMetadata", "The metadata.")
        .default_response()
}

pub fn all() -> Vec<Operation> {
    let get = |path, id, summary| Operation::new("GET", path, id, "Tokens", summary);
    vec![
        with_oauth_errors(
            post(
                "/oauth/token",
                "issueToken",
                "Request a token (OAuth 2.0)",
                "OAuthTokenRequest",
                json!("grant_type=client_credentials&scope=data:read"),
            )
            .with_description(
                "Grant types: client credentials (the client is `key:<id>` with the key’s secret), token exchange (RFC 8693), \
                 authorization code with PKCE (RFC 7636), and device code (RFC 8628). Scopes that start with `keyward:` are \
                 for management and need a token of their own.",
            )
            .json_response("200", "OAuthToken", "The token.")
            .response_header("Cache-Control", "no-store"),
            LIMIT,
        ),
        Operation::new("POST", "/oauth/device_authorization", "beginDevice", "Tokens", "Start a device authorization (RFC 8628)")
            .with_description("The device shows the code and the URL, and polls `/oauth/token` until the user has responded.")
            .form_body("DeviceRequest", json!("client_id=client:…&scope=data:read"))
            .json_response("200", "DeviceAuthorization", "The codes, the URLs, and the polling interval.")
            .response_header("Cache-Control", "no-store")
            .typed_response("400", "application/json", schema("OAuthError"), "The request is not valid. `error` has the reason.")
            .typed_response("401", "application/json", schema("OAuthError"), "The client is unknown: `error` is `invalid_client`.")
            .response_header("WWW-Authenticate", "A challenge (RFC 7617).")
            .typed_response("429", "application/json", schema("OAuthError"), "Too many device authorizations from this address or of this application.")
            .response_header("Retry-After", "Seconds until the next request can succeed.")
            .default_response(),
        with_oauth_errors(
            post("/oauth/introspect", "introspectToken", "Introspect a token (RFC 7662)", "IntrospectOrRevokeRequest", json!("token=ey…"))
                .with_description("The caller authenticates as a key, or with a key or token as the bearer token. It can introspect tokens of its own project.")
                .json_response("200", "Introspection", "Whether the token is active, and its claims."),
            LIMIT,
        ),
        with_oauth_errors(
            post("/oauth/revoke", "revokeToken", "Revoke a token (RFC 7009)", "IntrospectOrRevokeRequest", json!("token=ey…"))
                .with_description("A token of a key is revoked by that key, a token of a public client by anyone who has it. An expired or unknown token is not an error.")
                .empty_response("200", "The token is revoked, or was not valid before."),
            "1,000 tokens of the key were revoked within a day. Deactivate the key to block all of its tokens.",
        ),
        get("/.well-known/oauth-authorization-server", "readMetadata", "Read the authorization server metadata (RFC 8414)")
            .json_response("200", "OAuthMetadata", "The metadata.")
            .default_response(),
        resource("/.well-known/oauth-protected-resource", "readResourceMetadata", "Read the resource metadata of this server (RFC 9728)"),
        resource("/.well-known/oauth-protected-resource/v1", "readManagementMetadata", "Read the resource metadata of the management API (RFC 9728)"),
        resource("/.well-known/oauth-protected-resource/projects/{id}", "readProjectMetadata", "Read the resource metadata of a project (RFC 9728)"),
        get("/.well-known/revoked-tokens", "readRevokedTokens", "Read the signed list of revoked tokens")
            .with_description("For APIs that verify tokens offline. The `typ` of the JWT is `keyward-revoked+jwt`.")
            .header("If-None-Match", false, "The `ETag` of an earlier response.")
            .typed_response("200", "application/jwt", json!({"type": "string"}), "A signed JWT.")
            .response_header("ETag", "The version of the list.")
            .empty_response("304", "Not modified.")
            .default_response(),
    ]
}
