//! What has just happened, said once and announced.

use leptos::prelude::*;
use std::time::Duration;

/// A message, with perhaps a way back.
#[derive(Clone)]
pub struct Toast {
    pub text: String,
    pub undo: Option<Callback<()>>,
}

impl Toast {
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), undo: None }
    }

    pub fn with_undo(self, undo: Callback<()>) -> Self {
        Self { undo: Some(undo), ..self }
    }

    /// Long enough to read; longer if there is something to decide.
    const fn stays(&self) -> Duration {
        Duration::from_secs(if self.undo.is_some() { 20 } else { 8 })
    }
}

/// The live region; it is there from the start, or nobody would hear it.
#[component]
pub fn Toasts(toast: RwSignal<Option<Toast>>) -> impl IntoView {
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
        let undo = toast.undo.map(|undo| {
            view! {
                <button type="button" class="button" on:click=move |_| undo.run(())>
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
