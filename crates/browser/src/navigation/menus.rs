//! Keyboard control of menus, as in the [menu button pattern]: arrow keys open a menu and move between its items. Home
//! and End select the first and the last item. The browser itself closes a menu on Escape.
//!
//! [menu button pattern]: https://www.w3.org/WAI/ARIA/apg/patterns/menu-button/

use super::{all_within, find, on};
use leptos::prelude::document;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, KeyboardEvent};

const ITEMS: &str = "a, button:not(:disabled)";

pub fn listen() {
    on(&document(), "keydown", |event: KeyboardEvent| {
        let modified = event.ctrl_key() || event.meta_key() || event.alt_key() || event.shift_key();
        if !modified && move_focus(&event).is_some() {
            event.prevent_default();
        }
    });
}

/// Moves the focus to another item. `None` if the key or the focused element is another one.
fn move_focus(event: &KeyboardEvent) -> Option<()> {
    let key = event.key();
    if !matches!(key.as_str(), "ArrowDown" | "ArrowUp" | "Home" | "End") {
        return None;
    }
    let target: Element = event.target()?.dyn_into().ok()?;
    let menu = match target.closest(".menu").ok()? {
        Some(menu) => menu,
        None => open_menu(&target, &key)?,
    };
    let items: Vec<HtmlElement> =
        all_within(&menu, ITEMS).into_iter().filter_map(|it| it.dyn_into::<HtmlElement>().ok()).collect();
    let last = items.len().checked_sub(1)?;
    let at = items.iter().position(|it| **it == target);
    let to = match (key.as_str(), at) {
        ("Home", _) | ("ArrowDown", None) => 0,
        ("End", _) | ("ArrowUp", None | Some(0)) => last,
        ("ArrowDown", Some(at)) => {
            if at == last {
                0
            } else {
                at + 1
            }
        }
        (_, Some(at)) => at - 1,
        _ => return None,
    };
    items[to].focus().ok()
}

/// Opens the menu of the focused button. Home and End do not open it.
fn open_menu(button: &Element, key: &str) -> Option<Element> {
    let menu = find(&format!("#{}.menu", button.get_attribute("popovertarget")?))?;
    if !menu.matches(":popover-open").ok()? {
        if !key.starts_with("Arrow") {
            return None;
        }
        // A click makes the button the anchor of the menu.
        button.dyn_ref::<HtmlElement>()?.click();
    }
    Some(menu)
}
