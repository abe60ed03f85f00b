//! Password reset, step two: the form for the new password.

use super::{api, expired_link::expired_link};
use crate::{
    domain::registration::{PASSWORD_MIN, password_hint},
    error::AppError,
    features::resource::resource,
    features::session::{PageTitle, Session, SessionInfo, instance_footer},
    ui::{bare_layout::Gate, button::Submit, field::Field, form::Form, notice::Refused},
};
use leptos::prelude::*;
use leptos_router::{hooks::use_query_map, location::Url};

#[component]
pub fn ResetPage() -> impl IntoView {
    let session = Session::current();
    let code = use_query_map().with_untracked(|query| query.get("code")).unwrap_or_default();
    let to = StoredValue::new(format!("/reset/new?code={}", Url::escape(&code)));
    let code = StoredValue::new(code);
    let opens = resource(|| (), move |()| api::check_reset_link(code.get_value()));

    let page = move |known: Option<SessionInfo>, opens: Result<(), AppError>| {
        if opens.is_err() {
            return expired_link(known, "/reset", "Request a new link");
        }
        view! {
            <PageTitle text="Set a new password" />
            <Gate
                title="Set a new password"
                lead="You will be signed out everywhere. Your API keys continue to work.".to_owned()
                foot=known.map(instance_footer)
            >
                <Form to=to.get_value() class="panel" plain=true>
                    <input type="hidden" name="code" value=code.get_value() />
                    <div class="panel__body fields">
                        <Refused />
                        <Field
                            name="password"
                            label="New password"
                            kind="password"
                            autocomplete="new-password"
                            minlength=PASSWORD_MIN
                            hint=password_hint()
                            required=true
                            autofocus=true
                        />
                        <Submit label="Save password" working="Saving…" class="button button--primary button--wide" />
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
                opens.get().map(|opens| page(known, opens))
            }}
        </Suspense>
    }
}
