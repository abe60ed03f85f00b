//! Form fields: a label, an input, its error, and a hint, associated for assistive technology.

use super::{form::FormState, icon::Icon, markup::TextArea};
use leptos::prelude::*;

/// Error of the field `name`.
#[component]
pub fn Wrong(name: &'static str) -> impl IntoView {
    FormState::from_context().field_error(name).map(|message| error_message(name, message)).into_any()
}

/// Renders an error message next to its field.
pub fn error_message(name: &'static str, message: String) -> AnyView {
    view! {
        <p class="error" id=format!("{name}-error")>
            {Icon::Warn.view()}
            {message}
        </p>
    }
    .into_any()
}

/// Returns `aria-invalid` and `aria-describedby` for an input that is not a [`Field`].
pub fn aria_attributes(name: &'static str, hint: bool) -> (Option<&'static str>, Option<String>) {
    let wrong = FormState::from_context().field_error(name).is_some();
    let by = match (wrong, hint) {
        (true, true) => Some(format!("{name}-error {name}-hint")),
        (true, false) => Some(format!("{name}-error")),
        (false, true) => Some(format!("{name}-hint")),
        (false, false) => None,
    };
    (wrong.then_some("true"), by)
}

/// A single-line text field.
#[component]
pub fn Field(
    /// Name of the input and of its error.
    name: &'static str,
    label: &'static str,
    #[prop(default = "text")] kind: &'static str,
    #[prop(optional, into)] value: String,
    #[prop(optional, into)] hint: Option<String>,
    #[prop(optional)] placeholder: Option<&'static str>,
    #[prop(default = "off")] autocomplete: &'static str,
    #[prop(optional)] minlength: Option<u16>,
    #[prop(optional)] required: bool,
    #[prop(optional)] autofocus: bool,
    /// Whether to mark the field as optional.
    #[prop(optional)]
    optional: bool,
    #[prop(optional)] mono: bool,
) -> impl IntoView {
    let state = FormState::from_context();
    let (invalid, by) = aria_attributes(name, hint.is_some());
    let value = if kind == "password" { String::new() } else { state.submitted_value(name).unwrap_or(value) };
    view! {
        <div class="field">
            <label for=name>{label} {optional.then(|| view! { " " <span class="optional">"optional"</span> })}</label>
            <input
                class=if mono { "input input--mono" } else { "input" }
                type=kind
                id=name
                name=name
                value=value
                placeholder=placeholder
                autocomplete=autocomplete
                minlength=minlength.map(|n| n.to_string())
                required=required
                autofocus=state.has_initial_focus(name, autofocus)
                aria-invalid=invalid
                aria-describedby=by
            />
            <Wrong name />
            {hint.map(|hint| view! { <p class="hint" id=format!("{name}-hint")>{hint}</p> })}
        </div>
    }
    .into_any()
}

/// A multi-line text field.
#[component]
pub fn Area(
    /// Name of the text area and of its error.
    name: &'static str,
    label: &'static str,
    #[prop(into)] value: String,
    /// Number of visible lines.
    rows: u8,
    #[prop(into)] hint: String,
    #[prop(optional)] required: bool,
) -> impl IntoView {
    let state = FormState::from_context();
    let (invalid, by) = aria_attributes(name, true);
    view! {
        <div class="field">
            <label for=name>{label} {(!required).then(|| view! { " " <span class="optional">"optional"</span> })}</label>
            <TextArea
                name
                class="input"
                text=state.submitted_value(name).unwrap_or(value)
                rows
                required
                autofocus=state.has_initial_focus(name, false)
                invalid=invalid.is_some()
                described_by=by
            />
            <Wrong name />
            <p class="hint" id=format!("{name}-hint")>
                {hint}
            </p>
        </div>
    }
    .into_any()
}
