//! Native select with a custom arrow.

use super::icon::Icon;
use leptos::prelude::*;

/// One option.
pub struct Choice {
    pub value: String,
    pub label: String,
}

impl Choice {
    pub fn new(value: impl Into<String>, label: impl Into<String>) -> Self {
        Self { value: value.into(), label: label.into() }
    }
}

/// The select. The caller provides a label or `aria_label`.
#[component]
pub fn Select(
    name: &'static str,
    /// Id of the element, if its name is not unique on the page.
    #[prop(optional)]
    id: Option<&'static str>,
    choices: Vec<Choice>,
    /// Initially selected value.
    #[prop(into)]
    chosen: String,
    #[prop(optional)] autofocus: bool,
    #[prop(optional)] aria_label: Option<&'static str>,
    #[prop(optional_no_strip)] invalid: Option<&'static str>,
    #[prop(optional_no_strip)] described_by: Option<String>,
    /// Keyboard shortcut that focuses it.
    #[prop(optional)]
    shortcut: Option<&'static str>,
    #[prop(default = Callback::new(|_| ()))] on_change: Callback<String>,
) -> impl IntoView {
    let options = choices
        .into_iter()
        .map(|choice| {
            let selected = choice.value == chosen;
            view! {
                <option value=choice.value selected=selected>
                    {choice.label}
                </option>
            }
        })
        .collect_view();
    view! {
        <span class="select">
            <select
                class="input"
                id=id.unwrap_or(name)
                name=name
                aria-label=aria_label
                data-shortcut=shortcut
                autofocus=autofocus
                aria-invalid=invalid
                aria-describedby=described_by
                on:change=move |event| on_change.run(event_target_value(&event))
            >
                {options}
            </select>
            {Icon::Down.view()}
        </span>
    }
    .into_any()
}
