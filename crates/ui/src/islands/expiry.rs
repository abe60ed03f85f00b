//! Expiry field: a dropdown, a date for "on a date", and a sentence with the exact instant.

use super::latest_request::LatestRequest;
use crate::{
    api::EXPIRY_PREVIEW,
    browser,
    field::error_message,
    notice::{Notice, Tone},
    select::{Choice, Select},
};
use keyward_domain::expiry::ExpiryOption;
use leptos::{html, prelude::*, task::spawn_local};

/// Value of the option that requires a date.
const ON_A_DATE: &str = "date";
/// Hint while no date is selected.
const CHOOSE: &str = "Choose the last day on which the key is valid.";

/// Sentences of the preset periods are part of the page, because the server knows the clock changes of the user's time
/// zone. The sentence of a date is requested from the server. CSS shows the date field, so that it works without
/// scripts.
#[island]
pub fn Expiry(
    options: Vec<ExpiryOption>,
    /// Initially selected option.
    chosen: String,
    /// Initial date as `YYYY-MM-DD`. Empty: none.
    on: String,
    wrong_choice: Option<String>,
    wrong_date: Option<String>,
    /// Name of the field with the initial focus. Empty if it is not one of these fields.
    focus: String,
) -> impl IntoView {
    let (select, date) = (NodeRef::<html::Div>::new(), NodeRef::<html::Input>::new());
    let (choice, day) = (RwSignal::new(chosen.clone()), RwSignal::new(on.clone()));
    let sentences: Vec<(String, String)> =
        options.iter().map(|option| (option.value.clone(), option.sentence.clone())).collect();
    let first = sentence_of(&sentences, &chosen);
    let sentence = RwSignal::new(first.unwrap_or_else(|| CHOOSE.to_owned()));
    // Restores what was selected before hydration.
    Effect::new(move |_| {
        if let (Some(field), Some(date)) = (select.get(), date.get()) {
            choice.set(browser::value_of(&field, "select"));
            day.set(date.value());
        }
    });
    let requests = LatestRequest::default();
    Effect::new(move |_| {
        let (choice, day) = (choice.get(), day.get());
        let request = requests.start();
        if let Some(known) = sentence_of(&sentences, &choice) {
            sentence.set(known);
        } else if day.is_empty() {
            sentence.set(CHOOSE.to_owned());
        } else if browser::IS_BROWSER {
            spawn_local(async move {
                let answer = browser::call(EXPIRY_PREVIEW, &[("expires", &choice), ("expires_on", &day)]).await;
                let preview = match answer {
                    Some(Ok(answer)) => answer.text(),
                    Some(Err(refusal)) => refusal.error_message(),
                    None => None,
                };
                if request.is_latest() {
                    sentence.set(preview.unwrap_or_else(|| "Expires at the end of that day.".to_owned()));
                }
            });
        }
    });
    // The field error already shows the problem with the submitted date.
    let refused = wrong_date.clone().unwrap_or_default();
    let hint = move || sentence.with(|text| if *text == refused { CHOOSE.to_owned() } else { text.clone() });
    let mut choices: Vec<Choice> =
        options.iter().map(|option| Choice::new(option.value.clone(), option.label.clone())).collect();
    let never = choices.iter().position(|choice| choice.value == "never").unwrap_or(choices.len());
    choices.insert(never, Choice::new(ON_A_DATE, "On a date"));
    let described = match (&wrong_choice, &wrong_date) {
        (Some(_), _) => "expires-error expires-hint",
        _ => "expires-hint",
    };
    view! {
        <div class="field" node_ref=select>
            <label for="expires">"Expiration"</label>
            <div class="fields fields--pair expiry">
                <Select
                    name="expires"
                    choices
                    chosen
                    invalid=wrong_choice.is_some().then_some("true")
                    autofocus=focus == "expires"
                    described_by=Some(described.to_owned())
                    on_change=Callback::new(move |value| choice.set(value))
                />
                <input
                    class="input expiry__on"
                    type="date"
                    id="expires_on"
                    name="expires_on"
                    value=on
                    autofocus=focus == "expires_on"
                    aria-label="Expires on"
                    aria-invalid=wrong_date.is_some().then_some("true")
                    aria-describedby=wrong_date.is_some().then_some("expires_on-error")
                    node_ref=date
                    on:input=move |event| day.set(event_target_value(&event))
                />
            </div>
            {wrong_choice.map(|message| error_message("expires", message))}
            {wrong_date.map(|message| error_message("expires_on", message))}
            <p class="hint" id="expires-hint" aria-live="polite">
                {hint}
            </p>
            <Notice tone=Tone::Warning class="expiry__never">
                "A key that never expires stays valid until you deactivate or delete it. If its secret leaks, anyone can use it \
                 until then."
            </Notice>
        </div>
    }
}

fn sentence_of(sentences: &[(String, String)], value: &str) -> Option<String> {
    sentences.iter().find(|(known, _)| known == value).map(|(_, sentence)| sentence.clone())
}
