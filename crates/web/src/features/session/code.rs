//! Sign-in, step two: the code of the second factor.

use super::{PageTitle, Session, SessionInfo, api::needs_second_factor, login::instance_footer, next_param};
use crate::features::resource::resource;
use crate::{
    response_status::Redirect,
    ui::{bare_layout::Gate, button::Submit, field::Field, form::Form, notice::Refused},
};
use leptos::prelude::*;
use leptos_router::location::Url;

#[component]
pub fn CodePage() -> impl IntoView {
    let session = Session::current();
    let next = next_param();
    let query = next.as_ref().map(|next| format!("?next={}", Url::escape(next))).unwrap_or_default();
    let query = StoredValue::new(query);
    let loaded = resource(
        || (),
        move |()| async move {
            let known = session.wait().await.ok();
            (known, needs_second_factor().await.unwrap_or_default())
        },
    );
    let page = move |(known, waits): (Option<SessionInfo>, bool)| {
        let begin = format!("/login{}", query.get_value());
        // Without a pending sign-in, redirects to the sign-in page, which redirects a signed-in user further.
        if !waits {
            return view! { <Redirect to=begin /> }.into_any();
        }
        view! {
            <Gate
                title="Two-factor authentication"
                lead="Enter the code from your authenticator app.".to_owned()
                foot=known.map(instance_footer)
            >
                <Form to=format!("/login/code{}", query.get_value()) class="panel" plain=true>
                    <div class="panel__body fields">
                        <Refused />
                        <Field
                            name="one_time_code"
                            label="Code"
                            hint="A 6-digit code or a recovery code. Each code can be used once."
                            autocomplete="one-time-code"
                            required=true
                            autofocus=true
                            mono=true
                        />
                        <Submit label="Sign in" working="Signing in…" class="button button--primary button--wide" />
                    </div>
                </Form>
                <p class="hint">
                    "Lost your app and your recovery codes? Ask an administrator. " <a href=begin rel="external">
                        "Sign in as another user"
                    </a>
                </p>
            </Gate>
        }
        .into_any()
    };
    view! {
        <PageTitle text="Two-factor authentication" />
        <Suspense>{move || loaded.get().map(page)}</Suspense>
    }
}
