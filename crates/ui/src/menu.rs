//! A menu that opens at its button.

use super::icon::Icon;
use leptos::prelude::*;

/// The button with three dots, and what it opens. The browser opens it: no script is needed.
#[component]
pub fn RowMenu(
    /// Of the menu; the button's is `{id}-button`.
    id: String,
    /// "Actions for key Starter Integration".
    name: String,
    children: Children,
) -> impl IntoView {
    view! {
        <button
            class="button button--quiet button--icon"
            type="button"
            id=format!("{id}-button")
            popovertarget=id.clone()
            aria-label=name
        >
            {Icon::Dots.view()}
        </button>
        <div class="menu" id=id popover="auto">
            {children()}
        </div>
    }
    .into_any()
}
