//! Registration, step two: the form that creates the account of a one-time link.

use super::{api, expired_link::expired_link};
use crate::{
    domain::registration::{PASSWORD_MIN, RegistrationPrefill, password_hint},
    error::AppError,
    features::resource::resource,
    features::session::{PageTitle, Session, SessionInfo, instance_footer},
    ui::{bare_layout::Gate, button::Submit, field::Field, form::Form, notice::Refused},
};
use leptos::prelude::*;
use leptos_router::{hooks::use_query_map, location::Url};

#[component]
pub fn SignUpPage() -> impl IntoView {
    let session = Session::current();
    let code = use_query_map().with_untracked(|query| query.get("code")).unwrap_or_default();
    let to = StoredValue::new(format!("/signup/new?code={}", Url::escape(&code)));
    let code = StoredValue::new(code);
    let welcome = resource(|| (), move |()| api::registration_prefill(code.get_value()));

    let page = move |known: Option<SessionInfo>, welcome: Result<RegistrationPrefill, AppError>| {
        let Ok(welcome) = welcome else { return expired_link(known, "/login", "Go to sign-in") };
        let product = known.as_ref().and_then(|known| known.instance.name.clone());
        view! {
            <PageTitle text="Create account" />
            <Gate
                title=format!("Create your {} account", product.as_deref().unwrap_or("Keyward"))
                lead=format!("You will sign in with {}.", welcome.email)
                foot=known.map(instance_footer)
            >
                <Form to=to.get_value() class="panel" plain=true>
                    <input type="hidden" name="code" value=code.get_value() />
                    // For password managers: without this field they store the name as the user name.
                    <input type="hidden" autocomplete="username" value=welcome.email />
                    <div class="panel__body fields">
                        <Refused />
                        <Field
                            name="name"
                            label="Your name"
                            autocomplete="name"
                            required=true
                            autofocus=true
                        />
                        <Field
                            name="password"
                            label="Password"
                            kind="password"
                            autocomplete="new-password"
                            minlength=PASSWORD_MIN
                            hint=password_hint()
                            required=true
                        />
                        <Submit label="Create account" working="Creating…" class="button button--primary button--wide" />
                    </div>
                </Form>
            </Gate>
        }
        .into_any()
    };
    view! {
        <Suspense>
            {move || {
                let known = session.get()?.ok();
                welcome.get().map(|welcome| page(known, welcome))
            }}
        </Suspense>
    }
}
