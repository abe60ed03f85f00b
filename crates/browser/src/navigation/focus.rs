//! Focus management after the focused element is removed.

use super::find;
use leptos::prelude::document;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement};

fn focus(element: Element) {
    if let Ok(element) = element.dyn_into::<HtmlElement>() {
        let _ = element.focus();
    }
}

/// Moves the focus after a change of the page: to the first control of a dialog without focus, or back to the element
/// that opened the closed dialog.
pub fn restore_focus(opener: Option<String>) {
    let active = document().active_element();
    if let Some(dialog) = find("dialog[open]") {
        if !active.is_some_and(|it| dialog.contains(Some(&it))) {
            let first = dialog.query_selector("[autofocus], input:not([type=hidden]), button, a").ok().flatten();
            focus(first.unwrap_or(dialog));
        }
        return;
    }
    if active.is_none_or(|it| it.tag_name() == "BODY" || !it.is_connected()) {
        let back = opener.and_then(|id| document().get_element_by_id(&id)).or_else(|| find("#main"));
        if let Some(back) = back {
            focus(back);
        }
    }
}

/// Focuses the first invalid field and opens its `details` element. Without an invalid field, focuses the submit
/// button.
pub fn focus_first_invalid() {
    let place = if find("dialog[open]").is_some() { "dialog[open]" } else { "main" };
    let within = |selector: &str| find(&format!("{place} {selector}"));
    let Some(element) = within("[aria-invalid=true]").or_else(|| within("form button:not([type=button])")) else {
        return;
    };
    if let Ok(Some(details)) = element.closest("details") {
        let _ = details.set_attribute("open", "");
    }
    focus(element);
}
