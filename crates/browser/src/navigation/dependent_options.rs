//! Dependent options: check boxes that depend on the value of a select, such as the scopes of a project.
//!
//! Unavailable options are hidden and not submitted. Without scripts all options are shown, and the server validates
//! the selection.

use super::{all, find, on_after};
use leptos::prelude::document;
use wasm_bindgen::JsCast;
use web_sys::{Event, HtmlElement, HtmlInputElement, HtmlSelectElement};

pub fn listen() {
    on_after(&document(), "change", |_: Event| after_morph());
}

/// Shows the options that are available for the current value.
pub fn after_morph() {
    let Some(select) = find("dialog #project").and_then(|it| it.dyn_into::<HtmlSelectElement>().ok()) else { return };
    let chosen = select.value();
    for row in all("[data-offered-for]").into_iter().filter_map(|it| it.dyn_into::<HtmlElement>().ok()) {
        let offered = row.get_attribute("data-offered-for").unwrap_or_default().split(' ').any(|value| value == chosen);
        row.set_hidden(!offered);
        if let Some(input) =
            row.query_selector("input").ok().flatten().and_then(|it| it.dyn_into::<HtmlInputElement>().ok())
        {
            input.set_disabled(!offered);
        }
    }
}
