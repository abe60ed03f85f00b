//! In-browser navigation: page visits, form submission, and DOM morphing.
//!
//! Links and forms fetch the same pages that a browser without scripts gets, and only the differences are applied to
//! the document. Every page therefore has one rendering, on the server, and the user's state (entered text,
//! selections, open elements, focus) is preserved.
//!
//! This module is only for the browser. It contains no Leptos views (those are in `islands`) and no server functions.

mod dependent_options;
mod dialogs;
mod discard_guard;
mod focus;
mod forms;
mod keyboard;
mod links;
mod menus;
mod morph;
mod refresh;
mod time_zone_cookie;
mod toasts;
mod visit;

use leptos::prelude::document;
use wasm_bindgen::{JsCast, convert::FromWasmAbi, prelude::Closure};
use web_sys::{Element, EventTarget};

/// Starts navigation on the current page.
pub fn start() {
    time_zone_cookie::set_cookie();
    links::listen();
    forms::listen();
    dialogs::listen();
    keyboard::listen();
    menus::listen();
    dependent_options::listen();
    refresh::listen();
    visit::mark_dehydrated();
    visit::after_morph();
    visit::remove_flash_parameters();
    // CSS shows controls that need scripts only with this attribute. Browser tests wait for it before they click.
    let _ = document().document_element().map(|html| html.set_attribute("data-live", ""));
}

/// Adds a listener for the lifetime of the page, in the capture phase, so that it also receives events that do not
/// bubble.
fn on<E: FromWasmAbi + 'static>(target: &EventTarget, name: &str, hear: impl FnMut(E) + 'static) {
    let closure = Closure::<dyn FnMut(E)>::new(hear);
    let _ = target.add_event_listener_with_callback_and_bool(name, closure.as_ref().unchecked_ref(), true);
    closure.forget();
}

/// As [`on`], but in the bubbling phase, after the listeners of inner elements.
fn on_after<E: FromWasmAbi + 'static>(target: &EventTarget, name: &str, hear: impl FnMut(E) + 'static) {
    let closure = Closure::<dyn FnMut(E)>::new(hear);
    let _ = target.add_event_listener_with_callback(name, closure.as_ref().unchecked_ref());
    closure.forget();
}

fn find(selector: &str) -> Option<Element> {
    document().query_selector(selector).ok().flatten()
}

fn all(selector: &str) -> Vec<Element> {
    document().document_element().map(|html| all_within(&html, selector)).unwrap_or_default()
}

fn all_within(element: &Element, selector: &str) -> Vec<Element> {
    let Ok(list) = element.query_selector_all(selector) else { return Vec::new() };
    (0..list.length()).filter_map(|at| list.item(at)?.dyn_into().ok()).collect()
}
