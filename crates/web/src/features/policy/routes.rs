//! Page, form action, and navigation of the policy.

use super::{PolicyPage, api::SavePolicy};
use crate::{
    domain::policy::PolicySaved,
    features::{
        Feature,
        access::{Access, AdminPermission},
        form_route::{ActionResult, FormRoute, form, redirect, render},
        navigation::{NavEntry, Section},
        page_route::{PageRoute, page},
    },
    ui::{icon::Icon, layout::NavLink},
};
use leptos_router::path;

pub const FEATURE: Feature = Feature { pages, forms, navigation: &[POLICY] };

pub const POLICY: NavEntry = NavEntry {
    section: Section::Administration,
    position: 4,
    access: ACCESS,
    link: NavLink { path: "/admin/policy", label: "Policy", icon: Icon::Sliders },
};

const ACCESS: Access = Access::Administrator(AdminPermission::WritePolicy);

fn pages() -> Vec<PageRoute> {
    vec![page(ACCESS, path!("/admin/policy"), PolicyPage)]
}

fn forms() -> Vec<FormRoute> {
    vec![form::<SavePolicy>(ACCESS, "/admin/policy", |saved, _| after_policy_save(saved))]
}

/// Shows the effects of a policy change for confirmation. Redirects with a message if the policy was saved.
fn after_policy_save(saved: PolicySaved) -> ActionResult {
    match saved {
        PolicySaved::Saved => redirect("/admin/policy?done=saved"),
        touches => render(touches),
    }
}
