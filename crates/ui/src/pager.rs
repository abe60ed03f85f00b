//! Pager: the position in a list, and links to its other pages.

use leptos::prelude::*;

/// The pager of a list. `navigation` scrolls to the start of the list after a link of it.
#[component]
pub fn Pager(
    /// The position: "51–100 of 954".
    #[prop(into)]
    position: String,
    /// URL of the previous page.
    #[prop(optional_no_strip)]
    previous: Option<String>,
    /// URL of the next page.
    #[prop(optional_no_strip)]
    next: Option<String>,
) -> impl IntoView {
    let previous = previous.map(|to| view! { <a class="button" href=to rel="prev">"Previous"</a> });
    let next = next.map(|to| view! { <a class="button" href=to rel="next">"Next"</a> });
    view! {
        <nav class="pager" aria-label="Pages">
            <span>{position}</span>
            <span class="actions">{previous} {next}</span>
        </nav>
    }
    .into_any()
}

/// Returns the position of a page: `first` counts from zero. A list whose total is a lower bound has `total` with a
/// plus sign.
pub fn position(first: u64, length: usize, total: &str) -> String {
    let length = u64::try_from(length).unwrap_or_default();
    if length == 1 {
        format!("{} of {total}", first + 1)
    } else {
        format!("{}–{} of {total}", first + 1, first + length)
    }
}
