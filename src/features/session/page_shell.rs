//! The page shell with the signed-in user's profile and navigation.

use super::Session;
use crate::{
    domain::theme::Theme,
    ui::layout::{Layout, Nav, Profile, admin_links},
};
use leptos::prelude::*;
use leptos_router::hooks::use_location;

/// [`Layout`] with the data of the session.
#[component]
pub fn PageShell(nav: Nav, #[prop(optional)] inert: bool, children: Children) -> impl IntoView {
    let session = Session::current();
    let me = move || session.get().and_then(Result::ok).and_then(|known| known.me);
    let location = use_location();
    let (path, query) = (location.pathname.get_untracked(), location.search.get_untracked());
    let here = if query.is_empty() { path } else { format!("{path}?{query}") };
    let theme = use_context::<Theme>().unwrap_or_default();
    let admin = view! { <Suspense>{move || me().filter(|me| me.admin).map(|_| admin_links(nav))}</Suspense> };
    let foot = view! { <Suspense>{move || me().map(|me| view! { <Profile me theme here=here.clone() /> })}</Suspense> };
    view! {
        <Layout nav inert admin=admin.into_any() foot=foot.into_any()>
            {children()}
        </Layout>
    }
    .into_any()
}
