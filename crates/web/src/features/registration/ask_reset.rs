//! Password reset, step one: requests a one-time link by email.

use super::email_form::email_form;
use crate::{
    domain::{registration::RESET_LINK_LIFETIME, time::format_duration},
    features::session::{NotFoundPage, PageTitle, Session, SessionInfo, help_link, instance_footer},
    ui::bare_layout::Gate,
};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

#[component]
pub fn RequestResetPage() -> impl IntoView {
    let session = Session::current();
    let link_requested = use_query_map().with_untracked(|query| query.get("asked").is_some());

    let page = move |known: Option<SessionInfo>| {
        let Some(known) = known.filter(|known| known.instance.ways.passwords) else {
            return view! { <NotFoundPage /> }.into_any();
        };
        let help = known.instance.support_url.clone();
        let (title, lead, form) = match (known.instance.ways.mail, link_requested) {
            (false, _) => (
                "Forgot your password?",
                "This Keyward instance does not send email. Ask an administrator for a link to reset your password."
                    .to_owned(),
                false,
            ),
            (true, true) => (
                "Check your email",
                format!(
                    "If an account exists for that address, you will receive an email with a link. The link is valid for {}.",
                    format_duration(RESET_LINK_LIFETIME)
                ),
                false,
            ),
            (true, false) => (
                "Forgot your password?",
                "Enter your email address. You will receive a link to set a new password.".to_owned(),
                true,
            ),
        };
        view! {
            <PageTitle text="Reset password" />
            <Gate title lead=lead foot=Some(instance_footer(known))>
                {form.then(|| email_form("/reset"))}
                <p class="hint">
                    <a href="/login" rel="external">
                        "Back to sign-in"
                    </a>
                    {help.map(help_link)}
                </p>
            </Gate>
        }
        .into_any()
    };
    view! { <Suspense>{move || session.get().map(|known| page(known.ok()))}</Suspense> }
}
