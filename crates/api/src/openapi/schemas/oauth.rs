//! Schemas of the OAuth endpoints.

use utoipa::ToSchema;

/// A token by OAuth (RFC 6749 section 5.1, RFC 8693 section 2.2.1).
#[derive(serde::Deserialize, ToSchema)]
pub struct OAuthToken {
    access_token: String,
    #[schema(value_type = String, required = false)]
    issued_token_type: Option<String>,
    #[schema(pattern = "^Bearer$")]
    token_type: String,
    /// Seconds.
    #[schema(minimum = 1)]
    expires_in: i64,
    scope: String,
}

/// A refusal (RFC 6749 section 5.2).
#[derive(serde::Deserialize, ToSchema)]
pub struct OAuthError {
    #[schema(pattern = "^[a-z_]+$")]
    error: String,
    error_description: String,
    /// Stable: the rule that refused, as verify names it.
    #[schema(value_type = String, required = false)]
    code: Option<String>,
}

/// What is asked for, by grant type. Each parameter at most once.
#[derive(serde::Deserialize, ToSchema)]
pub struct OAuthTokenRequest {
    /// `client_credentials`, `authorization_code`, `urn:ietf:params:oauth:grant-type:token-exchange` or
    /// `urn:ietf:params:oauth:grant-type:device_code`.
    grant_type: String,
    /// With spaces between; all that are for the target, if it is left out.
    #[schema(value_type = String, required = false)]
    scope: Option<String>,
    /// `<public URL>/projects/<id>`, or `<public URL>/v1` for management (RFC 8707).
    #[schema(value_type = String, required = false)]
    resource: Option<String>,
    /// Seconds; an hour if it is left out, and never longer than what the token is made of.
    #[schema(value_type = i64, required = false, minimum = 1)]
    expires_in: Option<i64>,
    /// `key:<id>`, if the client does not prove itself by HTTP Basic; of a program that a person allowed, the one it asked by.
    #[schema(value_type = String, required = false)]
    client_id: Option<String>,
    #[schema(value_type = String, required = false)]
    client_secret: Option<String>,
    /// With a code (RFC 6749 section 4.1.3): the code, where it was sent, and what its challenge was made of (RFC 7636).
    #[schema(value_type = String, required = false)]
    code: Option<String>,
    #[schema(value_type = String, required = false)]
    redirect_uri: Option<String>,
    #[schema(value_type = String, required = false)]
    code_verifier: Option<String>,
    /// Of a device that waits for an answer (RFC 8628 section 3.4).
    #[schema(value_type = String, required = false)]
    device_code: Option<String>,
    /// In an exchange: a token, or a key’s secret.
    #[schema(value_type = String, required = false)]
    subject_token: Option<String>,
    /// `urn:ietf:params:oauth:token-type:access_token` or `urn:keyward:token-type:key`.
    #[schema(value_type = String, required = false)]
    subject_token_type: Option<String>,
}

/// A device that asks a person (RFC 8628 section 3.1). Each parameter at most once.
#[derive(serde::Deserialize, ToSchema)]
pub struct DeviceRequest {
    /// `client:<id>`, as an owner of the project registered it.
    client_id: String,
    /// With spaces between.
    #[schema(value_type = String, required = false)]
    scope: Option<String>,
    /// `<public URL>/projects/<id>` (RFC 8707).
    #[schema(value_type = String, required = false)]
    resource: Option<String>,
}

/// What a device shows and asks with (RFC 8628 section 3.2).
#[derive(serde::Deserialize, ToSchema)]
pub struct DeviceAuthorization {
    device_code: String,
    /// What the person types.
    #[schema(pattern = "^[A-Z]{4}-[A-Z]{4}$")]
    user_code: String,
    verification_uri: String,
    verification_uri_complete: String,
    /// Seconds.
    #[schema(minimum = 1)]
    expires_in: i64,
    /// Seconds between two questions, at least.
    #[schema(minimum = 1)]
    interval: i64,
}

/// A token, and who asks.
#[derive(serde::Deserialize, ToSchema)]
pub struct TokenQuestion {
    token: String,
    #[schema(value_type = String, required = false)]
    token_type_hint: Option<String>,
    #[schema(value_type = String, required = false)]
    client_id: Option<String>,
    #[schema(value_type = String, required = false)]
    client_secret: Option<String>,
}

/// What is known of a token (RFC 7662 section 2.2); of one that is not good, `active` alone.
#[derive(serde::Deserialize, ToSchema)]
pub struct Introspection {
    active: bool,
    #[schema(value_type = String, required = false)]
    scope: Option<String>,
    #[schema(value_type = String, required = false)]
    client_id: Option<String>,
    #[schema(value_type = String, required = false)]
    token_type: Option<String>,
    #[schema(value_type = i64, required = false)]
    exp: Option<i64>,
    #[schema(value_type = i64, required = false)]
    iat: Option<i64>,
    #[schema(value_type = String, required = false)]
    sub: Option<String>,
    #[schema(value_type = String, required = false)]
    aud: Option<String>,
    #[schema(value_type = String, required = false)]
    iss: Option<String>,
    #[schema(value_type = String, required = false, format = "uuid")]
    jti: Option<String>,
    #[schema(value_type = String, required = false, format = "uuid")]
    project_id: Option<String>,
    #[schema(value_type = String, required = false, format = "uuid")]
    grant_id: Option<String>,
}

/// What an OAuth client needs to know (RFC 8414 section 2).
#[derive(serde::Deserialize, ToSchema)]
pub struct OAuthMetadata {
    issuer: String,
    token_endpoint: String,
    jwks_uri: String,
    grant_types_supported: Vec<String>,
    response_types_supported: Vec<String>,
    authorization_endpoint: String,
    device_authorization_endpoint: String,
    introspection_endpoint: String,
    revocation_endpoint: String,
    token_endpoint_auth_methods_supported: Vec<String>,
    introspection_endpoint_auth_methods_supported: Vec<String>,
    revocation_endpoint_auth_methods_supported: Vec<String>,
    response_modes_supported: Vec<String>,
    code_challenge_methods_supported: Vec<String>,
    /// RFC 9207.
    authorization_response_iss_parameter_supported: bool,
    /// Where the signed list of revoked tokens is.
    keyward_revoked_tokens_uri: String,
}

/// What a client that was refused needs to know of a resource (RFC 9728 section 2).
#[derive(serde::Deserialize, ToSchema)]
pub struct ResourceMetadata {
    /// As `resource` and `aud` name it.
    resource: String,
    authorization_servers: Vec<String>,
    bearer_methods_supported: Vec<String>,
    #[schema(value_type = Vec<String>, required = false)]
    scopes_supported: Option<Vec<String>>,
    resource_documentation: String,
}
