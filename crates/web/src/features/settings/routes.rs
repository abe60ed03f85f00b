//! Pages, form actions, and navigation of the account and the developer information.

use super::{
    AccountPage, DeveloperPage,
    api::{SaveAccount, SaveTheme},
};
use crate::{
    features::{
        Feature,
        access::Access,
        form_route::{FormRoute, form, redirect},
        navigation::{NavEntry, Section},
        page_route::{PageRoute, page},
        session::next_path,
    },
    response_status::Redirect,
    ui::{icon::Icon, layout::NavLink},
};
use leptos::prelude::*;
use leptos_router::path;

pub const FEATURE: Feature = Feature { pages, forms, navigation: &[ACCOUNT, DEVELOPER] };

pub const ACCOUNT: NavEntry = NavEntry {
    section: Section::Settings,
    position: 1,
    access: Access::SignedIn,
    link: NavLink { path: "/settings/account", label: "Account", icon: Icon::User },
};

pub const DEVELOPER: NavEntry = NavEntry {
    section: Section::Settings,
    position: 3,
    access: Access::SignedIn,
    link: NavLink { path: "/settings/developer/api-keys", label: "Developer", icon: Icon::Code },
};

fn pages() -> Vec<PageRoute> {
    vec![
        page(Access::Public, path!("/settings"), || view! { <Redirect to="/settings/account" /> }),
        page(Access::SignedIn, path!("/settings/account"), AccountPage),
        // Target of the page's second form. If the form is rejected, the page is rendered again here.
        page(Access::SignedIn, path!("/settings/theme"), AccountPage),
        page(Access::Public, path!("/settings/developer"), || view! { <Redirect to="/settings/developer/api-keys" /> }),
        page(Access::SignedIn, path!("/settings/developer/api-keys"), DeveloperPage),
    ]
}

fn forms() -> Vec<FormRoute> {
    vec![
        form::<SaveAccount>(Access::SignedIn, "/settings/account", |(), _| redirect("/settings/account?done=saved")),
        // The theme is a cookie of the browser.
        form::<SaveTheme>(Access::Public, "/settings/theme", |(), parts| {
            redirect(next_path(parts, "/settings/account"))
        }),
    ]
}
