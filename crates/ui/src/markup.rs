//! Escaped text in elements whose children Leptos does not escape: `textarea` and `title`.
//!
//! No other file renders these elements (`tests/all/html_escaping.rs` checks that).

use leptos::prelude::*;

/// Escapes a text as the content of a `textarea` or `title` element, where character references are decoded and tags
/// are not (HTML, "escapable raw text elements").
///
/// `leptos_meta` 0.8 does not escape a title, and `tachys` 0.2 does not escape the children of a `textarea`.
pub fn escape_text(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A `textarea` with text, without its label. Used by [`super::field::Area`] and the config editor.
#[component]
pub fn TextArea(
    /// Name and id of the text area.
    name: &'static str,
    class: &'static str,
    text: String,
    /// Number of visible lines.
    rows: u8,
    #[prop(optional)] required: bool,
    #[prop(optional)] read_only: bool,
    #[prop(optional)] autofocus: bool,
    invalid: bool,
    #[prop(into)] described_by: Option<String>,
) -> impl IntoView {
    // The HTML parser drops the first line break of a `textarea`. This one protects a line break at the start of the
    // text.
    let content = format!("\n{}", escape_text(&text));
    view! {
        <textarea
            class=class
            id=name
            name=name
            rows=rows.to_string()
            spellcheck="false"
            autocomplete="off"
            required=required
            readonly=read_only
            autofocus=autofocus
            aria-invalid=invalid.then_some("true")
            aria-describedby=described_by
            inner_html=content
        ></textarea>
    }
    .into_any()
}
