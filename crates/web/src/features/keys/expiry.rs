//! Expiry field of a form, with the submitted value and its error after a rejected submission.

use crate::{domain::expiry::ExpiryOption, islands::Expiry, ui::form::FormState};
use leptos::prelude::*;

/// The field. `first` is the initial choice, `on` the initial date as `YYYY-MM-DD`, `policy` a hint about the maximum
/// key lifetime.
pub fn expiry(options: Vec<ExpiryOption>, first: String, on: String, policy: Option<String>) -> AnyView {
    let state = FormState::from_context();
    let known = |typed: &String| typed == "date" || options.iter().any(|option| option.value == *typed);
    let chosen = state.submitted_value("expires").filter(known).unwrap_or(first);
    let on = state.submitted_value("expires_on").unwrap_or(on);
    let (wrong_choice, wrong_date) = (state.field_error("expires"), state.field_error("expires_on"));
    let focus = ["expires", "expires_on"]
        .into_iter()
        .find(|name| state.has_initial_focus(name, false))
        .unwrap_or_default()
        .to_owned();
    let policy = policy.map(|policy| view! { <p class="hint">{policy}</p> });
    view! {
        <div class="field">
            <Expiry options chosen on wrong_choice wrong_date focus />
            {policy}
        </div>
    }
    .into_any()
}
