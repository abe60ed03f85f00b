//! `POST /oauth/revoke`: token revocation (RFC 7009).

use super::{
    client::Client,
    error::{OAuthError, never_kept},
    form::Form,
};
use crate::service::{App, actor::Origin, tokens::Holder};
use axum::{
    Extension,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};

/// Revokes a token. A key's token requires authentication as that key. A token of a public client, which has no secret,
/// can be revoked by every bearer. An expired or unknown token is not an error (section 2.2).
pub async fn revoke(
    State(app): State<App>,
    Extension(origin): Extension<Origin>,
    headers: HeaderMap,
    form: Form,
) -> Result<Response, OAuthError> {
    let client = Client::read(&headers, &form)?;
    let text = form.need("token")?;
    form.one("token_type_hint")?;
    let key = match &client {
        // Independent of the state of the key: a rate limit exhausted by an attacker must not prevent the revocation of
        // a leaked token.
        Some(client) if client.proof.is_some() => Some(client.holds(&app).await?),
        _ => None,
    };
    let Ok(known) = app.tokens.read(text) else { return Ok(done()) };
    let may = match (known.holder, key) {
        (Holder::Key(of), Some(key)) => of == key,
        (Holder::Key(_), None) => {
            let words = "This token is of a key: prove that you hold it, by HTTP Basic or in the body.";
            return Err(OAuthError::invalid_client(words));
        }
        // A client that identifies itself must be the client of the token (section 2.1).
        (Holder::Grant { .. }, None) => client.is_none_or(|client| known.holder.is_client(&client.id)),
        (Holder::Grant { .. }, Some(_)) => false,
    };
    if !may {
        return Err(OAuthError::bad("unauthorized_client", "This token is another client's."));
    }
    match (app.tokens.revoke(&known, &origin).await?, known.holder) {
        (Ok(()), _) => Ok(done()),
        // RFC 7009 section 2.2.1. Only a holder of the key can exhaust this limit, and they gain nothing from a token
        // that stays valid: they can issue new ones.
        (Err(too_many), Holder::Key(_)) => Err(OAuthError::too_many(&too_many.to_string(), too_many.seconds)),
        // An attacker with such a token could issue and revoke a thousand more. The limit must not keep the stolen
        // token valid, so the grant is revoked.
        (Err(_), Holder::Grant { grant, .. }) => {
            app.consent.give_up(&origin, grant, "A thousand of its tokens were revoked within a day.").await?;
            Ok(done())
        }
    }
}

fn done() -> Response {
    never_kept(StatusCode::OK.into_response())
}
