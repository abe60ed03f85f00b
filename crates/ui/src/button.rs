//! Submit buttons of forms.

use leptos::prelude::*;

/// Submits its form. While the request is pending, it shows the progress label and ignores clicks
/// (`navigation::forms`).
#[component]
pub fn Submit(
    /// Label: "Delete key".
    label: &'static str,
    /// Progress label: "Deleting…".
    working: &'static str,
    #[prop(default = "button button--primary")] class: &'static str,
    /// Accessible name, if the label alone is ambiguous: "Activate key Starter Integration".
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
