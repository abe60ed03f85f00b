//! `urn:ietf:params:oauth:grant-type:device_code` (RFC 8628 section 3.4): a device asks what a person answered.

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

/// Answers with a token once the person has said yes.
///
/// # Errors
/// As RFC 8628 section 3.5 says.
pub async fn answer(request: &TokenRequest) -> Result<Response, OAuthError> {
    let TokenRequest { app, origin, headers, form } = request;
    let asked = Asked::read(app, form)?;
    let client = client::public(headers, form)?;
    let heard = app.consent.poll(&client.id, form.need("device_code")?).await?;
    token_of(app, origin, &heard.map_err(OAuthError::of_denied)?, asked).await
}

/// What a device is told when it begins (RFC 8628 section 3.2).
#[derive(Serialize)]
struct Begins<'a> {
    device_code: &'a str,
    user_code: &'a str,
    verification_uri: &'a str,
    verification_uri_complete: Zeroizing<String>,
    expires_in: i64,
    interval: i64,
}

/// `POST /oauth/device_authorization`: a device begins.
///
/// # Errors
/// As RFC 6749 section 5.2 says.
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
        // Exposed to be sent: this is the one answer that may.
        device_code: begun.device_code.expose(),
        user_code: &begun.user_code,
        verification_uri_complete: Zeroizing::new(format!("{page}?user_code={}", begun.user_code)),
        verification_uri: &page,
        expires_in: begun.expires_in,
        interval: INTERVAL,
    };
    Ok(never_kept(axum::Json(body).into_response()))
}
