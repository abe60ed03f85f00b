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

/// Focuses the initial control of a dialog: the one that the server chose, the first field, or the first button of the
/// footer. The close link in the header is first in the document, but it is the wrong control: Enter would close the
/// dialog.
pub fn focus_dialog(dialog: Element) {
    let first = [
        "[autofocus]",
        ".dialog__body :is(input:not([type=hidden], :disabled), select, textarea)",
        ".dialog__foot :is(a, button)",
        ".dialog__body :is(a, button)",
    ];
    let found = first.into_iter().find_map(|selector| dialog.query_selector(selector).ok().flatten());
    focus(found.unwrap_or(dialog));
}

/// Scrolls to the start of a list, and focuses it.
pub fn focus_start(list: &Element) {
    if !list.has_attribute("tabindex") {
        let _ = list.set_attribute("tabindex", "-1");
    }
    focus(list.clone());
    list.scroll_into_view();
}

/// Moves the focus after a change of the page: to the first control of a dialog without focus, or back to the element
/// that opened the closed dialog.
pub fn restore_focus(opener: Option<String>) {
    let active = document().active_element();
    if let Some(dialog) = find("dialog[open]") {
        if !active.is_some_and(|it| dialog.contains(Some(&it))) {
            focus_dialog(dialog);
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
