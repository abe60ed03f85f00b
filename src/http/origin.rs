//! The origin rule: with a cookie, nothing changes but from our own pages.
//!
//! Every unsafe request must say `Origin` equal to the public URL, scheme included, or `Sec-Fetch-Site: same-origin`. Absent or
//! other is refused: a browser that sends neither is older than the cookies' own defences.
//!
//! A safe request must open a page or come from a script of ours. A subdomain of the same site sends our cookie along when it loads a
//! page of ours as an image, and some pages write an audit event.

use super::{AppState, error_page};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::Next,
    response::Response,
};

/// Refuses what other origins send.
pub async fn guard(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let headers = request.headers();
    let is = |name: &str, value: &str| headers.get(name).is_some_and(|v| v.as_bytes() == value.as_bytes());
    let ours =
        is(header::ORIGIN.as_str(), &state.app.config.public_url.to_string()) || is("sec-fetch-site", "same-origin");
    if request.method().is_safe() && !is_page_request(headers) {
        let words =
            "Pages of this Keyward cannot be shown inside another page. Open the address in a window of its own.";
        return error_page::respond(StatusCode::FORBIDDEN, "foreign_origin", words, headers, request.uri().path());
    }
    if request.method().is_safe() || ours {
        return next.run(request).await;
    }
    let words = "The request did not come from a page of this Keyward, so nothing was changed. Open the page at its own address \
        and try again.";
    error_page::respond(StatusCode::FORBIDDEN, "foreign_origin", words, headers, request.uri().path())
}

/// Whether a safe request opens a page, or is sent by a script of ours (Fetch Metadata). Browsers send no such headers on plain HTTP.
fn is_page_request(headers: &HeaderMap) -> bool {
    let value = |name: &str| headers.get(name).map(HeaderValue::as_bytes);
    match value("sec-fetch-dest") {
        None | Some(b"document") => true,
        Some(b"empty") => matches!(value("sec-fetch-site"), None | Some(b"same-origin" | b"none")),
        Some(_) => false,
    }
}

/// Whether somebody came here by a link on a page of ours: for a GET that begins something. Browsers say it in `Sec-Fetch-Site`,
/// and on plain HTTP, where they do not, in `Referer`, which our pages send to ourselves alone.
pub fn is_own_navigation(state: &AppState, headers: &HeaderMap) -> bool {
    let said = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    match said("sec-fetch-site") {
        Some(site) => site == "same-origin",
        None => said("referer").is_some_and(|from| from.starts_with(&format!("{}/", state.app.config.public_url))),
    }
}
