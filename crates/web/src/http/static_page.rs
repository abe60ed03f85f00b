//! Static page: an HTML document rendered outside of the application.

use super::{assets, theme_cookie};
use crate::domain::theme::Theme;
use axum::http::HeaderMap;

/// Returns the document around a body. `title` must be escaped HTML. `styles` are stylesheets in addition to the common
/// one.
pub fn document(headers: &HeaderMap, title: &str, styles: &[&str], body: &str) -> String {
    let pkg = assets::prefix();
    let theme = match theme_cookie::from_headers(headers) {
        Theme::System => String::new(),
        chosen => format!(" data-theme=\"{}\"", chosen.as_str()),
    };
    let styles: String =
        styles.iter().map(|file| format!("<link rel=\"stylesheet\" href=\"/{pkg}/{file}\">\n")).collect();
    format!(
        r#"<!doctype html>
<html lang="en"{theme}>
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<link rel="icon" href="/{pkg}/favicon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/{pkg}/keyward.css">
{styles}</head>
<body>{body}</body>
</html>
"#
    )
}
