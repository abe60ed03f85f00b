//! Text in elements whose children Leptos does not escape: `textarea` and `title`. No other file draws them
//! (`tests/all/markup.rs` checks that).

use leptos::prelude::*;

/// A text as the content of a `textarea` or `title` element, where character references count and tags do not (HTML, "escapable raw
/// text elements").
///
/// `leptos_meta` 0.8 writes a title as it is, and `tachys` 0.2 the children of a `textarea`.
pub fn escape_text(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A `textarea` with a text in it, without its label: as [`super::field::Area`] and the config editor draw it.
#[component]
pub fn TextArea(
    /// Of the area, and its id.
    name: &'static str,
    class: &'static str,
    text: String,
    /// Lines that are shown at first.
    rows: u8,
    #[prop(optional)] required: bool,
    #[prop(optional)] read_only: bool,
    #[prop(optional)] autofocus: bool,
    invalid: bool,
    #[prop(into)] described_by: Option<String>,
) -> impl IntoView {
    // A parser drops the first line break of a `textarea`: this one, and not one of the text.
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
