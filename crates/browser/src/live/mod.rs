//! The page, kept alive: links and forms are answered by fetching the same pages that a browser without scripts would get, and
//! only what differs is put in place. So every page is written once, the server alone draws it, and nothing that the person is
//! doing (what is typed, chosen, open or focused) is lost on the way.
//!
//! The browser only; never here: Leptos' views (those are in `islands`), server functions.

mod dialogs;
mod focus;
mod forms;
mod keyboard;
mod links;
mod morph;
mod offers;
mod page;
mod refresh;
mod toasts;
mod zone;

use leptos::prelude::document;
use wasm_bindgen::{JsCast, convert::FromWasmAbi, prelude::Closure};
use web_sys::{Element, EventTarget};

/// Takes over the page that is there.
pub fn start() {
    zone::remember();
    links::listen();
    forms::listen();
    dialogs::listen();
    keyboard::listen();
    offers::listen();
    refresh::listen();
    page::all_asleep();
    page::settle();
    page::forget_what_was_said();
    // For the style, which may now show what only scripts can do; and for tests, which must not press too early.
    let _ = document().document_element().map(|html| html.set_attribute("data-live", ""));
}

/// Listens for as long as the page lives. In the capture phase, so that events that do not bubble are heard too.
fn on<E: FromWasmAbi + 'static>(target: &EventTarget, name: &str, hear: impl FnMut(E) + 'static) {
    let closure = Closure::<dyn FnMut(E)>::new(hear);
    let _ = target.add_event_listener_with_callback_and_bool(name, closure.as_ref().unchecked_ref(), true);
    closure.forget();
}

/// As [`on`], after those who stand nearer have had their say.
fn on_after<E: FromWasmAbi + 'static>(target: &EventTarget, name: &str, hear: impl FnMut(E) + 'static) {
    let closure = Closure::<dyn FnMut(E)>::new(hear);
    let _ = target.add_event_listener_with_callback(name, closure.as_ref().unchecked_ref());
    closure.forget();
}

fn find(selector: &str) -> Option<Element> {
    document().query_selector(selector).ok().flatten()
}

fn all(selector: &str) -> Vec<Element> {
    let Ok(list) = document().query_selector_all(selector) else { return Vec::new() };
    (0..list.length()).filter_map(|at| list.item(at)?.dyn_into().ok()).collect()
}
