//! Schemas of the OAuth endpoints.

use utoipa::ToSchema;

/// A token response (RFC 6749 section 5.1, RFC 8693 section 2.2.1).
#[derive(serde::Deserialize, ToSchema)]
pub struct OAuthToken {
    access_token: String,
    #[schema(value_type = String, required = false)]
    issued_token_type: Option<String>,
    #[schema(pattern = "^Bearer$")]
    token_type: String,
    /// Lifetime in seconds.
    #[schema(minimum = 1)]
    expires_in: i64,
    scope: String,
}

/// An error response (RFC 6749 section 5.2).
#[derive(serde::Deserialize, ToSchema)]
pub struct OAuthError {
    #[schema(pattern = "^[a-z_]+$")]
    error: String,
    error_description: String,
    /// The stable reason code, as in the verify API.
    #[schema(value_type = String, required = false)]
    code: Option<String>,
}

/// A token request. The required parameters depend on the grant type. Each parameter can occur at most once.
#[derive(serde::Deserialize, ToSchema)]
pub struct OAuthTokenRequest {
    /// `client_credentials`, `authorization_code`, `urn:ietf:params:oauth:grant-type:token-exchange` or
    /// `urn:ietf:params:oauth:grant-type:device_code`.
    grant_type: String,
    /// Separated by spaces. Default: all scopes available for the resource.
    #[schema(value_type = String, required = false)]
    scope: Option<String>,
    /// `<public URL>/projects/<id>`, or `<public URL>/v1` for management (RFC 8707).
    #[schema(value_type = String, required = false)]
    resource: Option<String>,
    /// Lifetime in seconds. Default: one hour. Limited by the key, grant, or token from which the token is issued.
    #[schema(value_type = i64, required = false, minimum = 1)]
    expires_in: Option<i64>,
    /// `key:<id>`, unless the client authenticates by HTTP Basic. For an authorization code or device code, the
    /// `client_id` of the application.
    #[schema(value_type = String, required = false)]
    client_id: Option<String>,
    #[schema(value_type = String, required = false)]
    client_secret: Option<String>,
    /// For an authorization code (RFC 6749 section 4.1.3): the code, the redirect URI of the request, and the verifier
    /// of its code challenge (RFC 7636).
    #[schema(value_type = String, required = false)]
    code: Option<String>,
    #[schema(value_type = String, required = false)]
    redirect_uri: Option<String>,
    #[schema(value_type = String, required = false)]
    code_verifier: Option<String>,
    /// For a device authorization (RFC 8628 section 3.4).
    #[schema(value_type = String, required = false)]
    device_code: Option<String>,
    /// For a token exchange: an access token or a key’s secret.
    #[schema(value_type = String, required = false)]
    subject_token: Option<String>,
    /// `urn:ietf:params:oauth:token-type:access_token` or `urn:keyward:token-type:key`.
    #[schema(value_type = String, required = false)]
    subject_token_type: Option<String>,
}

/// A device authorization request (RFC 8628 section 3.1). Each parameter can occur at most once.
#[derive(serde::Deserialize, ToSchema)]
pub struct DeviceRequest {
    /// `client:<id>`, as registered by a project owner.
    client_id: String,
    /// Separated by spaces.
    #[schema(value_type = String, required = false)]
    scope: Option<String>,
    /// `<public URL>/projects/<id>` (RFC 8707).
    #[schema(value_type = String, required = false)]
    resource: Option<String>,
}

/// A device authorization response (RFC 8628 section 3.2).
#[derive(serde::Deserialize, ToSchema)]
pub struct DeviceAuthorization {
    device_code: String,
    /// The code that the user enters.
    #[schema(pattern = "^[A-Z]{4}-[A-Z]{4}$")]
    user_code: String,
    verification_uri: String,
    verification_uri_complete: String,
    /// Lifetime in seconds.
    #[schema(minimum = 1)]
    expires_in: i64,
    /// Minimum interval between polls, in seconds.
    #[schema(minimum = 1)]
    interval: i64,
}

/// A token and the client’s credentials.
#[derive(serde::Deserialize, ToSchema)]
pub struct IntrospectOrRevokeRequest {
    token: String,
    #[schema(value_type = String, required = false)]
    token_type_hint: Option<String>,
    #[schema(value_type = String, required = false)]
    client_id: Option<String>,
    #[schema(value_type = String, required = false)]
    client_secret: Option<String>,
}

/// An introspection response (RFC 7662 section 2.2). For an inactive token it contains only `active`.
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

/// Authorization server metadata (RFC 8414 section 2).
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
    /// The URL of the signed list of revoked tokens.
    keyward_revoked_tokens_uri: String,
}

/// Protected resource metadata (RFC 9728 section 2).
#[derive(serde::Deserialize, ToSchema)]
pub struct ResourceMetadata {
    /// The identifier of the resource, as in `resource` and `aud`.
    resource: String,
    authorization_servers: Vec<String>,
    bearer_methods_supported: Vec<String>,
    #[schema(value_type = Vec<String>, required = false)]
    scopes_supported: Option<Vec<String>>,
    resource_documentation: String,
}
