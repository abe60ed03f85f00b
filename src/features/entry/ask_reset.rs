//! Password reset, step one: requests a one-time link by email.

use super::ask::ask;
use crate::{
    features::session::{Known, MissingPage, PageTitle, Session, foot, help_link},
    ui::gate::Gate,
};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

#[component]
pub fn AskResetPage() -> impl IntoView {
    let session = Session::here();
    let asked = use_query_map().with_untracked(|query| query.get("asked").is_some());

    let page = move |known: Option<Known>| {
        let Some(known) = known.filter(|known| known.instance.ways.passwords) else {
            return view! { <MissingPage /> }.into_any();
        };
        let help = known.instance.support_url.clone();
        let (title, lead, form) = match (known.instance.ways.mail, asked) {
            (false, _) => (
                "Forgot your password?",
                "This Keyward sends no mail. Ask your administrator for a link to choose a new one.",
                false,
            ),
            (true, true) => (
                "Look into your mail",
                "If there is an account with that address, a letter with a link is on its way. The link holds for an hour.",
                false,
            ),
            (true, false) => ("Forgot your password?", "We send you a link with which you choose a new one.", true),
        };
        view! {
            <PageTitle text="New password" />
            <Gate title lead=lead.to_owned() foot=Some(foot(known))>
                {form.then(|| ask("/reset"))}
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
