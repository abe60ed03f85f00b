//! Where a person goes after signing in: only ever to a page of ours.

use crate::{
    error::{AppError, ErrorKind},
    ui::browser,
};
use leptos::prelude::*;
use leptos_router::{
    hooks::use_location,
    location::{Location, Url},
};

/// The path, if it is one of ours: `//host` and `/\host` lead elsewhere, and control characters are dropped by browsers.
pub fn own_path(path: &str) -> Option<&str> {
    let mut letters = path.chars();
    let ours = letters.next() == Some('/') && !matches!(letters.next(), Some('/' | '\\'));
    (ours && !path.contains(|c: char| c.is_control() || c == '\\')).then_some(path)
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

/// In the browser: when this failure says that the session has ended, leads to the sign-in page.
pub fn leave_if_signed_out(failure: impl Fn() -> Option<AppError> + Send + Sync + 'static) {
    let location = use_location();
    Effect::new(move |_| {
        if failure().is_some_and(|error| error.kind == ErrorKind::SignedOut) {
            browser::leave(&login_address(&location));
        }
    });
}

#[cfg(test)]
mod tests {
    use super::own_path;

    #[test]
    fn only_our_own_paths_are_followed() {
        for ours in ["/", "/keys", "/keys?status=deleted", "/keys/new?a=//b"] {
            assert_eq!(own_path(ours), Some(ours));
        }
        for other in
            ["", "keys", "//evil.example", "/\\evil.example", "/\t/evil.example", "https://evil.example", "/a\\b"]
        {
            assert_eq!(own_path(other), None, "{other}");
        }
    }
}
