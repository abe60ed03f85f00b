//! Initial setup: the user who has the printed setup code becomes the administrator.

use super::{PageTitle, Session, SessionInfo, login::instance_footer};
use crate::{
    domain::registration::{PASSWORD_MIN, password_hint},
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
                lead="Create the first administrator account. This page is available only once.".to_owned()
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
                            hint="Keyward printed the code in the terminal at startup."
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
                        <Field name="email" label="Email" kind="email" autocomplete="username" required=true />
                        <Field
                            name="password"
                            label="Password"
                            kind="password"
                            autocomplete="new-password"
                            minlength=PASSWORD_MIN
                            hint=password_hint()
                            required=true
                        />
                        <Field
                            name="project"
                            label="First project"
                            hint="Leave blank to name it after you."
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
        <PageTitle text="Set up Keyward" />
        <Suspense>{move || session.get().map(|known| page(known.ok()))}</Suspense>
    }
}

/// The page if passwords are disabled: no administrator can be created with a password.
fn without_passwords(known: Option<SessionInfo>) -> AnyView {
    let lead =
        "Password sign-in is disabled. Sign in once, then run this command on the server to become an administrator.";
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
