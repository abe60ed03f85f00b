//! `authorization_code` (RFC 6749 section 4.1.3) with the verifier of PKCE (RFC 7636 section 4.5): a person's yes for a token.

use super::{
    asked::Asked,
    client,
    error::OAuthError,
    token::{TokenRequest, issued},
};
use crate::service::{
    App,
    oauth::{Coming, Redeemed},
    tokens::OfGrant,
};
use axum::response::Response;

/// Answers with a token of what was allowed.
///
/// # Errors
/// As RFC 6749 section 5.2 says.
pub async fn answer(request: &TokenRequest) -> Result<Response, OAuthError> {
    let TokenRequest { app, origin, headers, form } = request;
    let asked = Asked::read(app, form)?;
    let client = client::public(headers, form)?;
    let coming = Coming {
        code: form.need("code")?,
        client: &client.id,
        redirect_uri: form.need("redirect_uri")?,
        verifier: form.need("code_verifier")?,
    };
    let redeemed = app.consent.redeem(origin, coming).await?.map_err(OAuthError::of_denied)?;
    token_of(app, &redeemed, &asked)
}

/// A token of what was allowed and has just been redeemed.
pub(super) fn token_of(app: &App, redeemed: &Redeemed, asked: &Asked<'_>) -> Result<Response, OAuthError> {
    let grant = OfGrant {
        grant: redeemed.grant,
        user: redeemed.user,
        client: redeemed.client,
        project: redeemed.project,
        scopes: &redeemed.scopes,
        life_max: redeemed.token_life_max,
        until: Some(redeemed.until),
    };
    let made = app.tokens.issue_for_grant(&grant, &asked.wish(), app.ground.now());
    Ok(issued(&made.map_err(|refused| OAuthError::of_exchange(&refused, "invalid_grant"))?, None))
}
