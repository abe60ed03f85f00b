//! `Cross-Origin-Opener-Policy`: whether a page keeps the connection to the window that opened it.
//!
//! Only the consent page of a request with `response_mode=web_message` (`/authorize?…&response_mode=web_message`) keeps
//! it, and the sign-in pages that lead to it: once a browser has cut the connection, it does not restore it.

use axum::{
    extract::Request,
    http::{HeaderName, HeaderValue, Uri, header},
    middleware::Next,
    response::Response,
};
use std::borrow::Cow;

const POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const CONSENT_PAGE: &str = "/authorize";
/// The pages that can have the consent page in `next`: the steps of the sign-in, and the sign-out for another user.
const INTERMEDIATE_PAGES: [&str; 5] =
    ["/login", "/login/code", "/login/oidc", "/logout", "/settings/security/second-factor"];

/// Returns a query parameter.
fn parameter<'a>(query: &'a str, name: &str) -> Option<Cow<'a, str>> {
    url::form_urlencoded::parse(query.as_bytes()).find(|(it, _)| it == name).map(|(_, value)| value)
}

/// Whether the page at this URL posts its response to the window that opened it.
fn posts_to_opener(uri: &Uri) -> bool {
    let query = uri.query().unwrap_or_default();
    let asks = |query: &str| parameter(query, "response_mode").is_some_and(|mode| mode == "web_message");
    match uri.path() {
        CONSENT_PAGE => asks(query),
        path if INTERMEDIATE_PAGES.contains(&path) => parameter(query, "next")
            .is_some_and(|next| next.split_once('?').is_some_and(|(path, query)| path == CONSENT_PAGE && asks(query))),
        _ => false,
    }
}

/// Whether a response redirects to such a page, as the OpenID Connect callback does.
fn redirects_to_such_page(response: &Response) -> bool {
    let to = response.headers().get(header::LOCATION).and_then(|to| to.to_str().ok());
    to.filter(|to| to.starts_with('/')).and_then(|to| to.parse().ok()).is_some_and(|to| posts_to_opener(&to))
}

/// Sets the header to `unsafe-none` for these pages and redirects.
pub async fn set_policy(request: Request, next: Next) -> Response {
    let told = posts_to_opener(request.uri());
    let mut response = next.run(request).await;
    if told || redirects_to_such_page(&response) {
        response.headers_mut().insert(POLICY, HeaderValue::from_static("unsafe-none"));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_and_the_way_to_it_alone() {
        let told = |uri: &str| posts_to_opener(&uri.parse().unwrap());
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
        assert!(told(&format!("/login/oidc?next={next}")) && told(&format!("/logout?next={next}")));
        let leads = |to: &str| {
            let mut response = Response::default();
            response.headers_mut().insert(header::LOCATION, to.parse().unwrap());
            redirects_to_such_page(&response)
        };
        assert!(leads("/authorize?response_mode=web_message"));
        for other in [
            "/keys",
            "https://evil.example/authorize?response_mode=web_message",
            "//evil.example/authorize?response_mode=web_message",
        ] {
            assert!(!leads(other), "{other}");
        }
    }
}
