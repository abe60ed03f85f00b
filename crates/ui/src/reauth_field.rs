//! Reauthentication field in a form.

use super::{
    field::{Wrong, aria_attributes},
    form::FormState,
    notice::{Notice, Tone},
};
use keyward_domain::security::ReauthenticationMethod;
use leptos::prelude::*;

/// Field for the password or code of a reauthentication. It is never prefilled.
#[component]
pub fn ProofField(
    proof: ReauthenticationMethod,
    /// Whether the page has no other field.
    #[prop(optional)]
    alone: bool,
) -> impl IntoView {
    let state = FormState::from_context();
    let (label, kind, autocomplete, hint) = match proof {
        ReauthenticationMethod::Password => (
            if alone { "Password" } else { "Confirm that it is you: your password" },
            "password",
            "current-password",
            (!alone).then_some("You won't be asked again for 15 minutes."),
        ),
        ReauthenticationMethod::Code => (
            if alone { "Code" } else { "Confirm that it is you: a code from your app" },
            "text",
            "one-time-code",
            Some("Six digits, or one of your recovery codes. Each works once."),
        ),
        ReauthenticationMethod::SignIn => {
            let words = if alone {
                "For this you must have signed in within the last 15 minutes. Sign out, sign in again, and repeat it."
            } else {
                "For this you must have signed in within the last 15 minutes. Sign out, sign in again, and come back here: what you \
                 typed is kept for an hour."
            };
            return view! { <Notice tone=Tone::Warning>{words}</Notice> }.into_any();
        }
        ReauthenticationMethod::NotReported { passwords } => {
            let words = if passwords {
                "Your sign-in provider does not report when you signed in, so signing in again does not help. Ask an administrator \
                 for a link to set a password here, or to have the provider include the claim auth_time."
            } else {
                "Your sign-in provider does not report when you signed in, so signing in again does not help. Ask an administrator \
                 to have the provider include the claim auth_time."
            };
            return view! { <Notice tone=Tone::Warning>{words}</Notice> }.into_any();
        }
    };
    // The field is empty, and the form is denied again without it, so it is marked as invalid.
    let missing = state.is_rejected();
    let (_, by) = aria_attributes("proof", hint.is_some());
    view! {
        <div class="field">
            <label for="proof">{label}</label>
            <input
                class="input"
                type=kind
                id="proof"
                name="proof"
                autocomplete=autocomplete
                autocapitalize="none"
                spellcheck="false"
                required
                autofocus
                aria-invalid=missing.then_some("true")
                aria-describedby=by
            />
            <Wrong name="proof" />
            {hint.map(|hint| view! { <p class="hint" id="proof-hint">{hint}</p> })}
        </div>
    }
    .into_any()
}
