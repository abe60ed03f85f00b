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
            if alone { "Password" } else { "Confirm your password" },
            "password",
            "current-password",
            (!alone).then_some("You won't be asked again for 15 minutes."),
        ),
        ReauthenticationMethod::Code => (
            if alone { "Code" } else { "Confirm with a code from your authenticator app" },
            "text",
            "one-time-code",
            Some("A 6-digit code or a recovery code. Each code works once."),
        ),
        ReauthenticationMethod::SignIn => {
            let words = if alone {
                "This requires a sign-in within the last 15 minutes. Sign out, sign in again, and repeat the action."
            } else {
                "This requires a sign-in within the last 15 minutes. Sign out, sign in again, and return to this page. Your \
                 entries are kept for 1 hour."
            };
            return view! { <Notice tone=Tone::Warning>{words}</Notice> }.into_any();
        }
        ReauthenticationMethod::NotReported { passwords } => {
            let words = if passwords {
                "Your identity provider does not report when you signed in, so signing in again does not help. Ask an \
                 administrator for a link to set a password, or to configure the provider to send the claim auth_time."
            } else {
                "Your identity provider does not report when you signed in, so signing in again does not help. Ask an \
                 administrator to configure the provider to send the claim auth_time."
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
