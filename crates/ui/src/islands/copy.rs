//! Copy button. If copying fails, it selects the text and shows the keyboard shortcut.

use crate::{browser, button::ICON_BUTTON, icon::Icon};
use leptos::{html, prelude::*};
use std::time::Duration;

/// State of the last attempt to copy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Copying {
    /// No attempt, or its message has been removed.
    #[default]
    Idle,
    /// The text is on the clipboard.
    Done,
    /// The clipboard is not available. The text is selected.
    Selected,
}

/// Time for which the button shows "Copied".
const SHOWN: Duration = Duration::from_millis(1_500);

/// A button that copies the text of an element. It dispatches a `copied` or `selected` event.
#[island]
pub fn CopyButton(
    /// Selector of the element. The text is read when it is copied and is not a property.
    from: String,
    /// Accessible name: "Copy project ID".
    label: String,
    /// Whether it is a primary button with a label. Otherwise it is an icon button.
    main: bool,
) -> impl IntoView {
    let state = RwSignal::new(Copying::Idle);
    let node = NodeRef::<html::Button>::new();
    let tell = move |name: &'static str| {
        if let Some(button) = node.get_untracked() {
            browser::dispatch(&button, name);
        }
    };
    let press = move |_| {
        let Some(element) = browser::find(&from) else { return };
        browser::copy(element.text_content().unwrap_or_default(), move |copied| {
            if copied {
                state.set(Copying::Done);
                tell("copied");
                set_timeout(move || _ = state.try_update(|now| *now = Copying::Idle), SHOWN);
            } else {
                browser::select(&element);
                state.set(Copying::Selected);
                tell("selected");
            }
        });
    };
    let status = move || match state.get() {
        Copying::Idle => String::new(),
        Copying::Done => "Copied".to_owned(),
        Copying::Selected => format!("Selected. Press {} to copy.", browser::copy_keys()),
    };
    let class = if main { "button button--primary" } else { ICON_BUTTON };
    view! {
        <button
            class=class
            type="button"
            autofocus=main
            aria-label=label
            data-done=move || (state.get() == Copying::Done).then_some("")
            node_ref=node
            on:click=press
        >
            <span class="button__swap">
                <span>{Icon::Copy.view()} {main.then_some("Copy")}</span>
                <span>{Icon::Check.view()} {main.then_some("Copied")}</span>
            </span>
        </button>
        <span
            class="hint copy-said"
            role="status"
            data-quiet=move || (state.get() != Copying::Selected).then_some("")
        >
            {status}
        </span>
    }
}
