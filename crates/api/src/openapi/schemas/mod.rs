//! Schemas of the document: those derived from request and response types, and mirrors of the types of the fast path,
//! whose members borrow.
#![allow(dead_code, reason = "only the schemas of these types are used")]

mod oauth;

use crate::{management::schema, oauth::GrantType};
use oauth::{
    DeviceAuthorization, DeviceRequest, IntrospectOrRevokeRequest, Introspection, OAuthError, OAuthMetadata,
    OAuthToken, OAuthTokenRequest, ResourceMetadata,
};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use zeroize::Zeroizing;

/// A problem document (RFC 9457).
#[derive(serde::Deserialize, ToSchema)]
pub struct Problem {
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    title: String,
    /// The stable error code.
    #[schema(example = "not_found", pattern = "^[a-z_]+$")]
    code: String,
    /// What happened and what to do.
    detail: String,
    /// The invalid fields.
    #[schema(value_type = Vec<InvalidParam>, required = false)]
    errors: Option<Vec<InvalidParam>>,
    /// The id of the request, with a status of 500 or above: the value of `X-Request-Id`. The log of the server has the
    /// cause under this id.
    #[schema(value_type = String, required = false)]
    request_id: Option<String>,
}

/// An invalid field.
#[derive(serde::Deserialize, ToSchema)]
pub struct InvalidParam {
    name: String,
    detail: String,
}

/// A request to exchange a key for an access token.
#[derive(serde::Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenRequest {
    #[schema(value_type = String, example = "kw_live_…")]
    secret_key: Zeroizing<String>,
    /// Lifetime in seconds. Default: one day. Limited by the project’s maximum and the expiry of the key.
    #[schema(required = false, minimum = 1)]
    expires_in: Option<i64>,
}

/// An access token (RFC 6749 section 5.1).
#[derive(serde::Deserialize, ToSchema)]
pub struct Token {
    access_token: String,
    #[schema(pattern = "^Bearer$")]
    token_type: String,
    /// Lifetime in seconds.
    #[schema(minimum = 1)]
    expires_in: i64,
    /// Separated by spaces.
    scope: String,
}

/// A request to verify a key or an access token.
#[derive(serde::Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VerifyRequest {
    /// A key’s secret or an access token. Send either `key` or `token`.
    #[schema(value_type = String, required = false, example = "kw_live_…")]
    key: Option<String>,
    /// An access token. A key’s secret is not accepted.
    #[schema(value_type = String, required = false)]
    token: Option<String>,
    /// The required project: a project ID, or a list of which one must match.
    #[schema(value_type = ProjectOrProjects, required = false)]
    project: Option<ProjectOrProjects>,
    /// The required scopes.
    #[schema(value_type = Vec<String>, required = false)]
    scopes: Option<Vec<String>>,
    /// The IP address from which the key is used. Without it, a key with allowed networks is denied.
    #[schema(value_type = String, required = false, example = "203.0.113.9")]
    ip: Option<String>,
}

/// A project ID or a list of project IDs.
#[derive(serde::Deserialize, ToSchema)]
#[schema(title = "ProjectOrProjects")]
#[serde(untagged)]
pub enum ProjectOrProjects {
    One(String),
    Several(Vec<String>),
}

/// The state of a key’s rate limit. Times are in seconds.
#[derive(serde::Deserialize, ToSchema)]
pub struct Limit {
    /// Calls per window.
    limit: u32,
    window: u32,
    /// Calls that can arrive at once after an idle time.
    burst: u32,
    remaining: u32,
    reset: u32,
}

/// The key or token is valid for the request.
#[derive(serde::Deserialize, ToSchema)]
pub struct VerifyValid {
    valid: bool,
    #[schema(format = "uuid")]
    key_id: String,
    #[schema(format = "uuid")]
    project_id: String,
    name: String,
    #[schema(pattern = "^(live|test)$")]
    environment: String,
    scopes: Vec<String>,
    #[schema(value_type = String, required = false)]
    issued_to: Option<String>,
    #[schema(required, format = "date-time")]
    expires_at: Option<String>,
    #[schema(value_type = Limit, required = false)]
    rate_limit: Option<Limit>,
}

/// The key or token is denied.
#[derive(serde::Deserialize, ToSchema)]
pub struct VerifyDenied {
    valid: bool,
    /// The stable reason code of the first rule that denies it.
    #[schema(pattern = "^[a-z_]+$")]
    code: String,
    message: String,
    #[schema(value_type = Limit, required = false)]
    rate_limit: Option<Limit>,
    /// Seconds until the next call can succeed.
    #[schema(value_type = u32, required = false)]
    retry_after: Option<u32>,
}

/// The decision on a verify request.
#[derive(serde::Deserialize, ToSchema)]
#[serde(untagged)]
pub enum Decision {
    Valid(VerifyValid),
    Denied(VerifyDenied),
}

/// A batch of verify requests.
#[derive(serde::Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BatchRequest {
    #[schema(min_items = 1, max_items = 1000)]
    keys: Vec<VerifyRequest>,
}

/// The decisions, in the order of the requests.
#[derive(serde::Deserialize, ToSchema)]
pub struct Batch {
    results: Vec<Decision>,
}

/// Public keys (RFC 7517).
#[derive(serde::Deserialize, ToSchema)]
pub struct Jwks {
    keys: Vec<Jwk>,
}

/// A public key: Ed25519 (RFC 8037) with `crv` and `x`, or RSA (RFC 7518 section 6.3) with `n` and `e`.
#[derive(serde::Deserialize, ToSchema)]
pub struct Jwk {
    #[schema(pattern = "^(OKP|RSA)$")]
    kty: String,
    #[schema(pattern = "^(EdDSA|RS256)$")]
    alg: String,
    #[serde(rename = "use")]
    #[schema(pattern = "^sig$")]
    usage: String,
    kid: String,
    #[schema(value_type = String, required = false, pattern = "^Ed25519$")]
    crv: Option<String>,
    #[schema(value_type = String, required = false)]
    x: Option<String>,
    #[schema(value_type = String, required = false)]
    n: Option<String>,
    #[schema(value_type = String, required = false)]
    e: Option<String>,
}

/// The health of the server.
#[derive(serde::Deserialize, ToSchema)]
pub struct Health {
    #[schema(pattern = "^(alive|ready)$")]
    status: String,
}

fn add<T: ToSchema>(schemas: &mut Map<String, Value>) {
    let mut found = vec![(T::name().into_owned(), T::schema())];
    T::schemas(&mut found);
    for (name, schema) in found {
        schemas.insert(name, serde_json::to_value(schema).unwrap());
    }
}

/// Adds constraints between members, which attributes cannot express.
fn relate(schemas: &mut Map<String, Value>) {
    // Exactly one of the two.
    schemas["VerifyRequest"]["oneOf"] = json!([{"required": ["key"]}, {"required": ["token"]}]);
    let projects = &mut schemas["ProjectOrProjects"]["oneOf"];
    projects[0]["format"] = json!("uuid");
    projects[1]["items"]["format"] = json!("uuid");
    projects[1]["minItems"] = json!(1);
    schemas["VerifyRequest"]["properties"]["ip"]["anyOf"] = json!([{"format": "ipv4"}, {"format": "ipv6"}]);
    for name in ["NewKey", "KeyChanges"] {
        schemas[name]["not"] = json!({"required": ["expires_in_days", "expires_at"]});
        let members = &mut schemas[name]["properties"];
        members["name"]["pattern"] = json!(LABEL);
        members["scopes"]["items"]["pattern"] = json!(SCOPE);
        members["rate_limit"]["pattern"] = json!(RATE_LIMIT);
    }
    // The parameters that a grant type requires. Client credentials are not among them, because they can be in the
    // header.
    let grant = |name: &str, needs: &[&str]| json!({"if": {"properties": {"grant_type": {"const": name}}}, "then": {"required": needs}});
    let request = &mut schemas["OAuthTokenRequest"];
    request["properties"]["grant_type"]["enum"] = GrantType::ALL.iter().map(|it| json!(it.as_str())).collect();
    request["allOf"] = json!([
        grant(GrantType::AuthorizationCode.as_str(), &["code", "redirect_uri", "code_verifier"]),
        grant(GrantType::DeviceCode.as_str(), &["device_code"]),
        grant(GrantType::TokenExchange.as_str(), &["subject_token", "subject_token_type"]),
    ]);
}

/// Not blank, and without control characters.
const LABEL: &str = r"^[^\x00-\x1f\x7f-\x9f]*[^\x00-\x20\x7f-\xa0][^\x00-\x1f\x7f-\x9f]*$";
const SCOPE: &str = r"^[0-9A-Za-z:._*/-]{1,80}$";
const RATE_LIMIT: &str = "^(1000000|[1-9][0-9]{0,5})/(second|minute|hour|day)(,burst=(1000000|[1-9][0-9]{0,5}))?$";

/// Returns all schemas by name.
pub fn all() -> Map<String, Value> {
    let mut schemas = Map::new();
    add::<Problem>(&mut schemas);
    add::<TokenRequest>(&mut schemas);
    add::<Token>(&mut schemas);
    add::<OAuthToken>(&mut schemas);
    add::<OAuthError>(&mut schemas);
    add::<OAuthTokenRequest>(&mut schemas);
    add::<IntrospectOrRevokeRequest>(&mut schemas);
    add::<Introspection>(&mut schemas);
    add::<OAuthMetadata>(&mut schemas);
    add::<ResourceMetadata>(&mut schemas);
    add::<DeviceRequest>(&mut schemas);
    add::<DeviceAuthorization>(&mut schemas);
    add::<VerifyRequest>(&mut schemas);
    add::<BatchRequest>(&mut schemas);
    add::<Batch>(&mut schemas);
    add::<Jwks>(&mut schemas);
    add::<Health>(&mut schemas);
    add::<schema::Projects>(&mut schemas);
    add::<schema::Keys>(&mut schemas);
    add::<schema::CreatedKey>(&mut schemas);
    add::<schema::NewKey>(&mut schemas);
    add::<schema::KeyChanges>(&mut schemas);
    relate(&mut schemas);
    schemas
}
