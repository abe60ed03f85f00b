//! What has just happened, said once and announced.

use leptos::prelude::*;
use std::time::Duration;

/// A message, with perhaps a way back.
#[derive(Clone)]
pub struct Toast {
    pub text: String,
    /// What is to be undone, in the words of whoever can: handed to `undo` of [`Toasts`].
    pub undo: Option<String>,
}

impl Toast {
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), undo: None }
    }

    pub fn with_undo(self, what: String) -> Self {
        Self { undo: Some(what), ..self }
    }

    /// Long enough to read; longer if there is something to decide.
    const fn stays(&self) -> Duration {
        Duration::from_secs(if self.undo.is_some() { 20 } else { 8 })
    }
}

/// The live region; it is there from the start, or nobody would hear it.
#[component]
pub fn Toasts(toast: RwSignal<Option<Toast>>, undo: Callback<String>) -> impl IntoView {
    let shown = StoredValue::new(0_u32);
    Effect::new(move |_| {
        let Some(stays) = toast.with(|toast| toast.as_ref().map(Toast::stays)) else { return };
        shown.update_value(|n| *n += 1);
        let this = shown.get_value();
        let hide = move || {
            if shown.try_get_value() == Some(this) {
                toast.set(None);
            }
        };
        set_timeout(hide, stays);
    });
    let draw = move |toast: Toast| {
        let undo = toast.undo.map(|what| {
            view! {
                <button type="button" class="button" on:click=move |_| undo.run(what.clone())>
                    "Undo"
                </button>
            }
        });
        view! {
            <div class="toast">
                <p>{toast.text}</p>
                {undo}
            </div>
        }
    };
    view! {
        <div class="toasts" role="status">
            {move || toast.get().map(draw)}
        </div>
    }
    .into_any()
}
