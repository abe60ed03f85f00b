//! Notices: information, warnings, and errors in a box.

use super::{form::FormState, icon::Icon, reauth_field::ProofField};
use leptos::prelude::*;

/// Severity of a notice, which is never shown by color only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    Plain,
    Warning,
    Danger,
}

impl Tone {
    const fn as_str(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Warning => Some("warning"),
            Self::Danger => Some("danger"),
        }
    }
}

/// A box with an icon and a sentence. Screen readers announce [`Tone::Danger`].
#[component]
pub fn Notice(tone: Tone, #[prop(optional)] class: &'static str, children: Children) -> impl IntoView {
    let icon = if tone == Tone::Plain { Icon::Info } else { Icon::Warn };
    let role = (tone == Tone::Danger).then_some("alert");
    view! {
        <div class=format!("notice {class}").trim_end().to_owned() data-tone=tone.as_str() role=role>
            {icon.view()}
            <p>{children()}</p>
        </div>
    }
    .into_any()
}

/// Error of the form, above its fields. It is empty if the fields show the errors. `navigation::forms` shows its
/// message here if there is no response.
#[component]
pub fn Refused() -> impl IntoView {
    let state = FormState::from_context();
    if let Some(proof) = state.take_reauth_field() {
        return view! {
            <div data-refused></div>
            <ProofField proof />
        }
        .into_any();
    }
    let message = state.error().filter(|error| error.fields.is_empty()).map(|error| error.message.clone());
    view! { <div data-refused>{message.map(|message| view! { <Notice tone=Tone::Danger>{message}</Notice> })}</div> }
        .into_any()
}
