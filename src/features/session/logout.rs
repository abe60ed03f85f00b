//! Signing out, for those who come by its address: a GET changes nothing, so the page asks.

use super::PageTitle;
use crate::ui::gate::Gate;
use leptos::prelude::*;

#[component]
pub fn LogoutPage() -> impl IntoView {
    view! {
        <PageTitle text="Sign out" />
        <Gate title="Sign out?" lead="Your API keys go on working.".to_owned()>
            <form class="actions" method="post" action="/logout" data-plain>
                <button class="button button--primary">"Sign out"</button>
                <a class="button" href="/keys">
                    "Cancel"
                </a>
            </form>
        </Gate>
    }
}
