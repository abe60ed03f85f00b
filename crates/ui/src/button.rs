//! Buttons that send a form.

use leptos::prelude::*;

/// Sends the form it stands in; while that is under way it says so and takes no second press (`live::forms`).
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
    view! {
        <button class=class aria-label=name>
            <span class="button__swap">
                <span>{label}</span>
                <span>{working}</span>
            </span>
        </button>
    }
    .into_any()
}
