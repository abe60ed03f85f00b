//! CSRF protection: requests with cookies must come from our own pages.
//!
//! Every unsafe request must have an `Origin` equal to the public URL, including the scheme, or `Sec-Fetch-Site:
//! same-origin`. Requests with neither are denied: a browser that sends neither header is older than `SameSite`
//! cookies.
//!
//! A safe request must be a navigation or come from our own script. A subdomain of the same site sends our cookie when
//! it loads one of our pages as an image, and some pages write an audit event.

use super::{
    AppState,
    error_page::{self, RequestInfo},
};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::Next,
    response::Response,
};

/// Denies requests from other origins.
pub async fn guard(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let headers = request.headers();
    let is = |name: &str, value: &str| headers.get(name).is_some_and(|v| v.as_bytes() == value.as_bytes());
    let ours =
        is(header::ORIGIN.as_str(), &state.app.config.public_url.to_string()) || is("sec-fetch-site", "same-origin");
    if request.method().is_safe() && !is_page_request(headers) {
        let words = "Keyward pages cannot be embedded in other pages. Open the address in its own window.";
        return error_page::respond(StatusCode::FORBIDDEN, "foreign_origin", words, &RequestInfo::of(&request));
    }
    if request.method().is_safe() || ours {
        return next.run(request).await;
    }
    let words = "The request did not come from a Keyward page, so nothing was changed. Open the page at its own address and try \
        again.";
    error_page::respond(StatusCode::FORBIDDEN, "foreign_origin", words, &RequestInfo::of(&request))
}

/// Whether a safe request is a navigation or comes from our own script (Fetch Metadata). On plain HTTP browsers do not
/// send these headers.
fn is_page_request(headers: &HeaderMap) -> bool {
    let value = |name: &str| headers.get(name).map(HeaderValue::as_bytes);
    match value("sec-fetch-dest") {
        None | Some(b"document") => true,
        Some(b"empty") => matches!(value("sec-fetch-site"), None | Some(b"same-origin" | b"none")),
        Some(_) => false,
    }
}

/// Whether the user followed a link on one of our own pages. Required for a GET that starts a flow. Browsers report it
/// in `Sec-Fetch-Site`; on plain HTTP, where they do not send it, in `Referer`, which our pages send only to this
/// server.
pub fn is_own_navigation(state: &AppState, headers: &HeaderMap) -> bool {
    let header_text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    match header_text("sec-fetch-site") {
        Some(site) => site == "same-origin",
        None => {
            header_text("referer").is_some_and(|from| from.starts_with(&format!("{}/", state.app.config.public_url)))
        }
    }
}
