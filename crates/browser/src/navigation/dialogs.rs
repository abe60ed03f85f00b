//! Modal dialogs. The server renders dialogs open; this module makes them modal.
//!
//! Escape, a click outside, or a link closes a dialog. The reveal island can cancel the `leave` event to ask for
//! confirmation first, and [`discard_guard`] asks before it discards entries.

use super::{
    all, discard_guard, find, focus, on,
    visit::{HistoryMode, load_document as load, pause, visit},
};
use leptos::{
    prelude::{document, window},
    task::spawn_local,
};
use std::cell::Cell;
use wasm_bindgen::JsCast;
use web_sys::{CustomEvent, CustomEventInit, Element, Event, HtmlDialogElement, HtmlElement, MouseEvent};

thread_local! {
    /// Whether the last mousedown was outside the dialog. A text selection that ends outside does not close it.
    static IS_MOUSEDOWN_OUTSIDE: Cell<bool> = const { Cell::new(false) };
}

fn dialog(event: &Event) -> Option<HtmlDialogElement> {
    event.target()?.dyn_into().ok()
}

pub fn listen() {
    on(&document(), "cancel", |event: Event| {
        if let Some(dialog) = dialog(&event) {
            event.prevent_default();
            close(&dialog);
        }
    });
    // If Escape is pressed twice, the browser closes a dialog after `cancel`, regardless of `preventDefault`. It is shown
    // again if the user still has to decide.
    on(&document(), "close", |event: Event| {
        let Some(dialog) = dialog(&event) else { return };
        spawn_local(async move {
            pause(200).await;
            if dialog.is_connected() && !dialog.open() && !dialog.has_attribute("data-leaving") {
                let _ = dialog.show_modal();
            }
        });
    });
    on(&document(), "mousedown", |event: MouseEvent| {
        IS_MOUSEDOWN_OUTSIDE.with(|beside| beside.set(dialog(&event).is_some()))
    });
    on(&document(), "click", |event: MouseEvent| {
        if let Some(dialog) = dialog(&event).filter(|_| IS_MOUSEDOWN_OUTSIDE.with(Cell::get)) {
            close(&dialog);
        }
    });
    // A page in the back/forward cache must not contain a secret.
    on(&window(), "pagehide", |_: Event| {
        if let Some(reveal) = find("#reveal") {
            reveal.remove();
        }
    });
}

/// Leaves a dialog after Escape or a click outside. Both happen by accident, so changed fields need a confirmation.
/// A link such as "Cancel" needs none.
fn close(dialog: &Element) {
    let to = dialog.get_attribute("data-leave").unwrap_or_else(|| "/keys".into());
    if !discard_guard::asks(dialog, &to) {
        close_to(dialog, to);
    }
}

/// Leaves a dialog for a URL, unless a listener cancels the `leave` event.
pub fn close_to(dialog: &Element, to: String) {
    let init = CustomEventInit::new();
    init.set_cancelable(true);
    let Ok(event) = CustomEvent::new_with_event_init_dict("leave", &init) else { return load(&to) };
    if dialog.dispatch_event(&event).unwrap_or(true) {
        let _ = dialog.set_attribute("data-leaving", "");
        visit(to, HistoryMode::Replace);
    }
}

/// Makes server-rendered open dialogs modal.
pub fn after_morph() {
    for dialog in all("dialog[open]:not(:modal)").into_iter().filter_map(|it| it.dyn_into::<HtmlDialogElement>().ok()) {
        let held = document().active_element().filter(|it| dialog.contains(Some(it)));
        // `showModal` fails on an open dialog. Removing the attribute closes it without an event.
        let _ = dialog.remove_attribute("open");
        let _ = dialog.show_modal();
        match held.and_then(|it| it.dyn_into::<HtmlElement>().ok()) {
            Some(held) => _ = held.focus(),
            None => focus::focus_dialog(dialog.into()),
        }
    }
    if let Some(shell) = find(".shell[inert]") {
        let _ = shell.remove_attribute("inert");
    }
}
