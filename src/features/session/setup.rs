//! Initial setup: the user who has the printed setup code becomes the administrator.

use super::{PageTitle, Session, SessionInfo, login::instance_footer};
use crate::{
    response_status::Redirect,
    ui::{bare_layout::Gate, button::Submit, field::Field, form::Form, notice::Refused},
};
use leptos::prelude::*;
use leptos_router::{hooks::use_query_map, location::Url};

#[component]
pub fn SetupPage() -> impl IntoView {
    let session = Session::current();
    let code = StoredValue::new(use_query_map().with_untracked(|query| query.get("code")).unwrap_or_default());

    let page = move |known: Option<SessionInfo>| {
        if known.as_ref().is_some_and(|known| !known.instance.needs_setup) {
            return view! { <Redirect to="/login" /> }.into_any();
        }
        if known.as_ref().is_some_and(|known| !known.instance.ways.passwords) {
            return without_passwords(known);
        }
        let code = code.get_value();
        let has_code = !code.is_empty();
        let to = if has_code { format!("/setup?code={}", Url::escape(&code)) } else { "/setup".into() };
        view! {
            <Gate
                title="Set up Keyward"
                lead="This page answers once. You become its first administrator.".to_owned()
                wide=true
                foot=known.map(instance_footer)
            >
                <Form to class="panel" plain=true>
                    <div class="panel__body fields">
                        <Refused />
                        <Field
                            name="code"
                            label="Setup code"
                            value=code
                            hint="Keyward printed it in its terminal when it started."
                            autocomplete="one-time-code"
                            required=true
                            mono=true
                            autofocus=!has_code
                        />
                        <Field
                            name="name"
                            label="Your name"
                            autocomplete="name"
                            required=true
                            autofocus=has_code
                        />
                        <Field name="email" label="E-mail" kind="email" autocomplete="username" required=true />
                        <Field
                            name="password"
                            label="Password"
                            kind="password"
                            autocomplete="new-password"
                            minlength=12
                            hint="12 characters or more. A sentence is fine."
                            required=true
                        />
                        <Field
                            name="project"
                            label="First project"
                            hint="Empty: it gets your name."
                            optional=true
                        />
                        <Submit
                            label="Create administrator"
                            working="Creating…"
                            class="button button--primary button--wide"
                        />
                    </div>
                </Form>
            </Gate>
        }
        .into_any()
    };
    view! {
        <PageTitle text="First start" />
        <Suspense>{move || session.get().map(|known| page(known.ok()))}</Suspense>
    }
}

/// The page if passwords are disabled: no administrator can be created with a password.
fn without_passwords(known: Option<SessionInfo>) -> AnyView {
    let lead =
        "Passwords are switched off here. Sign in once, and then make yourself the administrator where Keyward runs.";
    view! {
        <Gate title="Set up Keyward" lead=lead.to_owned() wide=true foot=known.map(instance_footer)>
            <pre class="code">"keyward admin make-admin --email YOU@EXAMPLE.COM"</pre>
            <div class="actions">
                <a class="button button--primary" href="/login" rel="external">
                    "Go to sign-in"
                </a>
            </div>
        </Gate>
    }
    .into_any()
}
