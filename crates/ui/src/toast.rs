//! What has just happened, said once and announced.

use super::form::Form;
use leptos::prelude::*;

/// The live region: it is there from the start, or nobody would hear it. `live::toasts` takes the message away after a while.
#[component]
pub fn Toasts(
    /// What happened.
    #[prop(optional_no_strip)]
    said: Option<String>,
    /// The path of a form that takes it back, with the hidden `id` that it asks for.
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
    let toast = said.map(|said| {
        view! {
            <div class="toast">
                <p>{said}</p>
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
