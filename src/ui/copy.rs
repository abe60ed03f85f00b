//! Copying, which can fail: then the text is selected and the page says which keys copy it.

use super::{browser, icon::Icon};
use leptos::{prelude::*, web_sys::Element};
use std::time::Duration;

/// How the last attempt to copy went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Copying {
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

/// Copies the text. If the clipboard refuses, selects it where it stands, and says so in `state`.
pub fn copy(text: String, stands: Option<Element>, state: RwSignal<Copying>, done: Callback<()>) {
    browser::copy(text, move |copied| {
        if copied {
            state.set(Copying::Done);
            done.run(());
            let back = move || {
                state.try_update(|now| *now = Copying::Idle);
            };
            set_timeout(back, SHOWN);
        } else {
            if let Some(element) = &stands {
                browser::select(element);
            }
            state.set(Copying::Selected);
        }
    });
}

/// The two faces of a button that copies.
#[component]
pub fn CopyLabel(#[prop(optional)] words: bool) -> impl IntoView {
    view! {
        <span class="button__swap">
            <span>{Icon::Copy.view()} {words.then_some("Copy")}</span>
            <span>{Icon::Check.view()} {words.then_some("Copied")}</span>
        </span>
    }
    .into_any()
}

/// How it went, for those who look and for those who listen. It takes no room unless there is something to do.
#[component]
pub fn CopyStatus(state: RwSignal<Copying>, #[prop(optional)] class: &'static str) -> impl IntoView {
    let said = move || match state.get() {
        Copying::Idle => ().into_any(),
        Copying::Done => view! { <span class="visually-hidden">"Copied"</span> }.into_any(),
        Copying::Selected => format!("Selected. Press {} to copy it.", browser::copy_keys()).into_any(),
    };
    view! {
        <p class=format!("hint {class}").trim_end().to_owned() role="status">
            {said}
        </p>
    }
    .into_any()
}
