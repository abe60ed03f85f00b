//! Token exchange (RFC 8693): a key or a token for a token with fewer privileges and a shorter lifetime.

use super::{
    client::Client,
    request::RequestedToken,
    token::{TokenRequest, token_response},
};
use axum::response::Response;
use keyward_edge::oauth_error::OAuthError;
use keyward_service::{tokens::ExchangeDenyReason, verify::VerifyRequest};

/// Token type of an access token issued by this server.
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
/// Token type of a key's secret.
const KEY_SECRET: &str = "urn:keyward:token-type:key";
/// The error for an unacceptable subject token (RFC 8693 section 2.2.2).
const INVALID_SUBJECT: &str = "invalid_request";

/// Returns a token response for the same subject. The subject token needs no client authentication; a client that
/// authenticates anyway must be the subject's client.
///
/// # Errors
/// As in RFC 8693 section 2.2.2.
pub async fn handle(request: &TokenRequest) -> Result<Response, OAuthError> {
    let TokenRequest { app, origin, headers, form } = request;
    let (subject, kind) = (form.require("subject_token")?, form.require("subject_token_type")?);
    if form.get("actor_token")?.is_some() || form.get("actor_token_type")?.is_some() {
        return Err(OAuthError::invalid_request(
            "Delegation is not supported. Remove actor_token and actor_token_type.",
        ));
    }
    if form.get("requested_token_type")?.is_some_and(|it| it != ACCESS_TOKEN) {
        return Err(OAuthError::invalid_request(
            "Only access tokens are issued. Change or remove requested_token_type.",
        ));
    }
    let requested = RequestedToken::from_form(app, form)?;
    let client = Client::from_request(headers, form)?;
    // Counts as one use of the key, whether the key is the client, the subject, or both.
    let proved = match &client {
        Some(client) if client.client_secret.is_some() => Some(client.authenticate(app, origin.ip).await?),
        _ => None,
    };
    let proof = client.as_ref().and_then(|client| client.client_secret.as_ref());
    let is_proof = proof.is_some_and(|proof| proof.trim_ascii() == subject.trim_ascii());
    let made = match kind {
        KEY_SECRET => {
            let good = match proved {
                Some(good) if is_proof => good,
                _ => {
                    let question = VerifyRequest { ip: origin.ip, ..VerifyRequest::default() };
                    let decision = app.verify.verify_secret(subject, &question).await?;
                    decision.map_err(|refused| {
                        OAuthError::from_exchange(&ExchangeDenyReason::Key(refused), INVALID_SUBJECT)
                    })?
                }
            };
            check_client_matches(client.as_ref(), |id| id == good.snapshot.subject().to_string())?;
            app.tokens.issue_for_key(&good.snapshot, &requested.parameters())
        }
        ACCESS_TOKEN => {
            // An unreadable token is denied below with the reason code.
            if let Ok(known) = app.tokens.parse(subject) {
                check_client_matches(client.as_ref(), |id| known.subject.is_client(id))?;
            }
            app.tokens.exchange_token(subject, proved.is_some(), &requested.parameters()).await?
        }
        _ => {
            let words =
                format!("subject_token_type must be {ACCESS_TOKEN} for an access token or {KEY_SECRET} for a key.");
            return Err(OAuthError::invalid_request(&words));
        }
    };
    let made = made.map_err(|refused| OAuthError::from_exchange(&refused, INVALID_SUBJECT))?;
    Ok(token_response(&made, Some(ACCESS_TOKEN)))
}

/// Checks that the client, if there is one, is the subject token's client.
fn check_client_matches(client: Option<&Client>, is_client: impl FnOnce(&str) -> bool) -> Result<(), OAuthError> {
    match client {
        Some(client) if !is_client(&client.id) => {
            Err(OAuthError::invalid_request("The subject token belongs to another client."))
        }
        _ => Ok(()),
    }
}
