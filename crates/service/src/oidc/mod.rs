//! Sign-in with OpenID Connect: authorization code flow with PKCE (S256), state, and nonce.
//!
//! An attempt starts with 256 random bits in a browser cookie. State, nonce, and PKCE verifier are derived from them by
//! SHA-256 with a separate label each. The database stores only the SHA-256 digest of the cookie, for ten minutes and
//! one use.

mod attempt;
mod fetch_cache;
mod provider;
mod token;

pub use attempt::LIFE;

use super::{
    Context, Error,
    actor::{NOT_REPORTED, REAUTHENTICATION_MAX_AGE},
    http_client::{FetchError, HttpClient, HttpRequest},
    one_time_tokens::OneTimeCode,
};
use attempt::Attempt;
use keyward_config::{Config, OidcSettings};
use keyward_domain::{email::Email, ids::UserId, time::Timestamp};
use provider::{Cache, Metadata};
use serde::Deserialize;
use std::sync::Arc;
use subtle::ConstantTimeEq as _;
use token::{Claims, Expected, Fault};
use url::Url;

/// Identity at the provider, from verified claims.
#[derive(Clone, Debug)]
pub struct Identity {
    pub issuer: String,
    pub subject: String,
    pub email: Option<String>,
    /// The provider reports that the address is not confirmed.
    pub unconfirmed: bool,
    pub name: Option<String>,
}

/// Authentication request to redirect to.
pub struct AuthorizationStart {
    /// URL of the provider's authorization endpoint.
    pub location: String,
    /// Value of the browser cookie until the callback.
    pub cookie: OneTimeCode,
}

/// Parameters of the callback (authorization response).
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Callback {
    pub state: Option<String>,
    pub code: Option<String>,
    pub error: Option<String>,
    /// Issuer identification (RFC 9207).
    pub iss: Option<String>,
}

/// Result of a successful authentication.
#[derive(Clone, Debug)]
pub struct SignInResult {
    pub identity: Identity,
    /// Path to continue at.
    pub next: Option<String>,
    /// Time of the last authentication at the provider; [`NOT_REPORTED`] if the ID token does not contain it.
    pub authenticated_at: Timestamp,
    /// User who links this identity to their account, if that was the purpose.
    pub link: Option<UserId>,
}

/// Reasons why a sign-in fails.
#[derive(Debug, thiserror::Error)]
pub enum SignInFailure {
    /// Cookie and state do not match, were used, or are older than ten minutes.
    #[error("the sign-in attempt is invalid or has expired")]
    Restart,
    /// The user denied the request at the provider.
    #[error("access was denied at the provider")]
    Denied,
    /// The provider cannot be reached, or its response is invalid. The message is for the log.
    #[error("OpenID provider: {0}")]
    Provider(String),
    /// The provider does not respond as expected.
    #[error("OpenID provider: {0}")]
    Fetch(#[from] FetchError),
    /// The ID token of the provider is rejected.
    #[error("OpenID provider: invalid ID token: {0}")]
    IdToken(#[from] Fault),
    #[error(transparent)]
    Service(#[from] Error),
}

#[derive(Deserialize)]
struct Tokens {
    id_token: String,
    #[serde(default)]
    access_token: String,
}

/// OpenID Connect client of the configured provider.
#[derive(Clone)]
pub struct Oidc {
    context: Context,
    settings: OidcSettings,
    redirect_uri: String,
    fetch: HttpClient,
    cache: Arc<Cache>,
}

impl Oidc {
    /// Returns `None` if no provider is configured.
    pub fn new(context: Context, config: &Config) -> Option<Self> {
        let settings = config.sign_in.oidc.clone()?;
        let redirect_uri = format!("{}/login/oidc/callback", config.public_url);
        Some(Self { context, settings, redirect_uri, fetch: HttpClient::new(), cache: Arc::default() })
    }

    /// Begins a sign-in. `link`: the user who wants to link the identity to their account.
    ///
    /// # Errors
    /// If the provider's discovery document cannot be read.
    pub async fn start(&self, next: Option<&str>, link: Option<UserId>) -> Result<AuthorizationStart, SignInFailure> {
        let metadata = self.metadata().await?;
        let attempt = Attempt::new(&*self.context.random);
        attempt.save(&self.context, next, link).await?;
        let mut location = metadata.authorization_endpoint.clone();
        location
            .query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.settings.client_id)
            .append_pair("redirect_uri", &self.redirect_uri)
            .append_pair("scope", "openid profile email")
            // A sign-in counts as recent authentication, so the provider must not reuse a session of last week.
            .append_pair("max_age", &REAUTHENTICATION_MAX_AGE.to_string())
            .append_pair("state", &attempt.state())
            .append_pair("nonce", &attempt.nonce())
            .append_pair("code_challenge", &attempt.challenge())
            .append_pair("code_challenge_method", "S256");
        Ok(AuthorizationStart { location: location.into(), cookie: attempt.cookie() })
    }

    /// Completes a sign-in. Cookie and state are used up, whatever the result.
    ///
    /// # Errors
    /// [`SignInFailure`] with the reason.
    pub async fn complete(&self, cookie: &str, callback: &Callback) -> Result<SignInResult, SignInFailure> {
        let attempt = Attempt::from_cookie(cookie);
        let state = callback.state.as_deref().unwrap_or_default();
        // Check before the attempt is used up: an attacker without the cookie cannot end another user's attempt.
        if !bool::from(state.as_bytes().ct_eq(attempt.state().as_bytes())) {
            return Err(SignInFailure::Restart);
        }
        let row = attempt.consume(&self.context).await?.ok_or(SignInFailure::Restart)?;
        let metadata = self.metadata().await?;
        let is_issuer_valid = match (&callback.iss, metadata.sends_iss) {
            (Some(iss), _) => iss == &self.settings.issuer,
            (None, must) => !must,
        };
        if !is_issuer_valid {
            return Err(SignInFailure::Provider("the authorization response has a wrong or missing iss".to_owned()));
        }
        match callback.error.as_deref() {
            Some("access_denied") => return Err(SignInFailure::Denied),
            // The error text is not trusted; only its presence is recorded.
            Some(_) => return Err(SignInFailure::Provider("the authorization response contains an error".to_owned())),
            None => {}
        }
        let code = callback
            .code
            .as_deref()
            .ok_or_else(|| SignInFailure::Provider("the authorization response contains no code".to_owned()))?;
        let tokens = self.exchange(&metadata, code, &attempt).await?;
        let claims = self.verify_id_token(&metadata, &tokens.id_token, &attempt.nonce()).await?;
        // OpenID Connect Core 1.0, section 3.1.3.7, number 13. Without the claim, the session at the provider may be a
        // week old, so this is not a recent authentication.
        let proved = claims.auth_time.map_or(NOT_REPORTED, |seconds| Timestamp::from_seconds(seconds as i64));
        if claims.auth_time.is_none() {
            tracing::warn!(
                issuer = self.settings.issuer,
                "oidc.no_auth_time: the ID token has no claim auth_time, so actions that require recent authentication are \
                 denied; configure the provider to include it"
            );
        }
        let identity = self.identity(&metadata, claims, &tokens.access_token).await?;
        Ok(SignInResult { identity, authenticated_at: proved, next: row.next, link: row.user_id.map(Into::into) })
    }

    async fn exchange(&self, metadata: &Metadata, code: &str, attempt: &Attempt) -> Result<Tokens, SignInFailure> {
        let ask = self.token_request(metadata, code, attempt);
        let answer = self.fetch.fetch(&metadata.token_endpoint, ask).await?;
        // The cause can quote a token.
        serde_json::from_slice(&answer)
            .map_err(|_| SignInFailure::Provider("the token response cannot be parsed".to_owned()))
    }

    fn token_request(&self, metadata: &Metadata, code: &str, attempt: &Attempt) -> HttpRequest<'static> {
        let encode = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "authorization_code")
            .append_pair("code", code)
            .append_pair("redirect_uri", &self.redirect_uri)
            .append_pair("code_verifier", &attempt.verifier());
        let OidcSettings { client_id, client_secret, .. } = &self.settings;
        let authorization = if metadata.secret_in_the_form {
            form.append_pair("client_id", client_id).append_pair("client_secret", client_secret);
            None
        } else {
            // RFC 6749 section 2.3.1: both parts are form-encoded first.
            use base64::{Engine as _, engine::general_purpose::STANDARD};
            let pair = zeroize::Zeroizing::new(format!("{}:{}", encode(client_id), encode(client_secret)));
            Some(format!("Basic {}", STANDARD.encode(pair.as_bytes())))
        };
        HttpRequest::Post { form: form.finish(), authorization }
    }

    /// Verifies the ID token. For an unknown key, fetches the provider's current keys and tries again.
    async fn verify_id_token(&self, metadata: &Metadata, id_token: &str, nonce: &str) -> Result<Claims, SignInFailure> {
        let expected = Expected {
            issuer: &self.settings.issuer,
            client_id: &self.settings.client_id,
            nonce,
            now: self.context.now().seconds(),
        };
        let keys = self.keys(metadata).await?;
        match token::verify(id_token, &keys, &expected) {
            Err(Fault::UnknownKey) => {
                let keys = self.current_keys(metadata).await?;
                Ok(token::verify(id_token, &keys, &expected)?)
            }
            verdict => Ok(verdict?),
        }
    }

    /// Returns the identity. Missing claims are fetched from the UserInfo endpoint; its response must be about the same
    /// subject.
    async fn identity(&self, metadata: &Metadata, mut claims: Claims, access: &str) -> Result<Identity, SignInFailure> {
        let incomplete = claims.email.is_none() || claims.email_verified.is_none();
        if let (true, Some(endpoint), false) = (incomplete, &metadata.userinfo_endpoint, access.is_empty()) {
            let answer = self.fetch.fetch(endpoint, HttpRequest::GetWithToken(access)).await?;
            // The cause can quote personal data.
            let more: token::UserInfo = serde_json::from_slice(&answer)
                .map_err(|_| SignInFailure::Provider("the UserInfo response cannot be parsed".to_owned()))?;
            if more.sub != claims.sub {
                return Err(SignInFailure::Provider("the UserInfo response has a different sub".to_owned()));
            }
            let email = |text: &Option<String>| text.as_deref().and_then(|text| text.parse::<Email>().ok());
            if claims.email.is_none() {
                claims.email = more.email;
                claims.email_verified = more.email_verified;
            } else if more.email.is_none() || email(&more.email) == email(&claims.email) {
                claims.email_verified = more.email_verified;
            }
            claims.name = claims.name.or(more.name);
        }
        Ok(Identity {
            issuer: self.settings.issuer.clone(),
            unconfirmed: claims.email_is_unconfirmed(),
            subject: claims.sub,
            email: claims.email,
            name: claims.name,
        })
    }

    /// Returns the provider's name for the sign-in button.
    pub fn name(&self) -> &str {
        &self.settings.name
    }
}

/// Parses a URL from the discovery document. Returns `None` unless it is safe to request or redirect to.
fn parse_safe_url(text: &str) -> Option<Url> {
    Url::parse(text).ok().filter(keyward_config::is_safe)
}
