//! "Not before" field: the start time of a key, and a sentence with the exact instant.

use super::latest_request::LatestRequest;
use crate::{api::NOT_BEFORE_PREVIEW, browser, field::error_message};
use leptos::{html, prelude::*, task::spawn_local};

/// The server formats the sentence, because it knows the clock changes of the user's time zone. Without scripts the
/// hint is shown.
#[island]
pub fn NotBefore(
    /// Initial time, `2026-12-01T09:00`. Empty: none.
    first: String,
    hint: String,
    /// Sentence of the initial time, if the server included it.
    preview: Option<String>,
    wrong_time: Option<String>,
    /// Whether the field has the initial focus.
    focus: bool,
) -> impl IntoView {
    let input = NodeRef::<html::Input>::new();
    let sentence = RwSignal::new(preview.clone());
    let typed = RwSignal::new(first.clone());
    // Restores what was entered before hydration.
    Effect::new(move |_| {
        if let Some(input) = input.get() {
            typed.set(input.value());
        }
    });
    let known = (first.clone(), preview);
    let requests = LatestRequest::default();
    Effect::new(move |_| {
        let time = typed.get();
        let request = requests.start();
        if time.is_empty() || (time == known.0 && known.1.is_some()) {
            sentence.set(known.1.clone().filter(|_| !time.is_empty()));
        } else if browser::IS_BROWSER {
            spawn_local(async move {
                let preview = match browser::call(NOT_BEFORE_PREVIEW, &[("not_before", &time)]).await {
                    Some(Ok(answer)) => answer.text(),
                    Some(Err(refusal)) => refusal.error_message(),
                    None => None,
                };
                if request.is_latest() {
                    sentence.set(preview);
                }
            });
        }
    });
    // The field error already shows the problem with the submitted time.
    let refused = wrong_time.clone();
    let shown = move || sentence.get().filter(|text| refused.as_ref() != Some(text)).unwrap_or_else(|| hint.clone());
    let described = if wrong_time.is_some() { "not_before-error not_before-hint" } else { "not_before-hint" };
    view! {
        <div class="field">
            <label for="not_before">"Not before " <span class="optional">"optional"</span></label>
            <input
                class="input"
                type="datetime-local"
                id="not_before"
                name="not_before"
                value=first
                autofocus=focus
                aria-invalid=wrong_time.is_some().then_some("true")
                aria-describedby=described
                node_ref=input
                on:input=move |event| typed.set(event_target_value(&event))
            />
            {wrong_time.map(|message| error_message("not_before", message))}
            <p class="hint" id="not_before-hint" aria-live="polite">
                {shown}
            </p>
        </div>
    }
}
