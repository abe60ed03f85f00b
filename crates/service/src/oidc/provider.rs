//! Provider metadata (OpenID Connect Discovery 1.0) and signing keys, cached for one hour.

use super::{HttpRequest, Oidc, SignInFailure, parse_safe_url};
use jsonwebtoken::jwk::Jwk;
use keyward_domain::time::Timestamp;
use serde::Deserialize;
use std::sync::Arc;
use url::Url;

/// Lifetime of cached metadata and keys, in seconds.
const KEPT: i64 = 3_600;

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

/// Cached values and the time at which they were read.
#[derive(Default)]
pub struct Cache {
    metadata: Option<(Timestamp, Arc<Metadata>)>,
    keys: Option<(Timestamp, Arc<Vec<Jwk>>)>,
}

fn cached<T: Clone>(kept: &Option<(Timestamp, T)>, now: Timestamp) -> Option<T> {
    kept.as_ref().filter(|(at, _)| (0..KEPT).contains(&now.seconds_since(*at))).map(|(_, it)| it.clone())
}

impl Oidc {
    pub(super) async fn metadata(&self) -> Result<Arc<Metadata>, SignInFailure> {
        let now = self.context.now();
        let mut cache = self.cache.lock().await;
        if let Some(metadata) = cached(&cache.metadata, now) {
            return Ok(metadata);
        }
        let wrong = |words: &str| SignInFailure::Provider(format!("the discovery document {words}"));
        let address = format!("{}/.well-known/openid-configuration", self.settings.issuer.trim_end_matches('/'));
        let address = parse_safe_url(&address).ok_or_else(|| wrong("has no valid URL"))?;
        let answer = self.fetch.fetch(&address, HttpRequest::Get).await?;
        let document: Document = serde_json::from_slice(&answer).map_err(|_| wrong("cannot be parsed"))?;
        if document.issuer != self.settings.issuer {
            return Err(wrong("has an issuer that differs from KEYWARD_OIDC_ISSUER"));
        }
        let address = |text: &str| parse_safe_url(text).ok_or_else(|| wrong("contains a URL that is not https"));
        let methods = document.token_endpoint_auth_methods_supported.unwrap_or_default();
        let takes = |method: &str| methods.iter().any(|it| it == method);
        let metadata = Arc::new(Metadata {
            authorization_endpoint: address(&document.authorization_endpoint)?,
            token_endpoint: address(&document.token_endpoint)?,
            jwks_uri: address(&document.jwks_uri)?,
            userinfo_endpoint: document.userinfo_endpoint.as_deref().map(address).transpose()?,
            secret_in_the_form: takes("client_secret_post") && !takes("client_secret_basic"),
            sends_iss: document.authorization_response_iss_parameter_supported,
        });
        cache.metadata = Some((now, metadata.clone()));
        Ok(metadata)
    }

    /// Returns the provider's keys. `anew` bypasses the cache, because the provider can rotate its keys at any time.
    pub(super) async fn keys(&self, metadata: &Metadata, anew: bool) -> Result<Arc<Vec<Jwk>>, SignInFailure> {
        #[derive(Deserialize)]
        struct Keys {
            keys: Vec<serde_json::Value>,
        }
        let now = self.context.now();
        let mut cache = self.cache.lock().await;
        if let (Some(keys), false) = (cached(&cache.keys, now), anew) {
            return Ok(keys);
        }
        let answer = self.fetch.fetch(&metadata.jwks_uri, HttpRequest::Get).await?;
        let read: Keys = serde_json::from_slice(&answer)
            .map_err(|_| SignInFailure::Provider("the signing keys cannot be parsed".to_owned()))?;
        // Skip keys of unknown types; the others remain usable.
        let keys =
            Arc::new(read.keys.into_iter().filter_map(|key| serde_json::from_value(key).ok()).collect::<Vec<_>>());
        cache.keys = Some((now, keys.clone()));
        Ok(keys)
    }
}
