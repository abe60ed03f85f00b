//! A page that is drawn without the application: its head, and which of the house's styles it has.

use super::{assets, theme};
use crate::domain::theme::Theme;
use axum::http::HeaderMap;

/// The document around a body. `title` is HTML already; `styles` are files of the site beside the house's own.
pub fn document(headers: &HeaderMap, title: &str, styles: &[&str], body: &str) -> String {
    let pkg = assets::prefix();
    let theme = match theme::read(headers) {
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
