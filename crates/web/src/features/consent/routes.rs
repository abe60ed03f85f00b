//! Pages and form actions of OAuth consent and device authorization.

use super::{
    AuthorizePage, DeviceConfirmPage, DevicePage,
    api::{CheckDevice, SubmitConsent, SubmitDeviceConsent},
};
use crate::{
    domain::consent::ResponseDelivery,
    features::{
        Feature,
        access::Access,
        form_route::{ActionResult, FormRoute, form, redirect, render_once},
        page_route::{PageRoute, page},
    },
};
use leptos_router::path;

pub const FEATURE: Feature = Feature { pages, forms, navigation: &[] };

fn pages() -> Vec<PageRoute> {
    vec![
        // A request with an unknown client or redirect URI is refused on this page, also without a session (RFC 6749
        // section 4.1.2.1).
        page(Access::Public, path!("/authorize"), AuthorizePage),
        page(Access::SignedIn, path!("/device"), DevicePage),
        page(Access::SignedIn, path!("/device/confirm"), DeviceConfirmPage),
    ]
}

fn forms() -> Vec<FormRoute> {
    vec![
        form::<SubmitConsent>(Access::SignedIn, "/authorize", |answer, _| send_authorization_response(answer))
            .without_draft(),
        form::<CheckDevice>(Access::SignedIn, "/device", |code, _| redirect_to_device_confirmation(&code))
            .without_draft(),
        form::<SubmitDeviceConsent>(Access::SignedIn, "/device/confirm", |allowed, _| {
            redirect(format!("/device?done={}", if allowed { "allowed" } else { "denied" }))
        })
        .without_draft(),
    ]
}

/// Sends the authorization response to the client (RFC 6749 section 4.1.2): redirects the browser, or posts a message
/// to the opener window.
fn send_authorization_response(answer: ResponseDelivery) -> ActionResult {
    match answer {
        // Exposed for the redirect: this is the only response that contains the code.
        ResponseDelivery::Redirect(to) if to.expose().starts_with("http://[") => {
            ActionResult::ExternalRedirect(to.expose().to_owned())
        }
        ResponseDelivery::Redirect(to) => redirect(to.expose()),
        message => render_once(message),
    }
}

/// Redirects to the confirmation page for the device with this user code.
fn redirect_to_device_confirmation(code: &str) -> ActionResult {
    let code: String = url::form_urlencoded::byte_serialize(code.trim().as_bytes()).collect();
    redirect(format!("/device/confirm?user_code={code}"))
}
