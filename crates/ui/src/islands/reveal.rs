//! Footer of the dialog that reveals a new key: an indicator of the key's first call, and a confirmation before
//! leaving without a copy.

use crate::{api::FIRST_USE, browser, icon::Icon};
use keyward_domain::ids::KeyId;
use leptos::{ev, html, prelude::*, task::spawn_local};
use std::time::Duration;

/// Polling interval for the first use of the key.
const POLL_INTERVAL: Duration = Duration::from_secs(2);

#[island]
pub fn RevealFoot(
    /// The new key, whose first call the indicator shows.
    key: KeyId,
    /// Target of the "Done" link.
    done: String,
) -> impl IntoView {
    let (copied, is_confirming, called) = (RwSignal::new(false), RwSignal::new(false), RwSignal::new(false));
    let node = NodeRef::<html::Div>::new();
    Effect::new(move |_| {
        let Some(foot) = node.get() else { return };
        let Ok(Some(dialog)) = foot.closest("dialog") else { return };
        browser::listen(&dialog, "copied", move |_| copied.set(true));
        // The native event: copied by keyboard or by context menu.
        browser::listen(&dialog, "copy", move |_| copied.set(true));
        browser::listen(&dialog, "leave", move |event| {
            if !copied.get_untracked() {
                event.prevent_default();
                is_confirming.set(true);
                browser::focus_soon("copy-and-close");
            }
        });
        // Closing the tab loses the secret, so the browser asks for confirmation.
        let still = foot.clone();
        _ = window_event_listener(ev::beforeunload, move |event| {
            if still.is_connected() && !copied.get_untracked() {
                event.prevent_default();
                event.set_return_value("true");
            }
        });
    });
    poll_first_use(key, called, node);

    let close = move || {
        if let Some(foot) = node.get_untracked() {
            copied.set(true);
            browser::press(&foot, ".done");
        }
    };
    let copy_and_close = move |_| {
        browser::uncheck("mask");
        let Some(element) = browser::find(".secret") else { return };
        browser::copy(element.text_content().unwrap_or_default(), move |did| {
            if did {
                close();
            } else {
                browser::select(&element);
                is_confirming.set(false);
            }
        });
    };
    view! {
        <div node_ref=node>
            <div class="guard" role="alert" hidden=move || !is_confirming.get()>
                <div>
                    <h3>"You have not copied this key"</h3>
                    <p>"You won't be able to see it again."</p>
                </div>
                <div class="actions">
                    <button class="button button--quiet" type="button" on:click=move |_| close()>
                        "Close without copying"
                    </button>
                    <button class="button button--primary" type="button" id="copy-and-close" on:click=copy_and_close>
                        {Icon::Copy.view()}
                        "Copy and close"
                    </button>
                </div>
            </div>
            <footer class="dialog__foot" hidden=move || is_confirming.get()>
                <p class="light start" role="status" data-on=move || called.get().then_some("")>
                    {move || if called.get() { "First request received" } else { "Waiting for the first request" }}
                </p>
                <a class="button done" href=done data-replace>
                    "Done"
                </a>
            </footer>
        </div>
    }
}

/// Polls until the key is used or the dialog is gone.
fn poll_first_use(key: KeyId, called: RwSignal<bool>, node: NodeRef<html::Div>) {
    Effect::new(move |_| {
        let Some(foot) = node.get() else { return };
        let key = key.to_string();
        spawn_local(async move {
            loop {
                browser::pause(POLL_INTERVAL).await;
                if !foot.is_connected() {
                    return;
                }
                if matches!(browser::call(FIRST_USE, &[("id", &key)]).await, Some(Ok(answer)) if answer.is_some()) {
                    return called.set(true);
                }
            }
        });
    });
}

/// Downloads the lines of a `.env` file, created from the page content. No URL ever contains them.
#[island]
pub fn DownloadEnv() -> impl IntoView {
    let node = NodeRef::<html::Button>::new();
    let press = move |_| {
        let text = browser::find("[data-panel=env] code").and_then(|it| it.text_content()).unwrap_or_default();
        browser::save(".env", &format!("{text}\n"));
        if let Some(button) = node.get_untracked() {
            browser::dispatch(&button, "copied");
        }
    };
    view! {
        <button class="button" type="button" node_ref=node on:click=press>
            {Icon::Download.view()}
            "Download .env"
        </button>
    }
}
