//! Expiry field of a form, with the submitted value and its error after a rejected submission.

use crate::{domain::expiry::ExpiryOption, islands::Expiry, ui::form::FormState};
use leptos::prelude::*;

/// The field. `first` is the initial choice, `on` the initial date as `YYYY-MM-DD`, `policy` a hint about the maximum
/// key lifetime.
pub fn expiry(options: Vec<ExpiryOption>, first: String, on: String, policy: Option<String>) -> AnyView {
    let state = FormState::here();
    let known = |typed: &String| typed == "date" || options.iter().any(|option| option.value == *typed);
    let chosen = state.typed("expires").filter(known).unwrap_or(first);
    let on = state.typed("expires_on").unwrap_or(on);
    let (wrong_choice, wrong_date) = (state.wrong("expires"), state.wrong("expires_on"));
    let focus =
        ["expires", "expires_on"].into_iter().find(|name| state.starts_at(name, false)).unwrap_or_default().to_owned();
    let policy = policy.map(|policy| view! { <p class="hint">{policy}</p> });
    view! {
        <div class="field">
            <Expiry options chosen on wrong_choice wrong_date focus />
            {policy}
        </div>
    }
    .into_any()
}
