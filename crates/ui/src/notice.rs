//! Something to know before going on.

use super::{form::FormState, icon::Icon, proof::ProofField};
use leptos::prelude::*;

/// How grave it is; never said by colour alone.
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

/// A box with an icon and a sentence. Danger is announced.
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

/// Why the form was refused, above its fields; nothing if the fields themselves say it. `live::forms` speaks here when no answer
/// comes.
#[component]
pub fn Refused() -> impl IntoView {
    let state = FormState::here();
    if let Some(proof) = state.ask_for_proof() {
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
