//! Where a person goes after signing in: only ever to a page of ours.

use leptos::prelude::GetUntracked;
use leptos_router::{
    hooks::use_location,
    location::{Location, Url},
};

/// The path, if it is one of ours: `//host` and `/\host` lead elsewhere, and control characters are dropped by browsers.
pub fn own_path(path: &str) -> Option<&str> {
    let mut letters = path.chars();
    let ours = letters.next() == Some('/') && !matches!(letters.next(), Some('/' | '\\'));
    // What a GET begins is begun by a press on the page that offers it, not by a link that leads through the sign-in.
    let begins = ["/settings/security/link", "/login/oidc"].iter().any(|it| path.starts_with(it));
    (ours && !begins && !path.contains(|c: char| c.is_control() || c == '\\')).then_some(path)
}

/// The sign-in page's address, from which one comes back here.
fn login_address(location: &Location) -> String {
    let (path, query) = (location.pathname.get_untracked(), location.search.get_untracked());
    let here = if query.is_empty() { path } else { format!("{path}?{query}") };
    if here == "/keys" || here == "/" { "/login".into() } else { format!("/login?next={}", Url::escape(&here)) }
}

/// The sign-in page's address, for the page that is open.
pub fn to_login() -> String {
    login_address(&use_location())
}

#[cfg(test)]
mod tests {
    use super::own_path;

    #[test]
    fn only_our_own_paths_are_followed() {
        for ours in ["/", "/keys", "/keys?status=deleted", "/keys/new?a=//b"] {
            assert_eq!(own_path(ours), Some(ours));
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
        ] {
            assert_eq!(own_path(other), None, "{other}");
        }
    }
}
