//! `authorization_code` grant type (RFC 6749 section 4.1.3) with PKCE (RFC 7636 section 4.5).

use super::{
    asked::Asked,
    client,
    error::OAuthError,
    token::{TokenRequest, issued},
};
use crate::service::{
    App,
    actor::Origin,
    oauth::{Coming, Redeemed},
    tokens::OfGrant,
};
use axum::response::Response;

/// Redeems an authorization code and returns a token response.
///
/// # Errors
/// As in RFC 6749 section 5.2.
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
    token_of(app, origin, &redeemed, asked).await
}

/// Issues a token for a grant whose code has just been redeemed. If the requested token cannot be issued, the grant is
/// revoked, because the code cannot be redeemed again.
pub(super) async fn token_of(
    app: &App,
    origin: &Origin,
    redeemed: &Redeemed,
    mut asked: Asked<'_>,
) -> Result<Response, OAuthError> {
    asked.among(&redeemed.scopes);
    let grant = OfGrant {
        grant: redeemed.grant,
        user: redeemed.user,
        client: redeemed.client,
        project: redeemed.project,
        scopes: &redeemed.scopes,
        life_max: redeemed.token_life_max,
        until: Some(redeemed.until),
    };
    match app.tokens.issue_for_grant(&grant, &asked.wish(), app.ground.now()) {
        Ok(made) => Ok(issued(&made, None)),
        Err(refused) => {
            app.consent.give_up(origin, redeemed.grant, "No token could be made as the program asked for it.").await?;
            Err(OAuthError::of_exchange(&refused, "invalid_grant"))
        }
    }
}
