//! Registration, step one: requests a one-time link by email. An invitation redirects to step two immediately.

use super::email_form::email_form;
use crate::{
    domain::{registration::SIGN_UP_LINK_LIFETIME, time::format_duration},
    features::session::{NotFoundPage, PageTitle, Session, SessionInfo, instance_footer},
    response_status::Redirect,
    ui::bare_layout::Gate,
};
use leptos::prelude::*;
use leptos_router::{hooks::use_query_map, location::Url};

#[component]
pub fn RequestSignUpPage() -> impl IntoView {
    let session = Session::current();
    let (invitation, link_requested) =
        use_query_map().with_untracked(|query| (query.get("invitation"), query.get("asked").is_some()));
    let invitation = StoredValue::new(invitation);

    let page = move |known: Option<SessionInfo>| {
        if let Some(code) = invitation.get_value() {
            return view! { <Redirect to=format!("/signup/new?code={}", Url::escape(&code)) /> }.into_any();
        }
        let Some(known) = known.filter(|known| known.instance.ways.sign_up) else {
            return view! { <NotFoundPage /> }.into_any();
        };
        if known.me.is_some() {
            return view! { <Redirect to="/keys" /> }.into_any();
        }
        let product = known.instance.name.clone();
        let (title, lead) = if link_requested {
            (
                "Check your email".to_owned(),
                format!(
                    "We sent an email to that address. Open its link to continue. The link is valid for {}.",
                    format_duration(SIGN_UP_LINK_LIFETIME)
                ),
            )
        } else {
            (
                format!("Create your {} account", product.as_deref().unwrap_or("Keyward")),
                "Enter your email address. You will receive a link to confirm it.".to_owned(),
            )
        };
        view! {
            <PageTitle text="Create account" />
            <Gate title lead=lead foot=Some(instance_footer(known))>
                {(!link_requested).then(|| email_form("/signup"))}
                <p class="hint">
                    "Already have an account? " <a href="/login" rel="external">
                        "Sign in"
                    </a>
                </p>
            </Gate>
        }
        .into_any()
    };
    view! { <Suspense>{move || session.get().map(|known| page(known.ok()))}</Suspense> }
}
