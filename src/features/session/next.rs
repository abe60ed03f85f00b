//! Where a person goes after signing in: only ever to a page of ours.

use leptos::prelude::GetUntracked;
use leptos_router::{hooks::use_location, location::Url};

/// The path, if it is one of ours: `//host` and `/\host` lead elsewhere, and control characters are dropped by browsers. A path with
/// dot segments is refused, since browsers remove them: `/x/../login/oidc` is `/login/oidc`.
pub fn own_path(path: &str) -> Option<&str> {
    let mut letters = path.chars();
    let ours = letters.next() == Some('/') && !matches!(letters.next(), Some('/' | '\\'));
    // What a GET begins is begun by a press on the page that offers it, not by a link that leads through the sign-in.
    let begins = ["/settings/security/link", "/login/oidc"].iter().any(|it| path.starts_with(it));
    let only_path = path.split(['?', '#']).next().unwrap_or_default();
    let dots = only_path.split('/').any(|segment| {
        let segment = segment.replace("%2e", ".").replace("%2E", ".");
        segment == "." || segment == ".."
    });
    (ours && !begins && !dots && !path.contains(|c: char| c.is_control() || c == '\\')).then_some(path)
}

/// Where to go afterwards, as the page's address says it: only to a page of ours. Not by the router's map, which decodes what is
/// decoded already: what stands in it may hold parameters of its own.
pub fn next_here() -> Option<String> {
    next_in(&use_location().search.get_untracked())
}

fn next_in(query: &str) -> Option<String> {
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    let next = pairs.find(|(name, _)| name == "next").map(|(_, next)| next.into_owned());
    next.filter(|next| own_path(next).is_some())
}

/// The address of a page behind which one comes to `next`, a path of ours.
fn with_next(page: &str, next: &str) -> String {
    if matches!(next, "/" | "/keys") { page.to_owned() } else { format!("{page}?next={}", Url::escape(next)) }
}

/// The page that is open.
fn here() -> String {
    let location = use_location();
    let (path, query) = (location.pathname.get_untracked(), location.search.get_untracked());
    if query.is_empty() { path } else { format!("{path}?{query}") }
}

/// The sign-in page's address, from which one comes to `next`, a path of ours.
pub fn login_for(next: &str) -> String {
    with_next("/login", next)
}

/// The sign-in page's address, from which one comes back to the page that is open.
pub fn to_login() -> String {
    login_for(&here())
}

/// The address at which one signs out, to come to `next` as somebody else.
pub fn logout_for(next: &str) -> String {
    with_next("/logout", next)
}

/// The address at which one signs out, to come back to the page that is open as somebody else.
pub fn to_logout() -> String {
    logout_for(&here())
}

#[cfg(test)]
mod tests {
    use super::{next_in, own_path};

    #[test]
    fn what_it_holds_stays_as_it_is() {
        let next = next_in("done=x&next=%2Fauthorize%3Fstate%3Da%2526b%253Dc%26scope%3Dd").unwrap();
        assert_eq!(next, "/authorize?state=a%26b%3Dc&scope=d");
        assert_eq!(next_in("next=%2F%2Fevil.example"), None);
    }

    #[test]
    fn only_our_own_paths_are_followed() {
        for ours in ["/", "/keys", "/keys?status=deleted", "/keys/new?a=//b", "/keys?a=/../b", "/a..b/c"] {
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
            "/x/../settings/security/link",
            "/./login/oidc",
            "/x/%2e%2E/login/oidc",
            "/x/.%2e/login/oidc#a",
            "/..",
        ] {
            assert_eq!(own_path(other), None, "{other}");
        }
    }
}
