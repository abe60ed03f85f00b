//! The origin rule: with a cookie, nothing changes but from our own pages.
//!
//! Every unsafe request must say `Origin` equal to the public URL, scheme included, or `Sec-Fetch-Site: same-origin`. Absent or
//! other is refused: a browser that sends neither is older than the cookies' own defences.

use super::{AppState, error_page};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    middleware::Next,
    response::Response,
};

/// Refuses what other origins send.
pub async fn guard(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let headers = request.headers();
    let is = |name: &str, value: &str| headers.get(name).is_some_and(|v| v.as_bytes() == value.as_bytes());
    let ours =
        is(header::ORIGIN.as_str(), &state.app.config.public_url.to_string()) || is("sec-fetch-site", "same-origin");
    if request.method().is_safe() || ours {
        return next.run(request).await;
    }
    let words = "The request did not come from a page of this Keyward, so nothing was changed. Open the page at its own address \
        and try again.";
    error_page::respond(StatusCode::FORBIDDEN, "foreign_origin", words, headers, request.uri().path())
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
