//! Token exchange (RFC 8693): a key or a token for a token with fewer privileges and a shorter lifetime.

use super::{
    asked::Asked,
    client::Client,
    error::OAuthError,
    token::{TokenRequest, issued},
};
use crate::service::{
    tokens::{ExchangeRefused, Holder},
    verify::Question,
};
use axum::response::Response;

/// Token type of an access token issued by this server.
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
/// Token type of a key's secret.
const KEY: &str = "urn:keyward:token-type:key";
/// The error for an unacceptable subject token (RFC 8693 section 2.2.2).
const BAD: &str = "invalid_request";

/// Returns a token response for the same subject. The subject token needs no client authentication; a client that
/// authenticates anyway must be the subject's client.
///
/// # Errors
/// As in RFC 8693 section 2.2.2.
pub async fn answer(request: &TokenRequest) -> Result<Response, OAuthError> {
    let TokenRequest { app, origin, headers, form } = request;
    let (subject, kind) = (form.need("subject_token")?, form.need("subject_token_type")?);
    if form.one("actor_token")?.is_some() || form.one("actor_token_type")?.is_some() {
        return Err(OAuthError::invalid_request("Nobody acts for another here: leave actor_token out."));
    }
    if form.one("requested_token_type")?.is_some_and(|it| it != ACCESS_TOKEN) {
        return Err(OAuthError::invalid_request("Access tokens are all that is issued here."));
    }
    let asked = Asked::read(app, form)?;
    let client = Client::read(headers, form)?;
    // Counts as one use of the key, whether the key is the client, the subject, or both.
    let proved = match &client {
        Some(client) if client.proof.is_some() => Some(client.key(app, origin.ip).await?),
        _ => None,
    };
    let proof = client.as_ref().and_then(|client| client.proof.as_ref());
    let is_proof = proof.is_some_and(|proof| proof.trim_ascii() == subject.trim_ascii());
    let made = match kind {
        KEY => {
            let good = match proved {
                Some(good) if is_proof => good,
                _ => {
                    let question = Question { ip: origin.ip, ..Question::default() };
                    let decision = app.verify.secret(subject, &question).await?;
                    decision.map_err(|refused| OAuthError::of_exchange(&ExchangeRefused::Key(refused), BAD))?
                }
            };
            same(client.as_ref(), Holder::Key(good.facts.key))?;
            app.tokens.issue_for_key(&good.facts, &asked.wish())
        }
        ACCESS_TOKEN => {
            // An unreadable token is denied below with the reason code.
            if let Ok(known) = app.tokens.read(subject) {
                same(client.as_ref(), known.holder)?;
            }
            app.tokens.narrow(subject, proved.is_some(), &asked.wish()).await?
        }
        _ => {
            let words = format!("subject_token_type is {ACCESS_TOKEN} for a token of ours, {KEY} for a key.");
            return Err(OAuthError::invalid_request(&words));
        }
    };
    let made = made.map_err(|refused| OAuthError::of_exchange(&refused, BAD))?;
    Ok(issued(&made, Some(ACCESS_TOKEN)))
}

/// Checks that the client, if there is one, is the subject token's client.
fn same(client: Option<&Client>, holder: Holder) -> Result<(), OAuthError> {
    match client {
        Some(client) if !holder.is_client(&client.id) => {
            Err(OAuthError::invalid_request("The subject's token is another client's."))
        }
        _ => Ok(()),
    }
}
