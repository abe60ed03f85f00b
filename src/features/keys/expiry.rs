//! When a new key ends.

use crate::{
    domain::{
        expiry::{DEFAULT_DAYS, ExpiryChoice, PRESETS},
        time::{DAY, Timestamp},
    },
    ui::{
        browser,
        field::{Wrong, described},
        form::FormState,
        notice::{Notice, Tone},
        select::{Choice, Select},
    },
};
use leptos::{html, prelude::*};

/// The value of the choice that asks for a date.
const ON_A_DATE: &str = "date";

/// The dropdown, the date for those who choose one (shown by CSS, so that it needs no script), and a sentence that says the
/// instant in the person's own zone as soon as the browser can.
#[component]
pub fn Expiry(now: Timestamp) -> impl IntoView {
    let state = FormState::here();
    let first = state.typed("expires").unwrap_or_else(|| ExpiryChoice::Days(DEFAULT_DAYS).to_string());
    let day = state.typed("expires_on").unwrap_or_default();
    let (invalid, by) = described("expires", true);
    let (wrong_day, _) = described("expires_on", false);

    let (select, date) = (NodeRef::<html::Select>::new(), NodeRef::<html::Input>::new());
    let chosen = RwSignal::new(first.clone());
    let on = RwSignal::new(day.clone());
    let sentence = RwSignal::new(None);
    // What was chosen before the page was hydrated.
    Effect::new(move |_| {
        if let (Some(select), Some(date)) = (select.get(), date.get()) {
            chosen.set(select.value());
            on.set(date.value());
        }
    });
    Effect::new(move |_| sentence.set(say(&chosen.get(), &on.get(), now)));

    view! {
        <div class="field">
            <label for="expires">"Expiration"</label>
            <div class="fields fields--pair expiry">
                <Select
                    name="expires"
                    choices=choices()
                    chosen=first
                    invalid=invalid
                    described_by=by
                    autofocus=state.starts_at("expires", false)
                    node_ref=select
                    on_change=Callback::new(move |value| chosen.set(value))
                />
                <input
                    class="input expiry__on"
                    type="date"
                    id="expires_on"
                    name="expires_on"
                    value=day
                    aria-label="Expires on"
                    autofocus=state.starts_at("expires_on", false)
                    aria-invalid=move || wrong_day.get()
                    aria-describedby=move || wrong_day.get().map(|_| "expires_on-error")
                    node_ref=date
                    on:input=move |event| on.set(event_target_value(&event))
                />
            </div>
            <Wrong name="expires" />
            <Wrong name="expires_on" />
            <p class="hint" id="expires-hint" aria-live="polite" hidden=move || chosen.get() == ON_A_DATE && wrong_day.get().is_some()>
                {move || sentence.get().unwrap_or_else(|| "Counted from when you create the key; a date, to its end in UTC.".to_owned())}
            </p>
            <Notice tone=Tone::Warning class="expiry__never">
                "A key that never expires works until somebody stops it. If it leaks, it goes on leaking."
            </Notice>
        </div>
    }
    .into_any()
}

fn choices() -> Vec<Choice> {
    let presets = PRESETS.iter().map(|days| Choice::new(ExpiryChoice::Days(*days).to_string(), format!("{days} days")));
    let others = [Choice::new(ON_A_DATE, "On a date…"), Choice::new(ExpiryChoice::Never.to_string(), "Never")];
    presets.chain(others).collect()
}

fn say(choice: &str, on: &str, now: Timestamp) -> Option<String> {
    if choice == ON_A_DATE {
        return Some(match browser::say_end_of_day(on) {
            Some(day) => format!("Expires on {day}, at the end of the day."),
            None => "Choose the last day on which it works.".into(),
        });
    }
    match choice.parse().ok()? {
        ExpiryChoice::Days(days) => {
            let at = browser::say_instant(now.plus_seconds(i64::from(days) * DAY).seconds())?;
            Some(format!("Expires on {at}."))
        }
        ExpiryChoice::Never => Some("Does not expire.".into()),
        ExpiryChoice::Date(_) => None,
    }
}
