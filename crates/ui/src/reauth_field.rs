//! Reauthentication field in a form.

use super::{
    field::{Wrong, aria_attributes},
    form::FormState,
    notice::{Notice, Tone},
};
use keyward_domain::{
    security::{DRAFT_LIFETIME, REAUTHENTICATION_MAX_AGE, ReauthenticationMethod},
    time::format_duration,
};
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
    let age = format_duration(REAUTHENTICATION_MAX_AGE);
    let (label, kind, autocomplete, hint) = match proof {
        ReauthenticationMethod::Password => (
            if alone { "Password" } else { "Confirm your password" },
            "password",
            "current-password",
            (!alone).then(|| format!("You won't be asked again for {age}.")),
        ),
        ReauthenticationMethod::Code => (
            if alone { "Code" } else { "Confirm with a code from your authenticator app" },
            "text",
            "one-time-code",
            Some("A 6-digit code or a recovery code. Each code can be used once.".to_owned()),
        ),
        ReauthenticationMethod::SignIn => {
            let next = if alone {
                "repeat the action.".to_owned()
            } else {
                format!("return to this page. Your entries are kept for {}.", format_duration(DRAFT_LIFETIME))
            };
            let words = format!("This requires a sign-in within the last {age}. Sign out, sign in again, and {next}");
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
