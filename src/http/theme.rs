//! The cookie in which a browser keeps the theme. It says nothing of a person, so that it works before anybody signs in.

use super::cookies;
use crate::domain::theme::Theme;
use axum::http::{HeaderMap, HeaderValue, header, request::Parts};
use leptos::prelude::{use_context, with_context};
use leptos_axum::ResponseOptions;

const NAME: &str = "theme";
/// Seconds for which a browser keeps it: a year.
const KEPT: u32 = 365 * 86_400;

/// The theme of the browser that sends this request: for the page's shell.
pub fn theme() -> Theme {
    with_context::<Parts, _>(|parts| read(&parts.headers)).unwrap_or_default()
}

pub(super) fn read(headers: &HeaderMap) -> Theme {
    cookies::value(headers, NAME).and_then(|value| value.parse().ok()).unwrap_or_default()
}

/// Tells the browser to keep this theme with the answer at hand; the system's is kept by keeping none.
pub fn keep(theme: Theme, https: bool) {
    let (value, age) = match theme {
        Theme::System => ("", 0),
        Theme::Light | Theme::Dark => (theme.as_str(), KEPT),
    };
    let secure = if https { "; Secure" } else { "" };
    let cookie = format!("{NAME}={value}; Path=/; Max-Age={age}; HttpOnly; SameSite=Lax{secure}");
    if let (Some(options), Ok(cookie)) = (use_context::<ResponseOptions>(), HeaderValue::from_str(&cookie)) {
        // Beside the session's cookie, not in its place.
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
            read(&headers)
        };
        assert_eq!(read("keyward=abc; theme=dark; zone=UTC"), Theme::Dark);
        assert_eq!(read("theme=light"), Theme::Light);
        for other in ["keyward=abc", "theme=", "theme=blue", "mytheme=dark", "theme"] {
            assert_eq!(read(other), Theme::System, "{other}");
        }
    }
}
