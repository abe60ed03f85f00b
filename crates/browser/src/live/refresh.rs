//! Lists stay true: when something was changed in another tab, when the person comes back, and once in a while.

use super::{find, morph, on, page::ask};
use leptos::{
    prelude::{document, set_interval, window},
    task::spawn_local,
};
use std::{cell::Cell, time::Duration};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{BroadcastChannel, Event, VisibilityState, Window};

/// What is drawn again of a page that has one.
const LIST: &str = "#list";
/// Relative times grow old, and others work too.
const ONCE_IN_A_WHILE: Duration = Duration::from_secs(30);

thread_local! {
    static CHANNEL: Option<BroadcastChannel> = BroadcastChannel::new("keyward").ok();
    static UNDER_WAY: Cell<bool> = const { Cell::new(false) };
}

pub fn listen() {
    CHANNEL.with(|channel| {
        if let Some(channel) = channel {
            on(channel, "message", |_: Event| refresh());
        }
    });
    // Every element's focus passes here too: only the window's own says that the person has come back.
    on(&window(), "focus", |event: Event| {
        if event.target().is_some_and(|it| it.is_instance_of::<Window>()) {
            refresh();
        }
    });
    on(&window(), "pageshow", |event: Event| {
        // From the browser's memory, where it may have lain for long.
        if js_sys::Reflect::get(&event, &"persisted".into()).is_ok_and(|it| it.is_truthy()) {
            refresh();
        }
    });
    set_interval(
        || {
            if document().visibility_state() == VisibilityState::Visible {
                refresh();
            }
        },
        ONCE_IN_A_WHILE,
    );
}

/// The other tabs of this browser hear that something was changed.
pub fn tell_others() {
    CHANNEL.with(|channel| {
        if let Some(channel) = channel {
            let _ = channel.post_message(&JsValue::from_str("changed"));
        }
    });
}

fn refresh() {
    if find(LIST).is_none() || UNDER_WAY.with(|it| it.replace(true)) {
        return;
    }
    spawn_local(async move {
        let here = || window().location().href().unwrap_or_default();
        let asked = here();
        let answer = ask(&asked, None).await;
        UNDER_WAY.with(|it| it.set(false));
        // No answer: what is shown stays, the next change will say it.
        let Ok(answer) = answer else { return };
        // The session has ended elsewhere: the sign-in page is what is true now. A secret in clear is left in peace.
        if answer.page.query_selector(".shell").ok().flatten().is_none() {
            if answer.ok && find("dialog[open]").is_none() {
                super::page::leave(&answer.url);
            }
            return;
        }
        if asked == here() {
            morph::part(&answer.page, LIST);
        }
    });
}
