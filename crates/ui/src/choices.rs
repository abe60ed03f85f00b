//! Check box lists with descriptions.

use super::field::{Wrong, aria_attributes};
use leptos::prelude::*;

/// One check box.
pub struct Check {
    pub value: String,
    pub description: String,
    pub checked: bool,
    /// Values of the related select for which the check box is available, separated by spaces. `None`: always
    /// (`navigation::dependent_options`).
    pub offered_for: Option<String>,
}

#[component]
pub fn Choices(
    /// Name of all check boxes: `scopes[]`.
    name: &'static str,
    checks: Vec<Check>,
    /// Whether the first check box has the initial focus.
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

/// Field to select scopes, with its error and hint. If there are no scopes to select, only the hint is shown.
#[component]
pub fn ScopeField(
    legend: &'static str,
    checks: Vec<Check>,
    #[prop(into)] hint: String,
    /// Whether the first check box has the initial focus.
    #[prop(optional)]
    autofocus: bool,
) -> impl IntoView {
    let (invalid, by) = aria_attributes("scopes", true);
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
