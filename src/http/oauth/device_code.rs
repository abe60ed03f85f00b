//! Device authorization grant (RFC 8628): the device authorization endpoint, and the grant type
//! `urn:ietf:params:oauth:grant-type:device_code` (section 3.4).

use super::{
    asked::Asked,
    authorization_code::token_of,
    client,
    error::{OAuthError, never_kept},
    form::Form,
    token::TokenRequest,
};
use crate::service::{App, actor::Origin, oauth::INTERVAL};
use axum::{
    Extension,
    extract::State,
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use zeroize::Zeroizing;

/// Handles a poll of the device: returns a token response once the user has given the consent.
///
/// # Errors
/// As in RFC 8628 section 3.5.
pub async fn answer(request: &TokenRequest) -> Result<Response, OAuthError> {
    let TokenRequest { app, origin, headers, form } = request;
    let asked = Asked::read(app, form)?;
    let client = client::public(headers, form)?;
    let heard = app.consent.poll(&client.id, form.need("device_code")?).await?;
    token_of(app, origin, &heard.map_err(OAuthError::of_denied)?, asked).await
}

/// Device authorization response (RFC 8628 section 3.2).
#[derive(Serialize)]
struct Begins<'a> {
    device_code: &'a str,
    user_code: &'a str,
    verification_uri: &'a str,
    verification_uri_complete: Zeroizing<String>,
    expires_in: i64,
    interval: i64,
}

/// `POST /oauth/device_authorization`: starts a device authorization.
///
/// # Errors
/// As in RFC 6749 section 5.2.
pub async fn device_authorization(
    State(app): State<App>,
    Extension(origin): Extension<Origin>,
    headers: HeaderMap,
    form: Form,
) -> Result<Response, OAuthError> {
    let client = client::public(&headers, &form)?;
    let (scope, resource) = (form.one("scope")?.unwrap_or_default(), form.one("resource")?);
    let begun = app.consent.begin_device(origin.ip, &client.id, scope, resource).await?;
    let begun = begun.map_err(OAuthError::of_denied)?;
    let page = format!("{}/device", app.config.public_url);
    let body = Begins {
        // Exposed for the response: this is the only one that contains the code.
        device_code: begun.device_code.expose(),
        user_code: &begun.user_code,
        verification_uri_complete: Zeroizing::new(format!("{page}?user_code={}", begun.user_code)),
        verification_uri: &page,
        expires_in: begun.expires_in,
        interval: INTERVAL,
    };
    Ok(never_kept(axum::Json(body).into_response()))
}
