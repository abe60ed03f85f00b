//! Provider metadata (OpenID Connect Discovery 1.0) and signing keys, cached for at most one hour.

use super::{
    HttpClient, HttpRequest, Oidc, SignInFailure,
    fetch_cache::{Failure, FetchCache},
    parse_safe_url,
};
use jsonwebtoken::jwk::Jwk;
use serde::Deserialize;
use std::sync::Arc;
use url::Url;

/// Discovery document (OpenID Connect Discovery 1.0), limited to the fields in use.
#[derive(Deserialize)]
struct Document {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    userinfo_endpoint: Option<String>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

/// Parsed discovery document.
pub(super) struct Metadata {
    pub authorization_endpoint: Url,
    pub token_endpoint: Url,
    pub jwks_uri: Url,
    pub userinfo_endpoint: Option<Url>,
    /// The client secret is sent in the form (`client_secret_post`) and not in a header.
    pub secret_in_the_form: bool,
    /// Authorization responses contain `iss` (RFC 9207).
    pub sends_iss: bool,
}

/// Key set (RFC 7517 section 5).
#[derive(Deserialize)]
struct KeySet {
    keys: Vec<serde_json::Value>,
}

/// Cached data of the provider.
#[derive(Default)]
pub(super) struct Cache {
    metadata: FetchCache<Metadata>,
    keys: FetchCache<Vec<Jwk>>,
}

impl Oidc {
    pub(super) async fn metadata(&self) -> Result<Arc<Metadata>, SignInFailure> {
        let fetch = || fetch_metadata(self.fetch.clone(), self.settings.issuer.clone());
        self.cache.metadata.get(self.context.now(), fetch).await.map_err(provider_failure)
    }

    pub(super) async fn keys(&self, metadata: &Metadata) -> Result<Arc<Vec<Jwk>>, SignInFailure> {
        let fetch = || fetch_keys(self.fetch.clone(), metadata.jwks_uri.clone());
        self.cache.keys.get(self.context.now(), fetch).await.map_err(provider_failure)
    }

    /// Returns the provider's current keys. The cached ones may be outdated, because the provider can rotate its keys
    /// at any time.
    pub(super) async fn current_keys(&self, metadata: &Metadata) -> Result<Arc<Vec<Jwk>>, SignInFailure> {
        let fetch = || fetch_keys(self.fetch.clone(), metadata.jwks_uri.clone());
        self.cache.keys.refetch(self.context.now(), fetch).await.map_err(provider_failure)
    }
}

fn provider_failure(failure: Failure) -> SignInFailure {
    SignInFailure::Provider(failure.to_string())
}

async fn fetch_metadata(client: HttpClient, issuer: String) -> Result<Metadata, Failure> {
    let wrong = |words: &str| Failure::from(format!("the discovery document {words}"));
    let address = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
    let address = parse_safe_url(&address).ok_or_else(|| wrong("has no valid URL"))?;
    let answer = client.fetch(&address, HttpRequest::Get).await.map_err(|error| error.to_string())?;
    let document: Document =
        serde_json::from_slice(&answer).map_err(|cause| wrong(&format!("cannot be parsed: {cause}")))?;
    if document.issuer != issuer {
        return Err(wrong("has an issuer that differs from KEYWARD_OIDC_ISSUER"));
    }
    let address = |text: &str| parse_safe_url(text).ok_or_else(|| wrong("contains a URL that is not https"));
    let methods = document.token_endpoint_auth_methods_supported.unwrap_or_default();
    let takes = |method: &str| methods.iter().any(|it| it == method);
    Ok(Metadata {
        authorization_endpoint: address(&document.authorization_endpoint)?,
        token_endpoint: address(&document.token_endpoint)?,
        jwks_uri: address(&document.jwks_uri)?,
        userinfo_endpoint: document.userinfo_endpoint.as_deref().map(address).transpose()?,
        secret_in_the_form: takes("client_secret_post") && !takes("client_secret_basic"),
        sends_iss: document.authorization_response_iss_parameter_supported,
    })
}

async fn fetch_keys(client: HttpClient, address: Url) -> Result<Vec<Jwk>, Failure> {
    let answer = client.fetch(&address, HttpRequest::Get).await.map_err(|error| error.to_string())?;
    let set: KeySet = serde_json::from_slice(&answer)
        .map_err(|cause| Failure::from(format!("the signing keys cannot be parsed: {cause}")))?;
    // Skip keys of unknown types; the others remain usable.
    Ok(set.keys.into_iter().filter_map(|key| serde_json::from_value(key).ok()).collect())
}
