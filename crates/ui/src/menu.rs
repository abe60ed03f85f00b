//! Popover menu with its button.

use super::{button::IconButton, icon::Icon};
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
        <IconButton icon=Icon::Dots name opens=id.clone() id=format!("{id}-button") />
        <div class="menu" id=id popover="auto">
            {children()}
        </div>
    }
    .into_any()
}
