//! Buttons that send a form.

use super::form::FormState;
use leptos::prelude::*;

/// Sends the form it stands in; while that is under way it says so and takes no second press.
#[component]
pub fn Submit(
    /// What it does: "Delete key".
    label: &'static str,
    /// What is happening: "Deleting…".
    working: &'static str,
    #[prop(default = "button button--primary")] class: &'static str,
    /// For when the label alone says too little: "Activate key Starter Integration".
    #[prop(optional, into)]
    name: Option<String>,
) -> impl IntoView {
    let pending = FormState::here().pending;
    let busy = move || pending.get().then_some("true");
    view! {
        <button class=class disabled=move || pending.get() aria-busy=busy data-done=busy aria-label=name>
            <span class="button__swap">
                <span>{label}</span>
                <span>{working}</span>
            </span>
        </button>
    }
    .into_any()
}
