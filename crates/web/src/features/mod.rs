//! One folder per feature: page data, form actions, and server functions in `api`, pages and components beside them.
//!
//! `routes` declares the feature: its pages, form actions, and navigation entries, with the access that each requires.
//! [`FEATURES`] is the table of these declarations. The routers, the sidebar, and the tests derive their lists from it.
//!
//! Nothing here uses the store or sqlx.

pub mod access;
pub mod action;
pub mod admin;
pub mod audit;
pub mod consent;
pub mod form_route;
pub mod keys;
pub mod navigation;
pub mod page_route;
pub mod policy;
pub mod projects;
pub mod registration;
pub mod resource;
pub mod scopes;
pub mod security;
pub mod session;
pub mod settings;
pub mod users;

use access::Access;
use form_route::FormRoute;
use leptos::tachys::view::iterators::StaticVec;
use leptos_router::any_nested_route::AnyNestedRoute;
use navigation::NavEntry;
use page_route::PageRoute;
use std::sync::LazyLock;

/// The declaration of a feature.
pub struct Feature {
    pub pages: fn() -> Vec<PageRoute>,
    pub forms: fn() -> Vec<FormRoute>,
    pub navigation: &'static [NavEntry],
}

/// All features.
pub static FEATURES: [Feature; 12] = [
    session::routes::FEATURE,
    registration::routes::FEATURE,
    keys::routes::FEATURE,
    projects::routes::FEATURE,
    consent::routes::FEATURE,
    settings::routes::FEATURE,
    security::routes::FEATURE,
    audit::routes::FEATURE,
    admin::routes::FEATURE,
    policy::routes::FEATURE,
    scopes::routes::FEATURE,
    users::routes::FEATURE,
];

static FORMS: LazyLock<Vec<FormRoute>> =
    LazyLock::new(|| FEATURES.iter().flat_map(|feature| (feature.forms)()).collect());

/// Returns the routes of all pages, for the Leptos router.
pub fn page_routes() -> StaticVec<AnyNestedRoute> {
    FEATURES.iter().flat_map(|feature| (feature.pages)()).map(|page| page.route).collect::<Vec<_>>().into()
}

/// Returns the paths of all pages in axum's syntax, with their access.
pub fn page_access() -> Vec<(String, Access)> {
    FEATURES.iter().flat_map(|feature| (feature.pages)()).flat_map(|page| page.access().collect::<Vec<_>>()).collect()
}

/// Returns the routes of all forms.
pub fn form_routes() -> &'static [FormRoute] {
    &FORMS
}

/// Returns the route of the form at this path, in axum's syntax.
pub fn form_route(path: &str) -> Option<&'static FormRoute> {
    FORMS.iter().find(|form| form.path == path)
}
