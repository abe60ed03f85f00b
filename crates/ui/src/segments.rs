//! Segmented control: radio buttons rendered as one control.

use leptos::prelude::*;

/// Radio buttons of one name, each with a value and a label. `chosen` is the initial value.
#[component]
pub fn Segments(
    name: &'static str,
    choices: &'static [(&'static str, &'static str)],
    #[prop(into)] chosen: String,
) -> impl IntoView {
    choices
        .iter()
        .map(|&(value, word)| {
            view! {
                <label>
                    <input type="radio" name=name value=value checked=value == chosen />
                    {word}
                </label>
            }
        })
        .collect_view()
        .into_any()
}
