//! Popover menu with its button.

use super::icon::Icon;
use leptos::prelude::*;

/// A three-dot button and its menu. It uses the popover API and needs no script.
#[component]
pub fn RowMenu(
    /// Id of the menu. The button has the id `{id}-button`.
    id: String,
    /// Accessible name: "Actions for key Starter Integration".
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
