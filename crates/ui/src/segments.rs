//! Radios drawn as one control.

use leptos::prelude::*;

/// The radios of one name, each a value and its word; `chosen` is the one at first.
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
