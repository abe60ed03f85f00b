//! `/confirm`: reauthentication before a page that requires it.

use super::{PageTitle, SignedInOnly, api::reauthentication_method, load, next_param};
use crate::{
    domain::{
        security::{REAUTHENTICATION_MAX_AGE, ReauthenticationMethod},
        time::format_duration,
    },
    ui::{
        bare_layout::Gate,
        button::Submit,
        form::{Form, FormState},
        reauth_field::ProofField,
    },
};
use leptos::prelude::*;
use leptos_router::location::Url;

#[component]
pub fn ConfirmPage() -> impl IntoView {
    let next = next_param();
    let to = next.as_ref().map_or_else(|| "/confirm".into(), |next| format!("/confirm?next={}", Url::escape(next)));
    let back = "/keys";
    let draw = move |proof: ReauthenticationMethod| {
        let submit = proof.is_form_field().then(
            || view! { <Submit label="Confirm" working="Confirming…" class="button button--primary button--wide" /> },
        );
        view! {
            <Form to=to.clone() class="panel" plain=true>
                <div class="panel__body fields">{proof_field(proof)} {submit}</div>
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
        <PageTitle text="Confirm your identity" />
        <SignedInOnly />
        <Gate
            title="Confirm your identity"
            lead=format!(
                "This is required to continue. You won't be asked again for {}.",
                format_duration(REAUTHENTICATION_MAX_AGE)
            )
        >
            {load(reauthentication_method, draw)}
        </Gate>
    }
    .into_any()
}

fn proof_field(proof: ReauthenticationMethod) -> AnyView {
    FormState::from_context().set_has_reauth_field();
    view! { <ProofField proof alone=true /> }.into_any()
}
