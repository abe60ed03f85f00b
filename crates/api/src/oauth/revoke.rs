//! `POST /oauth/revoke`: token revocation (RFC 7009).

use super::{client::Client, form::Form};
use axum::{
    Extension,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use keyward_edge::oauth_error::{OAuthError, no_store};
use keyward_service::{Services, actor::Origin, tokens::Subject};

/// Revokes a token. A key's token requires authentication as that key. A token of a public client, which has no secret,
/// can be revoked by every bearer. An expired or unknown token is not an error (section 2.2).
pub async fn revoke(
    State(app): State<Services>,
    Extension(origin): Extension<Origin>,
    headers: HeaderMap,
    form: Form,
) -> Result<Response, OAuthError> {
    let client = Client::from_request(&headers, &form)?;
    let text = form.require("token")?;
    form.get("token_type_hint")?;
    let key = match &client {
        // Independent of the state of the key: a rate limit exhausted by an attacker must not prevent the revocation of
        // a leaked token.
        Some(client) if client.client_secret.is_some() => Some(client.check_secret(&app).await?),
        _ => None,
    };
    let Ok(known) = app.tokens.parse(text) else { return Ok(done()) };
    let may = match (known.subject, key) {
        (Subject::Key(of), Some(key)) => of == key,
        (Subject::Key(_), None) => {
            let words = "This token belongs to a key. Authenticate with that key, by HTTP Basic or in the body.";
            return Err(OAuthError::invalid_client(words));
        }
        // A client that identifies itself must be the client of the token (section 2.1).
        (Subject::Grant { .. }, None) => client.is_none_or(|client| known.subject.is_client(&client.id)),
        (Subject::Grant { .. }, Some(_)) => false,
    };
    if !may {
        return Err(OAuthError::bad_request("unauthorized_client", "This token belongs to another client."));
    }
    match (app.tokens.revoke(&known, &origin).await?, known.subject) {
        (Ok(()), _) => Ok(done()),
        // RFC 7009 section 2.2.1. Only a holder of the key can exhaust this limit, and they gain nothing from a token
        // that stays valid: they can issue new ones.
        (Err(too_many), Subject::Key(_)) => Err(OAuthError::too_many_requests(&too_many.to_string(), too_many.seconds)),
        // An attacker with such a token could issue and revoke a thousand more. The limit must not keep the stolen
        // token valid, so the grant is revoked.
        (Err(_), Subject::Grant { grant, .. }) => {
            app.consent.revoke_unredeemed(&origin, grant, "1,000 of its tokens were revoked within a day.").await?;
            Ok(done())
        }
    }
}

fn done() -> Response {
    no_store(StatusCode::OK.into_response())
}
