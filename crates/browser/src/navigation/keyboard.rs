//! Single-key shortcuts: `/` for the filters, `c` for a new key, `?` for the list of shortcuts.

use super::{find, on};
use leptos::prelude::document;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, KeyboardEvent};

pub fn listen() {
    on(&document(), "keydown", |event: KeyboardEvent| {
        let typing = event.target().and_then(|it| it.dyn_into::<Element>().ok()).is_some_and(|it| {
            it.matches("input:not([type=checkbox], [type=radio]), select, textarea, [contenteditable]").unwrap_or(false)
        });
        // Shortcuts do not apply below a dialog.
        if typing || event.ctrl_key() || event.meta_key() || event.alt_key() || find("dialog[open]").is_some() {
            return;
        }
        let done = match event.key().as_str() {
            "/" => press("[data-shortcut='/']", |it| it.focus().is_ok()),
            "c" => press("[data-shortcut=c]", |it| {
                it.click();
                true
            }),
            "?" => press("#shortcuts", |it| it.toggle_popover().is_ok()),
            _ => false,
        };
        if done {
            event.prevent_default();
        }
    });
}

fn press(selector: &str, act: impl FnOnce(&HtmlElement) -> bool) -> bool {
    find(selector).and_then(|it| it.dyn_into::<HtmlElement>().ok()).is_some_and(|it| act(&it))
}
