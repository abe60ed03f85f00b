//! Toasts: one-time messages that screen readers announce.

use super::form::Form;
use leptos::prelude::*;

/// Live region for toasts. It is always in the page, because screen readers announce only changes of an existing
/// region. `navigation::toasts` removes the message after a timeout.
#[component]
pub fn Toasts(
    /// The message.
    #[prop(optional_no_strip)]
    message: Option<String>,
    /// Path of a form that undoes the action, and the value of its hidden `id` field.
    #[prop(optional_no_strip)]
    undo: Option<(String, String)>,
) -> impl IntoView {
    let undo = undo.map(|(to, id)| {
        view! {
            <Form to>
                <input type="hidden" name="id" value=id />
                <button class="button">"Undo"</button>
            </Form>
        }
    });
    let toast = message.map(|message| {
        view! {
            <div class="toast">
                <p>{message}</p>
                {undo}
            </div>
        }
    });
    view! {
        <div class="toasts" id="toasts" role="status">
            {toast}
        </div>
    }
    .into_any()
}
