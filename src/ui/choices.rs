//! A list of check boxes, each with a description.

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
