//! A list of check boxes, each with a description.

use super::field::{Wrong, described};
use leptos::prelude::*;

/// One thing that can be checked.
pub struct Check {
    pub value: String,
    pub description: String,
    pub checked: bool,
    /// The values of the select beside it for which it is offered, separated by spaces; `None`: always (`live::offers`).
    pub offered_for: Option<String>,
}

#[component]
pub fn Choices(
    /// Of all the check boxes: `scopes[]`.
    name: &'static str,
    checks: Vec<Check>,
    /// The first of them has the focus when the page opens.
    #[prop(optional)]
    autofocus: bool,
    invalid: Option<&'static str>,
) -> impl IntoView {
    let rows = checks
        .into_iter()
        .enumerate()
        .map(|(at, check)| {
            view! {
                <li data-offered-for=check.offered_for>
                    <label>
                        <input
                            type="checkbox"
                            name=name
                            value=check.value.clone()
                            checked=check.checked
                            autofocus=autofocus && at == 0
                            aria-invalid=invalid
                        />
                        <code>{check.value}</code>
                        <span class="muted">{check.description}</span>
                    </label>
                </li>
            }
        })
        .collect_view();
    view! { <ul class="choices">{rows}</ul> }.into_any()
}

/// The question which scopes, and what is said of the answer. Where there are none to choose, the hint stands alone.
#[component]
pub fn ScopeField(
    legend: &'static str,
    checks: Vec<Check>,
    #[prop(into)] hint: String,
    /// The first of them has the focus when the page opens.
    #[prop(optional)]
    autofocus: bool,
) -> impl IntoView {
    let (invalid, by) = described("scopes", true);
    let boxes = (!checks.is_empty()).then(|| view! { <Choices name="scopes[]" checks autofocus invalid /> });
    view! {
        <fieldset class="field" aria-describedby=by>
            <legend>{legend}</legend>
            {boxes}
            <Wrong name="scopes" />
            <p class="hint" id="scopes-hint">
                {hint}
            </p>
        </fieldset>
    }
    .into_any()
}
