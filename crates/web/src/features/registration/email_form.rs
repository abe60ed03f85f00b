//! Email form: requests a one-time link with the email address alone.

use crate::ui::{button::Submit, field::Field, form::Form, notice::Refused};
use leptos::prelude::*;

/// The form. `to` is the path of the current page.
pub fn email_form(to: &'static str) -> AnyView {
    view! {
        <Form to class="panel" plain=true>
            <div class="panel__body fields">
                <Refused />
                <Field name="email" label="Email" kind="email" autocomplete="username" required=true autofocus=true />
                <Submit label="Send link" working="Sending…" class="button button--primary button--wide" />
            </div>
        </Form>
    }
    .into_any()
}
