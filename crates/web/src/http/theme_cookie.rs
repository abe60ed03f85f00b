//! Theme cookie. It does not identify a user, so it works before sign-in.

use super::cookies;
use crate::domain::theme::Theme;
use axum::http::{HeaderMap, HeaderValue, header, request::Parts};
use leptos::prelude::{use_context, with_context};
use leptos_axum::ResponseOptions;

const NAME: &str = "theme";
/// Lifetime of the cookie in seconds: a year.
const COOKIE_MAX_AGE: u32 = 365 * 86_400;

/// Returns the theme of the current request, for the page shell.
pub fn current() -> Theme {
    with_context::<Parts, _>(|parts| from_headers(&parts.headers)).unwrap_or_default()
}

pub(super) fn from_headers(headers: &HeaderMap) -> Theme {
    cookies::value(headers, NAME).and_then(|value| value.parse().ok()).unwrap_or_default()
}

/// Sets the cookie in the current response. For the system theme it removes the cookie.
pub fn set_cookie(theme: Theme, https: bool) {
    let (value, age) = match theme {
        Theme::System => ("", 0),
        Theme::Light | Theme::Dark => (theme.as_str(), COOKIE_MAX_AGE),
    };
    let secure = if https { "; Secure" } else { "" };
    let cookie = format!("{NAME}={value}; Path=/; Max-Age={age}; HttpOnly; SameSite=Lax{secure}");
    if let (Some(options), Ok(cookie)) = (use_context::<ResponseOptions>(), HeaderValue::from_str(&cookie)) {
        // Appended, because `insert` would replace the session cookie.
        options.append_header(header::SET_COOKIE, cookie);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_is_found_among_others_and_anything_else_is_the_system_s() {
        let read = |cookie: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::COOKIE, cookie.parse().unwrap());
            from_headers(&headers)
        };
        assert_eq!(read("keyward=abc; theme=dark; zone=UTC"), Theme::Dark);
        assert_eq!(read("theme=light"), Theme::Light);
        for other in ["keyward=abc", "theme=", "theme=blue", "mytheme=dark", "theme"] {
            assert_eq!(read(other), Theme::System, "{other}");
        }
    }
}
