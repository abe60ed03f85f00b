//! The 404 page.

use super::PageTitle;
use crate::{http::context, response_status::status, ui::bare_layout::Gate};
use leptos::prelude::*;

/// The same page for an object that does not exist and for one that the user has no access to.
#[component]
pub fn NotFoundPage() -> impl IntoView {
    status(404);
    let lead = "This page does not exist, or you do not have access to it. Check the address, or ask the person who sent it \
                to you.";
    view! {
        <PageTitle text="Page not found" />
        <Gate title="Page not found" lead=lead.to_owned()>
            <div class="actions">{actions()}</div>
            <p class="hint">"Error 404"</p>
        </Gate>
    }
}

/// Returns the links of the page. Without a session the user first needs to sign in.
fn actions() -> AnyView {
    if context::signed_in().is_none() {
        return view! {
            <a class="button button--primary" href="/login">
                "Sign in"
            </a>
        }
        .into_any();
    }
    view! {
        {home_link()}
        <a class="button" href="/logout">
            "Sign in as another user"
        </a>
    }
    .into_any()
}

/// The link from an error page to the key list.
pub fn home_link() -> AnyView {
    view! {
        <a class="button button--primary" href="/keys">
            "Go to your API keys"
        </a>
    }
    .into_any()
}
