//! `/confirm`: reauthentication before a page that requires it.

use super::{PageTitle, SignedInOnly, api::how_to_prove, load, next_here};
use crate::{
    domain::security::Proof,
    ui::{
        button::Submit,
        form::{Form, FormState},
        gate::Gate,
        proof::ProofField,
    },
};
use leptos::prelude::*;
use leptos_router::location::Url;

#[component]
pub fn ConfirmPage() -> impl IntoView {
    let next = next_here();
    let to = next.as_ref().map_or_else(|| "/confirm".into(), |next| format!("/confirm?next={}", Url::escape(next)));
    let back = "/keys";
    let draw = move |proof: Proof| {
        let submit = proof.is_typed().then(
            || view! { <Submit label="Confirm" working="Checking…" class="button button--primary button--wide" /> },
        );
        view! {
            <Form to=to.clone() class="panel" plain=true>
                <div class="panel__body fields">{asked(proof)} {submit}</div>
            </Form>
            <p class="hint">
                <a href=back rel="external">
                    "Cancel"
                </a>
            </p>
        }
        .into_any()
    };
    view! {
        <PageTitle text="Confirm that it is you" />
        <SignedInOnly />
        <Gate
            title="Confirm that it is you"
            lead="What comes next needs a fresh proof of who you are. It holds for 15 minutes.".to_owned()
        >
            {load(how_to_prove, draw)}
        </Gate>
    }
    .into_any()
}

fn asked(proof: Proof) -> AnyView {
    FormState::here().asks_for_proof();
    view! { <ProofField proof alone=true /> }.into_any()
}
