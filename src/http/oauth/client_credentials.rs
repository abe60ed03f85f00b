//! `client_credentials` grant type (RFC 6749 section 4.4): the client is a key, and the token is issued for the key.

use super::{
    asked::Asked,
    client,
    error::OAuthError,
    token::{TokenRequest, issued},
};
use crate::service::tokens::ExchangeRefused;
use axum::response::Response;

/// Returns a token response for the key.
///
/// # Errors
/// As in RFC 6749 section 5.2 and RFC 8707 section 2.
pub async fn answer(request: &TokenRequest) -> Result<Response, OAuthError> {
    let TokenRequest { app, origin, headers, form } = request;
    let asked = Asked::read(app, form)?;
    let good = client::key(app, headers, form, origin.ip).await?;
    let made = app.tokens.issue_for_key(&good.facts, &asked.wish());
    let made = made.map_err(|refused| match refused {
        ExchangeRefused::Key(refused) => OAuthError::of_client(&refused),
        refused => OAuthError::of_exchange(&refused, "invalid_grant"),
    })?;
    Ok(issued(&made, None))
}
