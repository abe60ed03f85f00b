//! Client authentication (RFC 6749 section 2.3.1). A confidential client sends a key's id and secret, by HTTP Basic or
//! in the body, never both. A public client sends only its id.

use super::form::Form;
use axum::http::{HeaderMap, header};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use keyward_domain::ids::{KeyId, SubjectId};
use keyward_edge::oauth_error::OAuthError;
use keyward_service::{
    Services,
    verify::{Verified, VerifyRequest},
};
use percent_encoding::percent_decode;
use std::net::IpAddr;
use zeroize::Zeroizing;

/// The client credentials of a request. No `Debug`, because they contain a secret.
pub struct Client {
    pub id: String,
    /// The secret. `None` for a public client.
    pub client_secret: Option<Zeroizing<String>>,
}

impl Client {
    /// Reads the client credentials. Returns `None` if the request has none.
    ///
    /// # Errors
    /// `invalid_request` if it has them in two places; `invalid_client` if they are malformed.
    pub fn from_request(headers: &HeaderMap, form: &Form) -> Result<Option<Self>, OAuthError> {
        const TWO: &str = "The request authenticates the client twice. Use HTTP Basic or the body, not both.";
        let (id, secret) = (form.get("client_id")?, form.get("client_secret")?);
        let mut authorizations = headers.get_all(header::AUTHORIZATION).iter();
        let Some(value) = authorizations.next() else {
            return match (id, secret) {
                (Some(id), secret) => {
                    let proof = secret.map(|secret| Zeroizing::new(secret.to_owned()));
                    Ok(Some(Self { id: id.to_owned(), client_secret: proof }))
                }
                (None, Some(_)) => {
                    Err(OAuthError::invalid_client("The parameter client_id is missing. Send it with client_secret."))
                }
                (None, None) => Ok(None),
            };
        };
        if authorizations.next().is_some() || secret.is_some() {
            return Err(OAuthError::invalid_request(TWO));
        }
        let unreadable = || OAuthError::invalid_client("The Authorization header is not valid HTTP Basic.");
        let client = parse_basic(value.as_bytes()).ok_or_else(unreadable)?;
        if id.is_some_and(|id| id != client.id) {
            return Err(OAuthError::invalid_request("The client_id in the body differs from the one in HTTP Basic."));
        }
        Ok(Some(client))
    }

    /// Authenticates a client that is a key. Counts as a use of the key from this address.
    ///
    /// # Errors
    /// `invalid_client` if the client is not a key or the key is denied; 429 if the key's rate limit is exceeded.
    pub async fn authenticate(&self, app: &Services, ip: Option<IpAddr>) -> Result<Verified, OAuthError> {
        let (id, secret) = self.credentials()?;
        let decision = app.verify.verify_secret(secret, &VerifyRequest { ip, ..VerifyRequest::default() }).await?;
        let good = decision.map_err(|refused| OAuthError::from_denied_key(&refused))?;
        if good.snapshot.subject() == SubjectId::Key(id) { Ok(good) } else { Err(key_mismatch()) }
    }

    /// Checks that the client has the secret of a key, whatever the state of the key. Does not count as a use of the
    /// key.
    ///
    /// # Errors
    /// `invalid_client` if it does not.
    pub async fn check_secret(&self, app: &Services) -> Result<KeyId, OAuthError> {
        let (id, secret) = self.credentials()?;
        let key = app.verify.find_key_id(secret).await?.map_err(|refused| OAuthError::from_denied_key(&refused))?;
        if key == id { Ok(id) } else { Err(key_mismatch()) }
    }

    /// Returns the key id and the secret.
    fn credentials(&self) -> Result<(KeyId, &str), OAuthError> {
        let id = self.id.strip_prefix("key:").and_then(KeyId::parse_exact);
        id.zip(self.client_secret.as_ref().map(|proof| proof.as_str())).ok_or_else(|| {
            let words = "The client is not a key. Use client_id key:<key ID> and the key's secret as client_secret.";
            OAuthError::invalid_client(words).with_code("unknown_client")
        })
    }
}

fn key_mismatch() -> OAuthError {
    OAuthError::invalid_client("The client_id and the secret belong to different keys.").with_code("unknown_client")
}

/// Returns the public client of a request that requires one. It has no secret; the code verifier or device code proves
/// its identity (RFC 7636, RFC 8628).
///
/// # Errors
/// As [`Client::from_request`]; `invalid_client` if the request has no client, or one with a secret.
pub fn require_public(headers: &HeaderMap, form: &Form) -> Result<Client, OAuthError> {
    let client = Client::from_request(headers, form)?.filter(|client| client.client_secret.is_none());
    client.ok_or_else(|| OAuthError::invalid_client("Send the client_id of an application, without a secret."))
}

/// Authenticates the confidential client of a request that requires one.
///
/// # Errors
/// As [`Client::from_request`] and [`Client::authenticate`]; `invalid_client` if the request has no client.
pub async fn require_key(
    app: &Services,
    headers: &HeaderMap,
    form: &Form,
    ip: Option<IpAddr>,
) -> Result<Verified, OAuthError> {
    match Client::from_request(headers, form)? {
        Some(client) => client.authenticate(app, ip).await,
        None => Err(OAuthError::invalid_client("Authenticate with a key, by HTTP Basic or in the body.")),
    }
}

/// Parses HTTP Basic credentials. Both halves are form-encoded (RFC 6749 section 2.3.1). A secret has no colon, so the
/// last colon separates the halves. This also accepts clients that send `key:<id>` without encoding, as curl does.
fn parse_basic(value: &[u8]) -> Option<Client> {
    let at = value.iter().position(|byte| *byte == b' ')?;
    let (scheme, encoded) = value.split_at(at);
    if !scheme.eq_ignore_ascii_case(b"basic") {
        return None;
    }
    let decoded = Zeroizing::new(STANDARD.decode(encoded.trim_ascii()).ok()?);
    let colon = decoded.iter().rposition(|byte| *byte == b':')?;
    let id = form_decode(&decoded[..colon])?;
    // A public client may send an empty password (RFC 6749 section 2.3.1 allows an empty secret to be left out):
    // requests-oauthlib and the header style of Go's oauth2 do so.
    let secret = form_decode(&decoded[colon + 1..])?;
    Some(Client { id: id.to_string(), client_secret: Some(secret).filter(|secret| !secret.is_empty()) })
}

fn form_decode(half: &[u8]) -> Option<Zeroizing<String>> {
    let spaced: Zeroizing<Vec<u8>> = Zeroizing::new(half.iter().map(|b| if *b == b'+' { b' ' } else { *b }).collect());
    let bytes: Vec<u8> = percent_decode(&spaced).collect();
    String::from_utf8(bytes).ok().map(Zeroizing::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(value: &str) -> Option<(String, String)> {
        parse_basic(value.as_bytes())
            .map(|client| (client.id, client.client_secret.map_or_else(String::new, |it| it.to_string())))
    }

    #[test]
    fn both_halves_are_form_encoded() {
        let of = |text: &str| format!("Basic {}", STANDARD.encode(text));
        let pair = |id: &str, secret: &str| Some((id.to_owned(), secret.to_owned()));
        assert_eq!(parse(&of("key%3A7:kw_live_a%2B+b")), pair("key:7", "kw_live_a+ b"));
        assert_eq!(parse(&of("key:7:kw_live_a")), pair("key:7", "kw_live_a"));
        assert_eq!(parse(&of("a:")), pair("a", ""));
        assert_eq!(parse(&of("a").replace("Basic", "bASIC")), None);
        assert!(
            parse_basic(of("client:7:").as_bytes()).is_some_and(|client| client.client_secret.is_none()),
            "no secret"
        );
        assert_eq!(parse("Basic !"), None);
        assert_eq!(parse("Basic"), None);
        assert_eq!(parse(&of("a:%ff")), None);
        assert_eq!(parse(&of("a:b").replace("Basic", "Bearer")), None);
    }
}
