//! The page shell with the signed-in user's profile and navigation.

use super::Session;
use crate::{
    domain::theme::Theme,
    features::navigation::{NavEntry, Section, links},
    ui::layout::{Layout, Profile, admin_links},
};
use leptos::prelude::*;
use leptos_router::hooks::use_location;

/// [`Layout`] with the data of the session. `nav` is the navigation entry of the page.
#[component]
pub fn PageShell(nav: NavEntry, #[prop(optional)] inert: bool, children: Children) -> impl IntoView {
    let session = Session::current();
    let me = move || session.get().and_then(Result::ok).and_then(|known| known.me);
    let location = use_location();
    let (path, query) = (location.pathname.get_untracked(), location.search.get_untracked());
    let here = if query.is_empty() { path } else { format!("{path}?{query}") };
    let theme = use_context::<Theme>().unwrap_or_default();
    let current = nav.link.path;
    let of_admin = move || me().map(|me| links(Section::Administration, me.admin)).filter(|links| !links.is_empty());
    let admin = view! { <Suspense>{move || of_admin().map(|links| admin_links(&links, current))}</Suspense> };
    let foot = view! { <Suspense>{move || me().map(|me| view! { <Profile me theme here=here.clone() /> })}</Suspense> };
    // These sections have no entry that depends on the session.
    let (main, settings) = (links(Section::Main, false), links(Section::Settings, false));
    view! {
        <Layout current main inert settings admin=admin.into_any() foot=foot.into_any()>
            {children()}
        </Layout>
    }
    .into_any()
}
