//! What the provider says of itself, kept for an hour.

use super::{Ask, Failed, Oidc, safe};
use jsonwebtoken::jwk::Jwk;
use keyward_domain::time::Timestamp;
use serde::Deserialize;
use std::sync::Arc;
use url::Url;

/// Seconds for which the discovery document and the keys are kept.
const KEPT: i64 = 3_600;

/// The discovery document (OpenID Connect Discovery 1.0), as far as it matters here.
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

/// The same, read.
pub(super) struct Metadata {
    pub authorization_endpoint: Url,
    pub token_endpoint: Url,
    pub jwks_uri: Url,
    pub userinfo_endpoint: Option<Url>,
    /// It takes the client's secret in the form, not in a header.
    pub secret_in_the_form: bool,
    /// Its answers name it (RFC 9207).
    pub iss_in_answers: bool,
}

/// What was read, and when.
#[derive(Default)]
pub struct Cache {
    metadata: Option<(Timestamp, Arc<Metadata>)>,
    keys: Option<(Timestamp, Arc<Vec<Jwk>>)>,
}

fn fresh<T: Clone>(kept: &Option<(Timestamp, T)>, now: Timestamp) -> Option<T> {
    kept.as_ref().filter(|(at, _)| (0..KEPT).contains(&now.seconds_since(*at))).map(|(_, it)| it.clone())
}

impl Oidc {
    pub(super) async fn metadata(&self) -> Result<Arc<Metadata>, Failed> {
        let now = self.ground.now();
        let mut cache = self.cache.lock().await;
        if let Some(metadata) = fresh(&cache.metadata, now) {
            return Ok(metadata);
        }
        let wrong = |words: &str| Failed::Provider(format!("its discovery document {words}"));
        let address = format!("{}/.well-known/openid-configuration", self.settings.issuer.trim_end_matches('/'));
        let address = safe(&address).ok_or_else(|| wrong("has no address"))?;
        let answer = self.fetch.ask(&address, Ask::Get).await?;
        let document: Document = serde_json::from_slice(&answer).map_err(|_| wrong("cannot be read"))?;
        if document.issuer != self.settings.issuer {
            return Err(wrong("names another issuer than KEYWARD_OIDC_ISSUER"));
        }
        let address = |text: &str| safe(text).ok_or_else(|| wrong("names an address that is not https"));
        let methods = document.token_endpoint_auth_methods_supported.unwrap_or_default();
        let takes = |method: &str| methods.iter().any(|it| it == method);
        let metadata = Arc::new(Metadata {
            authorization_endpoint: address(&document.authorization_endpoint)?,
            token_endpoint: address(&document.token_endpoint)?,
            jwks_uri: address(&document.jwks_uri)?,
            userinfo_endpoint: document.userinfo_endpoint.as_deref().map(address).transpose()?,
            secret_in_the_form: takes("client_secret_post") && !takes("client_secret_basic"),
            iss_in_answers: document.authorization_response_iss_parameter_supported,
        });
        cache.metadata = Some((now, metadata.clone()));
        Ok(metadata)
    }

    /// The provider's keys; `anew`: those of now, whatever is kept. It changes them as it likes.
    pub(super) async fn keys(&self, metadata: &Metadata, anew: bool) -> Result<Arc<Vec<Jwk>>, Failed> {
        #[derive(Deserialize)]
        struct Keys {
            keys: Vec<serde_json::Value>,
        }
        let now = self.ground.now();
        let mut cache = self.cache.lock().await;
        if let (Some(keys), false) = (fresh(&cache.keys, now), anew) {
            return Ok(keys);
        }
        let answer = self.fetch.ask(&metadata.jwks_uri, Ask::Get).await?;
        let read: Keys =
            serde_json::from_slice(&answer).map_err(|_| Failed::Provider("its keys cannot be read".to_owned()))?;
        // A key of a kind that is not known here is none of ours; the others serve.
        let keys =
            Arc::new(read.keys.into_iter().filter_map(|key| serde_json::from_value(key).ok()).collect::<Vec<_>>());
        cache.keys = Some((now, keys.clone()));
        Ok(keys)
    }
}
