//! A list of check boxes, each with a description.

use leptos::prelude::*;

/// One thing that can be checked.
pub struct Check {
    pub value: String,
    pub description: String,
    pub checked: bool,
    /// It can be chosen now; otherwise it is not shown and not sent.
    pub offered: Signal<bool>,
}

#[component]
pub fn Choices(
    /// Of all the check boxes: `scopes[]`.
    name: &'static str,
    checks: Vec<Check>,
    /// The first of them has the focus when the page opens.
    #[prop(optional)]
    autofocus: bool,
    #[prop(into)] invalid: Signal<Option<&'static str>>,
) -> impl IntoView {
    let rows = checks
        .into_iter()
        .enumerate()
        .map(|(at, check)| {
            let offered = check.offered;
            view! {
                <li hidden=move || !offered.get()>
                    <label>
                        <input
                            type="checkbox"
                            name=name
                            value=check.value.clone()
                            checked=check.checked
                            autofocus=autofocus && at == 0
                            disabled=move || !offered.get()
                            aria-invalid=move || invalid.get()
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
