//! `authorization_code` grant type (RFC 6749 section 4.1.3) with PKCE (RFC 7636 section 4.5).

use super::{
    client, consent_error,
    request::RequestedToken,
    token::{TokenRequest, token_response},
};
use axum::response::Response;
use keyward_edge::oauth_error::OAuthError;
use keyward_service::{
    Services,
    actor::Origin,
    oauth::{CodeRedemption, Redeemed},
    tokens::GrantSource,
};

/// Redeems an authorization code and returns a token response.
///
/// # Errors
/// As in RFC 6749 section 5.2.
pub async fn handle(request: &TokenRequest) -> Result<Response, OAuthError> {
    let TokenRequest { app, origin, headers, form } = request;
    let requested = RequestedToken::from_form(app, form)?;
    let client = client::require_public(headers, form)?;
    let coming = CodeRedemption {
        code: form.require("code")?,
        client: &client.id,
        redirect_uri: form.require("redirect_uri")?,
        verifier: form.require("code_verifier")?,
    };
    let redeemed = app.consent.redeem(origin, coming).await?.map_err(consent_error)?;
    issue_token(app, origin, &redeemed, requested).await
}

/// Issues a token for a grant whose code has just been redeemed. If the requested token cannot be issued, the grant is
/// revoked, because the code cannot be redeemed again.
pub(super) async fn issue_token(
    app: &Services,
    origin: &Origin,
    redeemed: &Redeemed,
    mut requested: RequestedToken<'_>,
) -> Result<Response, OAuthError> {
    requested.retain_scopes(&redeemed.scopes);
    let grant = GrantSource {
        grant: redeemed.grant,
        user: redeemed.user,
        client: redeemed.client,
        project: redeemed.project,
        scopes: &redeemed.scopes,
        life_max: redeemed.token_life_max,
        until: Some(redeemed.until),
    };
    match app.tokens.issue_for_grant(&grant, &requested.parameters(), app.context.now()) {
        Ok(made) => Ok(token_response(&made, None)),
        Err(refused) => {
            app.consent.revoke_unredeemed(origin, redeemed.grant, "The requested token could not be issued.").await?;
            Err(OAuthError::from_exchange(&refused, "invalid_grant"))
        }
    }
}
