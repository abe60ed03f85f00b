//! The `next` parameter: the path to go to after sign-in. Only local paths are allowed, to prevent open redirects.

use axum::http::request::Parts;
use leptos::prelude::GetUntracked;
use leptos_router::{hooks::use_location, location::Url};

/// Returns the path if it is local. `//host` and `/\host` lead to another host, and browsers drop control characters. A
/// path with dot segments is rejected, since browsers remove them: `/x/../login/oidc` is `/login/oidc`.
pub fn local_path(path: &str) -> Option<&str> {
    let mut letters = path.chars();
    let ours = letters.next() == Some('/') && !matches!(letters.next(), Some('/' | '\\'));
    // A GET of these paths starts a flow. A user must start it from the page that offers it, not through a link with a
    // `next` parameter.
    let begins = ["/settings/security/link", "/login/oidc"].iter().any(|it| path.starts_with(it));
    let only_path = path.split(['?', '#']).next().unwrap_or_default();
    let dots = only_path.split('/').any(|segment| {
        let segment = segment.replace("%2e", ".").replace("%2E", ".");
        segment == "." || segment == ".."
    });
    (ours && !begins && !dots && !path.contains(|c: char| c.is_control() || c == '\\')).then_some(path)
}

/// Returns the `next` parameter of the current URL if it is a local path. Parses the raw query, because the router's
/// query map decodes values twice and `next` can contain parameters of its own.
pub fn next_param() -> Option<String> {
    next_from_query(&use_location().search.get_untracked())
}

/// Returns the `next` parameter of a request if it is a local path, otherwise the default.
pub fn next_path(parts: &Parts, otherwise: &str) -> String {
    next_from_query(parts.uri.query().unwrap_or_default()).unwrap_or_else(|| otherwise.to_owned())
}

fn next_from_query(query: &str) -> Option<String> {
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    let next = pairs.find(|(name, _)| name == "next").map(|(_, next)| next.into_owned());
    next.filter(|next| local_path(next).is_some())
}

/// Returns the URL of a page that continues to `next`, a local path.
fn with_next(page: &str, next: &str) -> String {
    if matches!(next, "/" | "/keys") { page.to_owned() } else { format!("{page}?next={}", Url::escape(next)) }
}

/// Returns the path and query of the current page.
fn current_url() -> String {
    let location = use_location();
    let (path, query) = (location.pathname.get_untracked(), location.search.get_untracked());
    if query.is_empty() { path } else { format!("{path}?{query}") }
}

/// Returns the URL of the sign-in page that continues to `next`, a local path.
pub fn login_url(next: &str) -> String {
    with_next("/login", next)
}

/// Returns the URL of the sign-in page that returns to the current page.
pub fn login_url_for_current_page() -> String {
    login_url(&current_url())
}

/// Returns the URL of the sign-out page that continues to `next` after the sign-in of another user.
pub fn logout_url(next: &str) -> String {
    with_next("/logout", next)
}

/// Returns the URL of the sign-out page that returns to the current page after the sign-in of another user.
pub fn logout_url_for_current_page() -> String {
    logout_url(&current_url())
}

#[cfg(test)]
mod tests {
    use super::{local_path, next_from_query};

    #[test]
    fn what_it_holds_stays_as_it_is() {
        let next = next_from_query("done=x&next=%2Fauthorize%3Fstate%3Da%2526b%253Dc%26scope%3Dd").unwrap();
        assert_eq!(next, "/authorize?state=a%26b%3Dc&scope=d");
        assert_eq!(next_from_query("next=%2F%2Fevil.example"), None);
    }

    #[test]
    fn only_our_own_paths_are_followed() {
        for ours in ["/", "/keys", "/keys?status=deleted", "/keys/new?a=//b", "/keys?a=/../b", "/a..b/c"] {
            assert_eq!(local_path(ours), Some(ours));
        }
        for other in [
            "",
            "keys",
            "//evil.example",
            "/\\evil.example",
            "/\t/evil.example",
            "https://evil.example",
            "/a\\b",
            "/settings/security/link",
            "/login/oidc?next=/keys",
            "/x/../settings/security/link",
            "/./login/oidc",
            "/x/%2e%2E/login/oidc",
            "/x/.%2e/login/oidc#a",
            "/..",
        ] {
            assert_eq!(local_path(other), None, "{other}");
        }
    }
}
