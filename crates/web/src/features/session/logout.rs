//! Sign-out page for a GET of `/logout`. A GET must not change state, so the page asks for confirmation.

use super::{PageTitle, next::logout_url, next_param};
use crate::ui::bare_layout::Gate;
use leptos::prelude::*;

#[component]
pub fn LogoutPage() -> impl IntoView {
    // The form keeps `next` in its path for the user who signs in afterwards. Cancel goes to `next` immediately.
    let next = next_param().unwrap_or_else(|| "/keys".into());
    let to = logout_url(&next);
    view! {
        <PageTitle text="Sign out" />
        <Gate title="Sign out?" lead="Your API keys continue to work.".to_owned()>
            <form class="actions" method="post" action=to data-plain>
                <button class="button button--primary">"Sign out"</button>
                <a class="button" href=next rel="external">
                    "Cancel"
                </a>
            </form>
        </Gate>
    }
}
