//! Dialogs: drawn open by the server, made modal here. One may leave by Escape, by a press beside, by a link; whoever has to be
//! asked first (the reveal) hears `leave` and may refuse it.

use super::{
    all, find, on,
    page::{Trace, leave as load, pause, visit},
};
use leptos::{
    prelude::{document, window},
    task::spawn_local,
};
use std::cell::Cell;
use wasm_bindgen::JsCast;
use web_sys::{CustomEvent, CustomEventInit, Element, Event, HtmlDialogElement, HtmlElement, MouseEvent};

thread_local! {
    /// The press began beside the dialog: a text that is selected out of it does not close it.
    static BESIDE: Cell<bool> = const { Cell::new(false) };
}

fn dialog(event: &Event) -> Option<HtmlDialogElement> {
    event.target()?.dyn_into().ok()
}

pub fn listen() {
    on(&document(), "cancel", |event: Event| {
        if let Some(dialog) = dialog(&event) {
            event.prevent_default();
            leave(&dialog);
        }
    });
    // A browser closes it whatever we say when Escape is pressed twice: it comes back if there is still something to decide.
    on(&document(), "close", |event: Event| {
        let Some(dialog) = dialog(&event) else { return };
        leave(&dialog);
        spawn_local(async move {
            pause(200).await;
            if dialog.is_connected() && !dialog.open() && !dialog.has_attribute("data-leaving") {
                let _ = dialog.show_modal();
            }
        });
    });
    on(&document(), "mousedown", |event: MouseEvent| BESIDE.with(|beside| beside.set(dialog(&event).is_some())));
    on(&document(), "click", |event: MouseEvent| {
        if let Some(dialog) = dialog(&event).filter(|_| BESIDE.with(Cell::get)) {
            leave(&dialog);
        }
    });
    // A page that the browser keeps for Back must not keep a secret.
    on(&window(), "pagehide", |_: Event| {
        if let Some(reveal) = find("#reveal") {
            reveal.remove();
        }
    });
}

fn leave(dialog: &Element) {
    let to = dialog.get_attribute("data-leave").unwrap_or_else(|| "/keys".into());
    leave_for(dialog, to);
}

/// Leaves a dialog for an address, unless somebody refuses.
pub fn leave_for(dialog: &Element, to: String) {
    let init = CustomEventInit::new();
    init.set_cancelable(true);
    let Ok(event) = CustomEvent::new_with_event_init_dict("leave", &init) else { return load(&to) };
    if dialog.dispatch_event(&event).unwrap_or(true) {
        let _ = dialog.set_attribute("data-leaving", "");
        visit(to, Trace::Replace);
    }
}

/// Makes modal what the server has drawn open.
pub fn settle() {
    for dialog in all("dialog[open]:not(:modal)").into_iter().filter_map(|it| it.dyn_into::<HtmlDialogElement>().ok()) {
        let held = document().active_element().filter(|it| dialog.contains(Some(it)));
        // `showModal` refuses an open dialog; taking the attribute away closes it without an event.
        let _ = dialog.remove_attribute("open");
        let _ = dialog.show_modal();
        if let Some(held) = held.and_then(|it| it.dyn_into::<HtmlElement>().ok()) {
            let _ = held.focus();
        }
    }
    if let Some(shell) = find(".shell[inert]") {
        let _ = shell.remove_attribute("inert");
    }
}
