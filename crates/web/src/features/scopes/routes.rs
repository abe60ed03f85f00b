//! Pages, form actions, and navigation of the scope catalog.

use super::{
    AddScopePage, EditScopePage, RemoveScopePage, RetireScopePage, ScopesPage, UnretireScopePage,
    api::{AddScope, EditScope, RemoveScope, RetireScope, UnretireScope},
};
use crate::{
    features::{
        Feature,
        access::{Access, AdminPermission},
        form_route::{FormRoute, form, redirect},
        navigation::{NavEntry, Section},
        page_route::{PageRoute, page, page_with_dialogs},
    },
    ui::{icon::Icon, layout::NavLink},
};
use leptos_router::path;

pub const FEATURE: Feature = Feature { pages, forms, navigation: &[SCOPES] };

pub const SCOPES: NavEntry = NavEntry {
    section: Section::Administration,
    position: 3,
    access: ACCESS,
    link: NavLink { path: "/admin/scopes", label: "Scopes", icon: Icon::Shield },
};

const ACCESS: Access = Access::Administrator(AdminPermission::WriteCatalogue);

fn pages() -> Vec<PageRoute> {
    let dialogs = vec![
        page(ACCESS, path!("new"), AddScopePage),
        page(ACCESS, path!(":name/edit"), EditScopePage),
        page(ACCESS, path!(":name/remove"), RemoveScopePage),
        page(ACCESS, path!(":name/retire"), RetireScopePage),
        page(ACCESS, path!(":name/unretire"), UnretireScopePage),
    ];
    vec![page_with_dialogs(ACCESS, path!("/admin/scopes"), ScopesPage, dialogs)]
}

fn forms() -> Vec<FormRoute> {
    vec![
        form::<AddScope>(ACCESS, "/admin/scopes/new", |(), _| redirect("/admin/scopes?done=added")),
        form::<EditScope>(ACCESS, "/admin/scopes/{name}/edit", |(), _| redirect("/admin/scopes?done=saved")),
        form::<RemoveScope>(ACCESS, "/admin/scopes/{name}/remove", |(), _| redirect("/admin/scopes?done=removed")),
        form::<RetireScope>(ACCESS, "/admin/scopes/{name}/retire", |(), _| redirect("/admin/scopes?done=retired")),
        form::<UnretireScope>(ACCESS, "/admin/scopes/{name}/unretire", |(), _| {
            redirect("/admin/scopes?done=unretired")
        }),
    ]
}
