//! Signing out, for those who come by its address: a GET changes nothing, so the page asks.

use super::{PageTitle, next::logout_for, next_here};
use crate::ui::gate::Gate;
use leptos::prelude::*;

#[component]
pub fn LogoutPage() -> impl IntoView {
    // Where one goes as somebody else stays in the address; whoever stays signed in goes there at once.
    let next = next_here().unwrap_or_else(|| "/keys".into());
    let to = logout_for(&next);
    view! {
        <PageTitle text="Sign out" />
        <Gate title="Sign out?" lead="Your API keys go on working.".to_owned()>
            <form class="actions" method="post" action=to data-plain>
                <button class="button button--primary">"Sign out"</button>
                <a class="button" href=next rel="external">
                    "Cancel"
                </a>
            </form>
        </Gate>
    }
}
