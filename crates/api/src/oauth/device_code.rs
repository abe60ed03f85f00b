//! Device authorization grant (RFC 8628): the device authorization endpoint, and the grant type
//! `urn:ietf:params:oauth:grant-type:device_code` (section 3.4).

use super::{
    authorization_code::issue_token,
    client, consent_error,
    form::Form,
    request::{RequestedToken, several_resources},
    token::TokenRequest,
};
use axum::{
    Extension,
    extract::State,
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use keyward_edge::oauth_error::{OAuthError, no_store};
use keyward_service::{Services, actor::Origin, oauth::INTERVAL};
use serde::Serialize;
use zeroize::Zeroizing;

/// Handles a poll of the device: returns a token response once the user has given the consent.
///
/// # Errors
/// As in RFC 8628 section 3.5.
pub async fn handle(request: &TokenRequest) -> Result<Response, OAuthError> {
    let TokenRequest { app, origin, headers, form } = request;
    let requested = RequestedToken::from_form(app, form)?;
    let client = client::require_public(headers, form)?;
    let polled = app.consent.poll(&client.id, form.require("device_code")?).await?;
    issue_token(app, origin, &polled.map_err(consent_error)?, requested).await
}

/// Device authorization response (RFC 8628 section 3.2).
#[derive(Serialize)]
struct DeviceAuthorizationResponse<'a> {
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
/// As in RFC 6749 section 5.2 and RFC 8707 section 2.
pub async fn device_authorization(
    State(app): State<Services>,
    Extension(origin): Extension<Origin>,
    headers: HeaderMap,
    form: Form,
) -> Result<Response, OAuthError> {
    let client = client::require_public(&headers, &form)?;
    let scope = form.get("scope")?.unwrap_or_default();
    let resource = match form.distinct("resource").as_slice() {
        [] => None,
        [resource] => Some(*resource),
        _ => return Err(several_resources()),
    };
    let begun = app.consent.start_device_authorization(origin.ip, &client.id, scope, resource).await?;
    let begun = begun.map_err(consent_error)?;
    let page = format!("{}/device", app.config.public_url);
    let body = DeviceAuthorizationResponse {
        // Exposed for the response: this is the only one that contains the code.
        device_code: begun.device_code.expose(),
        user_code: &begun.user_code,
        verification_uri_complete: Zeroizing::new(format!("{page}?user_code={}", begun.user_code)),
        verification_uri: &page,
        expires_in: begun.expires_in,
        interval: INTERVAL,
    };
    Ok(no_store(axum::Json(body).into_response()))
}
