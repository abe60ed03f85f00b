//! Choices that belong to what is chosen in the select beside them: the scopes of a project. What is not offered is not shown and
//! not sent; without scripts all are shown, and the server says what is wrong.

use super::{all, find, on_after};
use leptos::prelude::document;
use wasm_bindgen::JsCast;
use web_sys::{Event, HtmlElement, HtmlInputElement, HtmlSelectElement};

pub fn listen() {
    on_after(&document(), "change", |_: Event| settle());
}

/// Shows what is offered now.
pub fn settle() {
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
