//! Operations of the OAuth endpoints.

use super::{Operation, Security, schema};
use serde_json::{Value, json};

fn post(path: &'static str, id: &'static str, summary: &'static str, body: &str, example: Value) -> Operation {
    Operation::new("POST", path, id, "Tokens", summary).with_security(Security::Client).form_body(body, example)
}

/// Description of a 429 for a key that authenticates a client.
const LIMIT: &str = "The key’s limit: `code` is `rate_limited`.";

/// Adds the error responses of RFC 6749 section 5.2, and those of the middleware.
fn with_oauth_errors(operation: Operation, too_often: &'static str) -> Operation {
    let error = || schema("OAuthError");
    operation
        .typed_response("400", "application/json", error(), "What was asked is not right: `error` says what.")
        .typed_response(
            "401",
            "application/json",
            error(),
            "It was not proved who asks: `invalid_client` or `invalid_token`.",
        )
        .response_header("WWW-Authenticate", "RFC 7617, or RFC 6750 section 3.")
        .typed_response("429", "application/json", error(), too_often)
        .response_header("Retry-After", "Seconds.")
        .default_response()
}

/// Returns the operation of a protected resource metadata endpoint.
fn resource(path: &'static str, id: &'static str, summary: &'static str) -> Operation {
    Operation::new("GET", path, id, "Tokens", summary)
        .with_description("A bearer challenge names this address in `resource_metadata`.")
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
                "Get a token by OAuth 2.0",
                "OAuthTokenRequest",
                json!("grant_type=client_credentials&scope=data:read"),
            )
            .with_description(
                "Client credentials (the client is `key:<id>`, its secret the key’s), token exchange (RFC 8693), and what a person \
                 allowed: a code with PKCE (RFC 7636), or a device’s (RFC 8628). Scopes that begin with `keyward:` are for \
                 management, and have a token of their own.",
            )
            .json_response("200", "OAuthToken", "The token.")
            .response_header("Cache-Control", "no-store"),
            LIMIT,
        ),
        Operation::new("POST", "/oauth/device_authorization", "beginDevice", "Tokens", "Ask a person from a device (RFC 8628)")
            .with_description("The device shows the code and the address, and asks at /oauth/token until the person has answered.")
            .form_body("DeviceRequest", json!("client_id=client:…&scope=data:read"))
            .json_response("200", "DeviceAuthorization", "What to show, and what to ask with.")
            .response_header("Cache-Control", "no-store")
            .typed_response("400", "application/json", schema("OAuthError"), "What was asked is not right: `error` says what.")
            .typed_response("401", "application/json", schema("OAuthError"), "No such client: `error` is `invalid_client`.")
            .response_header("WWW-Authenticate", "RFC 7617.")
            .typed_response("429", "application/json", schema("OAuthError"), "Too many devices began at this address, or of this program.")
            .response_header("Retry-After", "Seconds.")
            .default_response(),
        with_oauth_errors(
            post("/oauth/introspect", "introspectToken", "Ask about a token (RFC 7662)", "TokenQuestion", json!("token=ey…"))
                .with_description("Whoever asks shows a key, or a key or a token as a bearer, and may ask about tokens of its own project.")
                .json_response("200", "Introspection", "Whether it is good now, and what it says."),
            LIMIT,
        ),
        with_oauth_errors(
            post("/oauth/revoke", "revokeToken", "Revoke a token (RFC 7009)", "TokenQuestion", json!("token=ey…"))
                .with_description("By the key that it is of; one of a public client by whoever holds it. One that is over is no error.")
                .empty_response("200", "It is good no more, or never was."),
            "A thousand tokens of the key were revoked within a day. Deactivate it: that ends all of them.",
        ),
        get("/.well-known/oauth-authorization-server", "readMetadata", "Read what an OAuth client needs to know (RFC 8414)")
            .json_response("200", "OAuthMetadata", "The metadata.")
            .default_response(),
        resource("/.well-known/oauth-protected-resource", "readResourceMetadata", "Read who issues tokens for this Keyward (RFC 9728)"),
        resource("/.well-known/oauth-protected-resource/v1", "readManagementMetadata", "Read who issues tokens for management (RFC 9728)"),
        resource("/.well-known/oauth-protected-resource/projects/{id}", "readProjectMetadata", "Read who issues tokens for a project (RFC 9728)"),
        get("/.well-known/revoked-tokens", "readRevokedTokens", "Read the signed list of revoked tokens")
            .with_description("For whoever checks tokens without asking; its `typ` is `keyward-revoked+jwt`.")
            .header("If-None-Match", false, "The `ETag` of the list that you have.")
            .typed_response("200", "application/jwt", json!({"type": "string"}), "A signed JWT.")
            .response_header("ETag", "Which list this is.")
            .empty_response("304", "You have it.")
            .default_response(),
    ]
}
