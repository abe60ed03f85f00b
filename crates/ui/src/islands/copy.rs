//! Copying, which can fail: then the text is selected and the page says which keys copy it.

use crate::{browser, icon::Icon};
use leptos::{html, prelude::*};
use std::time::Duration;

/// How the last attempt to copy went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Copying {
    /// There was none, or it is over.
    #[default]
    Idle,
    /// It is on the clipboard.
    Done,
    /// There is no clipboard to write to: the text is selected.
    Selected,
}

/// How long the button says "Copied".
const SHOWN: Duration = Duration::from_millis(1_500);

/// A button that copies the text of an element. Others hear `copied` or `selected` from it.
#[island]
pub fn CopyButton(
    /// A selector of the element. The text is read when it is copied: it stands in no property.
    from: String,
    /// What is copied, for those who cannot see: "Copy the project id".
    label: String,
    /// With words and in the colour of the main action; else an icon.
    main: bool,
) -> impl IntoView {
    let state = RwSignal::new(Copying::Idle);
    let node = NodeRef::<html::Button>::new();
    let tell = move |name: &'static str| {
        if let Some(button) = node.get_untracked() {
            browser::tell(&button, name);
        }
    };
    let press = move |_| {
        let Some(stands) = browser::shown(&from) else { return };
        browser::copy(stands.text_content().unwrap_or_default(), move |copied| {
            if copied {
                state.set(Copying::Done);
                tell("copied");
                set_timeout(move || _ = state.try_update(|now| *now = Copying::Idle), SHOWN);
            } else {
                browser::select(&stands);
                state.set(Copying::Selected);
                tell("selected");
            }
        });
    };
    let said = move || match state.get() {
        Copying::Idle => String::new(),
        Copying::Done => "Copied".to_owned(),
        Copying::Selected => format!("Selected. Press {} to copy it.", browser::copy_keys()),
    };
    let class = if main { "button button--primary" } else { "button button--quiet button--icon" };
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
            {said}
        </span>
    }
}
