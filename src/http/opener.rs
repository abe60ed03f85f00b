//! Whether a page may be known to the window that opened it.
//!
//! None may, but the one on which a person answers a program that asked from a page of its own
//! (`/authorize?…&response_mode=web_message`), and the sign-in on the way there: a browser that once cut the tie does not
//! bring it back.

use axum::{
    extract::Request,
    http::{HeaderName, HeaderValue, Uri},
    middleware::Next,
    response::Response,
};
use std::borrow::Cow;

const POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const PAGE: &str = "/authorize";
/// The pages that lead there by `next`.
const ON_THE_WAY: [&str; 3] = ["/login", "/login/code", "/settings/security/second-factor"];

/// The parameter of an address.
fn parameter<'a>(query: &'a str, name: &str) -> Option<Cow<'a, str>> {
    url::form_urlencoded::parse(query.as_bytes()).find(|(it, _)| it == name).map(|(_, value)| value)
}

/// Whether the answer to this address is told to the window that opened it.
fn is_told(uri: &Uri) -> bool {
    let query = uri.query().unwrap_or_default();
    let asks = |query: &str| parameter(query, "response_mode").is_some_and(|mode| mode == "web_message");
    match uri.path() {
        PAGE => asks(query),
        path if ON_THE_WAY.contains(&path) => parameter(query, "next")
            .is_some_and(|next| next.split_once('?').is_some_and(|(path, query)| path == PAGE && asks(query))),
        _ => false,
    }
}

/// Says so.
pub async fn policy(request: Request, next: Next) -> Response {
    let told = is_told(request.uri());
    let mut response = next.run(request).await;
    if told {
        response.headers_mut().insert(POLICY, HeaderValue::from_static("unsafe-none"));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_and_the_way_to_it_alone() {
        let told = |uri: &str| is_told(&uri.parse().unwrap());
        let next = "%2Fauthorize%3Fa%3Db%26response_mode%3Dweb_message";
        assert!(told("/authorize?a=b&response_mode=web_message"));
        assert!(told(&format!("/login?next={next}")) && told(&format!("/login/code?next={next}")));
        for other in [
            "/authorize",
            "/authorize?response_mode=query",
            "/login",
            "/login?next=%2Fkeys%3Fresponse_mode%3Dweb_message",
            "/login?response_mode=web_message",
            "/keys?response_mode=web_message",
            "/authorize/x?response_mode=web_message",
        ] {
            assert!(!told(other), "{other}");
        }
        assert!(!told(&format!("/keys?next={next}")));
    }
}
