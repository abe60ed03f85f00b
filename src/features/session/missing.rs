//! What answers where there is nothing.

use super::PageTitle;
use crate::{response_status::status, ui::gate::Gate};
use leptos::prelude::*;

/// The same for what is not there and for what is not theirs.
#[component]
pub fn MissingPage() -> impl IntoView {
    status(404);
    let lead = "The page does not exist, or it belongs to someone else. Check the address, or ask the person who sent it \
                to you.";
    view! {
        <PageTitle text="Not found" />
        <Gate title="There is nothing here for you" lead=lead.to_owned()>
            <div class="actions">
                {home_link()}
                <a class="button" href="/logout">
                    "Sign in as someone else"
                </a>
            </div>
            <p class="hint">"Error 404"</p>
        </Gate>
    }
}

/// The way on from a page that leads nowhere.
pub fn home_link() -> AnyView {
    view! {
        <a class="button button--primary" href="/keys">
            "Go to your API keys"
        </a>
    }
    .into_any()
}
