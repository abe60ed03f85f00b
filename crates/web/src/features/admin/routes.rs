//! Pages, form actions, and navigation of the administrators' list of all keys.

use super::api::{AdminActivateKey, AdminBulkChange, AdminDeactivateKey, AdminDeleteKey, AdminRestoreKey};
use crate::{
    features::{
        Feature,
        access::{Access, AdminPermission},
        form_route::{FormRoute, form, render},
        keys::{
            ActivatePage, AdminKeyDetailPage, AdminKeysPage, BulkActionPage, DeactivatePage, DeletePage, RestorePage,
            routes::redirect_to_list,
        },
        navigation::{NavEntry, Section},
        page_route::{PageRoute, page, page_with_dialogs},
    },
    ui::{icon::Icon, layout::NavLink},
};
use leptos_router::path;

pub const FEATURE: Feature = Feature { pages, forms, navigation: &[ALL_KEYS] };

pub const ALL_KEYS: NavEntry = NavEntry {
    section: Section::Administration,
    position: 1,
    access: LIST,
    link: NavLink { path: "/admin/keys", label: "All keys", icon: Icon::Rows },
};

const LIST: Access = Access::Administrator(AdminPermission::SeeEveryKey);
const CHANGE: Access = Access::Administrator(AdminPermission::StopAnyKey);

fn pages() -> Vec<PageRoute> {
    let dialogs = vec![
        page(CHANGE, path!("chosen"), BulkActionPage),
        page(CHANGE, path!(":id/deactivate"), DeactivatePage),
        page(CHANGE, path!(":id/activate"), ActivatePage),
        page(CHANGE, path!(":id/delete"), DeletePage),
        page(CHANGE, path!(":id/restore"), RestorePage),
    ];
    vec![
        page_with_dialogs(LIST, path!("/admin/keys"), AdminKeysPage, dialogs),
        page(LIST, path!("/admin/keys/:id"), AdminKeyDetailPage),
    ]
}

fn forms() -> Vec<FormRoute> {
    vec![
        form::<AdminDeactivateKey>(CHANGE, "/admin/keys/{id}/deactivate", |key, parts| {
            redirect_to_list("/admin/keys", parts, "deactivated", &key)
        }),
        form::<AdminActivateKey>(CHANGE, "/admin/keys/{id}/activate", |key, parts| {
            redirect_to_list("/admin/keys", parts, "activated", &key)
        }),
        form::<AdminDeleteKey>(CHANGE, "/admin/keys/{id}/delete", |key, parts| {
            redirect_to_list("/admin/keys", parts, "deleted", &key)
        }),
        form::<AdminRestoreKey>(CHANGE, "/admin/keys/{id}/restore", |key, parts| {
            redirect_to_list("/admin/keys", parts, "restored", &key)
        }),
        form::<AdminBulkChange>(CHANGE, "/admin/keys/chosen", |done, _| render(done)),
    ]
}
