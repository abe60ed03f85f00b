//! Pages, form actions, and navigation of API keys.

use super::{
    ActivatePage, CreatePage, DeactivatePage, DeletePage, EditPage, KeyDetailPage, KeysPage, RestorePage,
    api::{ActivateKey, CreateKey, DeactivateKey, DeleteKey, EditKey, RestoreKey},
};
use crate::{
    domain::{filter::KeyFilter, key::Key},
    features::{
        Feature,
        access::Access,
        form_route::{ActionResult, FormRoute, form, redirect, render_once},
        navigation::{NavEntry, Section},
        page_route::{PageRoute, page, page_with_dialogs},
    },
    response_status::Redirect,
    ui::{icon::Icon, layout::NavLink},
};
use axum::http::request::Parts;
use leptos::prelude::*;
use leptos_router::path;

pub const FEATURE: Feature = Feature { pages, forms, navigation: &[KEYS] };

pub const KEYS: NavEntry = NavEntry {
    section: Section::Main,
    position: 1,
    access: ACCESS,
    link: NavLink { path: "/keys", label: "API keys", icon: Icon::Key },
};

/// The role in the project decides what a user may do.
const ACCESS: Access = Access::SignedIn;

fn pages() -> Vec<PageRoute> {
    let dialogs = vec![
        page(ACCESS, path!("new"), CreatePage),
        page(ACCESS, path!(":id/edit"), EditPage),
        page(ACCESS, path!(":id/deactivate"), DeactivatePage),
        page(ACCESS, path!(":id/activate"), ActivatePage),
        page(ACCESS, path!(":id/delete"), DeletePage),
        page(ACCESS, path!(":id/restore"), RestorePage),
    ];
    vec![
        page(Access::Public, path!("/"), || view! { <Redirect to="/keys" /> }),
        page_with_dialogs(ACCESS, path!("/keys"), KeysPage, dialogs),
        page(ACCESS, path!("/keys/:id"), KeyDetailPage),
    ]
}

fn forms() -> Vec<FormRoute> {
    vec![
        form::<CreateKey>(ACCESS, "/keys/new", |created, _| render_once(created)),
        form::<EditKey>(ACCESS, "/keys/{id}/edit", |key, parts| redirect_to_list("/keys", parts, "edited", &key)),
        form::<DeactivateKey>(ACCESS, "/keys/{id}/deactivate", |key, parts| {
            redirect_to_list("/keys", parts, "deactivated", &key)
        }),
        form::<ActivateKey>(ACCESS, "/keys/{id}/activate", |key, parts| {
            redirect_to_list("/keys", parts, "activated", &key)
        }),
        form::<DeleteKey>(ACCESS, "/keys/{id}/delete", |key, parts| redirect_to_list("/keys", parts, "deleted", &key)),
        form::<RestoreKey>(ACCESS, "/keys/{id}/restore", |key, parts| {
            redirect_to_list("/keys", parts, "restored", &key)
        }),
    ]
}

/// Redirects to the list behind the dialog, with its filter and a message on the action.
pub fn redirect_to_list(list: &str, parts: &Parts, done: &str, key: &Key) -> ActionResult {
    let query = parts.uri.query().unwrap_or_default();
    let pairs: Vec<_> = url::form_urlencoded::parse(query.as_bytes()).collect();
    let kept =
        KeyFilter::from_query(|name| Some(pairs.iter().find(|(it, _)| it == name)?.1.clone().into_owned())).to_query();
    let and = if kept.is_empty() { "" } else { "&" };
    redirect(format!("{list}?{kept}{and}done={done}&key={}", key.id))
}
