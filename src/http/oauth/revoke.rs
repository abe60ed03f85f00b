//! `POST /oauth/revoke` (RFC 7009): a token that nobody is to use any more.

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

/// Revokes the token, for the key that it is of; one of a public client, which has no secret, for whoever holds it. One that is over,
/// or none of ours, is no error (section 2.2).
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
        // Whatever the key may do now: a token that leaked is not kept alive by a limit that somebody used up with it.
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
        // A client that says who it is must be the one (section 2.1).
        (Holder::Grant { .. }, None) => client.is_none_or(|client| known.holder.is_client(&client.id)),
        (Holder::Grant { .. }, Some(_)) => false,
    };
    if !may {
        return Err(OAuthError::bad("unauthorized_client", "This token is another client's."));
    }
    match (app.tokens.revoke(&known, &origin).await?, known.holder) {
        (Ok(()), _) => Ok(done()),
        // RFC 7009 section 2.2.1. Whoever holds the key can do without it.
        (Err(too_many), Holder::Key(_)) => Err(OAuthError::too_many(&too_many.to_string(), too_many.seconds)),
        // Whoever stole such a token can make and revoke a thousand more: that must not keep it alive.
        (Err(_), Holder::Grant { grant, .. }) => {
            app.consent.give_up(&origin, grant, "A thousand of its tokens were revoked within a day.").await?;
            Ok(done())
        }
    }
}

fn done() -> Response {
    never_kept(StatusCode::OK.into_response())
}
