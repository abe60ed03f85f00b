//! List refresh: after a change in another tab, when the user returns to the tab, and periodically.

use super::{find, morph, on, visit::fetch_page};
use leptos::{
    prelude::{document, set_interval, window},
    task::spawn_local,
};
use std::{cell::Cell, time::Duration};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{BroadcastChannel, Event, VisibilityState, Window};

/// Selector of the part that is refreshed. Pages without it are not refreshed.
const LIST: &str = "#list";
/// Interval of the periodic refresh. It updates relative times and shows changes of other users.
const REFRESH_INTERVAL: Duration = Duration::from_secs(30);

thread_local! {
    static CHANNEL: Option<BroadcastChannel> = BroadcastChannel::new("keyward").ok();
    static IS_REFRESHING: Cell<bool> = const { Cell::new(false) };
}

pub fn listen() {
    CHANNEL.with(|channel| {
        if let Some(channel) = channel {
            on(channel, "message", |_: Event| refresh());
        }
    });
    // In the capture phase, focus events of all elements arrive here too. Only the window's own event means that the
    // user returned.
    on(&window(), "focus", |event: Event| {
        if event.target().is_some_and(|it| it.is_instance_of::<Window>()) {
            refresh();
        }
    });
    on(&window(), "pageshow", |event: Event| {
        // The page comes from the back/forward cache and can be old.
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
        REFRESH_INTERVAL,
    );
}

/// Notifies the other tabs of this browser of a change.
pub fn notify_tabs() {
    CHANNEL.with(|channel| {
        if let Some(channel) = channel {
            let _ = channel.post_message(&JsValue::from_str("changed"));
        }
    });
}

fn refresh() {
    if find(LIST).is_none() || IS_REFRESHING.with(|it| it.replace(true)) {
        return;
    }
    spawn_local(async move {
        let here = || window().location().href().unwrap_or_default();
        let url = here();
        let answer = fetch_page(&url, None).await;
        IS_REFRESHING.with(|it| it.set(false));
        // Without a response the list stays unchanged until the next refresh.
        let Ok(answer) = answer else { return };
        // The session has ended in another tab, so the sign-in page is loaded. An open dialog, such as a revealed
        // secret, is not interrupted.
        if answer.page.query_selector(".shell").ok().flatten().is_none() {
            if answer.ok && find("dialog[open]").is_none() {
                super::visit::load_document(&answer.url);
            }
            return;
        }
        if url == here() {
            morph::morph_part(&answer.page, LIST);
        }
    });
}
