//! Pages, form actions, and navigation of user administration.

use super::{
    DeleteUserPage, DisablePage, EnablePage, InvitePage, MakeAdministratorPage, TransferPage, UnmakeAdministratorPage,
    UserPage, UsersPage,
    api::{DeleteUser, DisableUser, EnableUser, InviteUser, MakeAdministrator, TransferProject, UnmakeAdministrator},
};
use crate::{
    domain::people::InvitedUser,
    features::{
        Feature,
        access::{Access, AdminPermission},
        form_route::{ActionResult, FormRoute, form, redirect, render_once},
        navigation::{NavEntry, Section},
        page_route::{PageRoute, page, page_with_dialogs},
    },
    ui::{icon::Icon, layout::NavLink},
};
use axum::http::request::Parts;
use leptos_router::path;

pub const FEATURE: Feature = Feature { pages, forms, navigation: &[USERS] };

pub const USERS: NavEntry = NavEntry {
    section: Section::Administration,
    position: 2,
    access: ACCESS,
    link: NavLink { path: "/admin/users", label: "Users", icon: Icon::People },
};

const ACCESS: Access = Access::Administrator(AdminPermission::ManageUsers);
const TRANSFER: Access = Access::Administrator(AdminPermission::TransferProject);

/// Maximum length of a form with two fields for each project of a user, in bytes: the maximum number of pairs, each
/// with an ID.
const PROJECTS_FORM_MAX: usize = 256 * 1024;

fn pages() -> Vec<PageRoute> {
    let of_list = vec![page(ACCESS, path!("invite"), InvitePage)];
    let of_user = vec![
        page(ACCESS, path!("delete"), DeleteUserPage),
        page(ACCESS, path!("disable"), DisablePage),
        page(ACCESS, path!("enable"), EnablePage),
        page(ACCESS, path!("make-administrator"), MakeAdministratorPage),
        page(TRANSFER, path!("transfer/:project"), TransferPage),
        page(ACCESS, path!("unmake-administrator"), UnmakeAdministratorPage),
    ];
    vec![
        page_with_dialogs(ACCESS, path!("/admin/users"), UsersPage, of_list),
        page_with_dialogs(ACCESS, path!("/admin/users/:id"), UserPage, of_user),
    ]
}

fn forms() -> Vec<FormRoute> {
    vec![
        form::<InviteUser>(ACCESS, "/admin/users/invite", |invited, _| after_invite(invited)),
        form::<DeleteUser>(ACCESS, "/admin/users/{id}/delete", |(), _| redirect("/admin/users?done=deleted"))
            .max_len(PROJECTS_FORM_MAX),
        form::<DisableUser>(ACCESS, "/admin/users/{id}/disable", |(), parts| redirect_to_user(parts, "disabled")),
        form::<EnableUser>(ACCESS, "/admin/users/{id}/enable", |(), parts| redirect_to_user(parts, "enabled")),
        form::<MakeAdministrator>(ACCESS, "/admin/users/{id}/make-administrator", |(), parts| {
            redirect_to_user(parts, "made")
        }),
        form::<UnmakeAdministrator>(ACCESS, "/admin/users/{id}/unmake-administrator", |(), parts| {
            redirect_to_user(parts, "unmade")
        }),
        form::<TransferProject>(TRANSFER, "/admin/users/{id}/transfer/{project}", |(), parts| {
            redirect_to_user(parts, "transferred")
        }),
    ]
}

/// Redirects with a message if the invitation was sent by email. Otherwise shows its one-time link once.
fn after_invite(invited: InvitedUser) -> ActionResult {
    if invited.link.is_none() { redirect("/admin/users?done=invited") } else { render_once(invited) }
}

/// Redirects to the user's page behind the dialog, with a message on the action.
fn redirect_to_user(parts: &Parts, done: &str) -> ActionResult {
    let id = parts.uri.path().trim_start_matches("/admin/users/").split('/').next().unwrap_or_default();
    redirect(format!("/admin/users/{id}?done={done}"))
}
