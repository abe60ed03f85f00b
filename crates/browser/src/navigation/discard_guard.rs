//! Confirmation before a dialog with changed fields closes.

use super::{
    all_within, on,
    visit::{HistoryMode, visit},
};
use leptos::prelude::document;
use wasm_bindgen::JsCast;
use web_sys::{Element, Event, HtmlElement, HtmlInputElement, HtmlSelectElement, HtmlTextAreaElement};

const GUARD: &str = ".guard[data-discard]";

/// Shows the confirmation if the user changed a field of the dialog. Returns whether the dialog stays open.
///
/// Another attempt to close the dialog hides the confirmation, so that Escape returns to the form.
pub fn asks(dialog: &Element, to: &str) -> bool {
    if let Ok(Some(guard)) = dialog.query_selector(GUARD) {
        hide(dialog, &guard);
        return true;
    }
    if !is_changed(dialog) {
        return false;
    }
    show(dialog, to).is_some()
}

/// Whether a field differs from its rendered value, or the server rejected the entries.
fn is_changed(dialog: &Element) -> bool {
    all_within(dialog, "form :is(input:not([type=hidden]), select, textarea)").into_iter().any(|field| {
        if field.get_attribute("aria-invalid").is_some_and(|it| it == "true") {
            return true;
        }
        if let Some(input) = field.dyn_ref::<HtmlInputElement>() {
            return match input.type_().as_str() {
                "checkbox" | "radio" => input.checked() != input.default_checked(),
                _ => input.value() != input.default_value(),
            };
        }
        if let Some(area) = field.dyn_ref::<HtmlTextAreaElement>() {
            return area.default_value().is_ok_and(|rendered| rendered != area.value());
        }
        field.dyn_ref::<HtmlSelectElement>().is_some_and(is_select_changed)
    })
}

fn is_select_changed(select: &HtmlSelectElement) -> bool {
    let chosen = select.query_selector("option[selected]").ok().flatten();
    let rendered = chosen.or_else(|| select.query_selector("option").ok().flatten());
    rendered.is_some_and(|it| {
        it.get_attribute("value").unwrap_or_else(|| it.text_content().unwrap_or_default()) != select.value()
    })
}

fn element(name: &str, class: &str, text: &str) -> Option<HtmlElement> {
    let made: HtmlElement = document().create_element(name).ok()?.dyn_into().ok()?;
    let _ = made.set_attribute("class", class);
    made.set_text_content(Some(text));
    Some(made)
}

/// Adds the confirmation at the end of the dialog, in place of its footer.
fn show(dialog: &Element, to: &str) -> Option<()> {
    let guard = element("div", "guard", "")?;
    let _ = guard.set_attribute("data-discard", "");
    let _ = guard.set_attribute("role", "alert");
    let actions = element("div", "actions", "")?;
    let discard = element("button", "button button--danger", "Discard changes")?;
    let keep = element("button", "button", "Keep editing")?;
    for button in [&discard, &keep] {
        let _ = button.set_attribute("type", "button");
        let _ = actions.append_child(button);
    }
    let words = element("p", "", "Your changes are not saved.")?;
    let _ = guard.append_child(&words);
    let _ = guard.append_child(&actions);
    let (held, to) = (dialog.clone(), to.to_owned());
    on(&discard, "click", move |_: Event| {
        let _ = held.set_attribute("data-leaving", "");
        visit(to.clone(), HistoryMode::Replace);
    });
    let (held, inner) = (dialog.clone(), guard.clone());
    on(&keep, "click", move |_: Event| hide(&held, &inner));
    let focused = document().active_element().filter(|it| dialog.contains(Some(it)));
    let _ = dialog.set_attribute("data-asks", "");
    let _ = dialog.append_child(&guard);
    if let Some(focused) = focused {
        let _ = focused.set_attribute("data-edited", "");
    }
    let _ = keep.focus();
    Some(())
}

/// Removes the confirmation, and focuses the field that had the focus before.
fn hide(dialog: &Element, guard: &Element) {
    guard.remove();
    let _ = dialog.remove_attribute("data-asks");
    if let Some(field) = dialog.query_selector("[data-edited]").ok().flatten() {
        let _ = field.remove_attribute("data-edited");
        if let Ok(field) = field.dyn_into::<HtmlElement>() {
            let _ = field.focus();
        }
    }
}
