//! `client_credentials` grant type (RFC 6749 section 4.4): the client is a key, and the token is issued for the key.

use super::{
    client,
    request::RequestedToken,
    token::{TokenRequest, token_response},
};
use axum::response::Response;
use keyward_edge::oauth_error::OAuthError;
use keyward_service::tokens::ExchangeDenyReason;

/// Returns a token response for the key.
///
/// # Errors
/// As in RFC 6749 section 5.2 and RFC 8707 section 2.
pub async fn handle(request: &TokenRequest) -> Result<Response, OAuthError> {
    let TokenRequest { app, origin, headers, form } = request;
    let requested = RequestedToken::from_form(app, form)?;
    let good = client::require_key(app, headers, form, origin.ip).await?;
    let made = app.tokens.issue_for_key(&good.snapshot, &requested.parameters());
    let made = made.map_err(|refused| match refused {
        ExchangeDenyReason::Key(refused) => OAuthError::from_denied_key(&refused),
        refused => OAuthError::from_exchange(&refused, "invalid_grant"),
    })?;
    Ok(token_response(&made, None))
}
