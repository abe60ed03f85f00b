//! Pages, form actions, and navigation of projects.

use super::{
    ArchivePage, DeleteProjectKeyPage, InvitePage, JoinAsAdministratorPage, JoinPage, LeavePage, NewProjectPage,
    ProjectKeysPage, ProjectPage, ProjectsPage, RegisterClientPage, RemoveClientPage, RemoveMemberPage, RenamePage,
    RevokeGrantPage, RolePage, ScopesOfferedPage, TokenLifetimePage, UnarchivePage, WithdrawPage,
    api::{
        AcceptInvitation, ArchiveProject, CreateProject, DeleteProjectKey, Invite, JoinProject, LeaveProject,
        RemoveMember, RenameProject, SaveConfig, SetRole, SetScopes, SetTokenLife, UnarchiveProject,
        WithdrawInvitation,
    },
};
use crate::{
    domain::project::Joined,
    features::{
        Feature,
        access::Access,
        consent::api::{RegisterClient, RemoveClient, RevokeGrant},
        form_route::{ActionResult, FormRoute, form, redirect, render_once},
        keys::{GeneratePage, api::CreateKey},
        navigation::{NavEntry, Section},
        page_route::{PageRoute, page, page_with_dialogs},
    },
    ui::{icon::Icon, layout::NavLink},
};
use axum::http::request::Parts;
use leptos_router::path;

pub const FEATURE: Feature = Feature { pages, forms, navigation: &[PROJECTS] };

pub const PROJECTS: NavEntry = NavEntry {
    section: Section::Main,
    position: 2,
    access: ACCESS,
    link: NavLink { path: "/projects", label: "Projects", icon: Icon::Layers },
};

/// The role in the project decides what a user may do.
const ACCESS: Access = Access::SignedIn;

/// Maximum length of a form with a config, in bytes: a config of 256 KiB, indented and percent-encoded.
const CONFIG_FORM_MAX: usize = 4 * 1024 * 1024;

fn pages() -> Vec<PageRoute> {
    let of_list = vec![
        page(ACCESS, path!("new"), NewProjectPage),
        page(ACCESS, path!(":id/keys"), ProjectKeysPage),
        page(ACCESS, path!(":id/keys/new"), GeneratePage),
        page(ACCESS, path!(":id/keys/:key/delete"), DeleteProjectKeyPage),
    ];
    let of_project = vec![
        page(ACCESS, path!("edit"), RenamePage),
        page(ACCESS, path!("archive"), ArchivePage),
        page(ACCESS, path!("unarchive"), UnarchivePage),
        page(ACCESS, path!("life"), TokenLifetimePage),
        page(ACCESS, path!("scopes"), ScopesOfferedPage),
        page(ACCESS, path!("invite"), InvitePage),
        page(ACCESS, path!("invitations/:invitation/withdraw"), WithdrawPage),
        page(ACCESS, path!("members/:user/edit"), RolePage),
        page(ACCESS, path!("members/:user/remove"), RemoveMemberPage),
        page(ACCESS, path!("leave"), LeavePage),
        page(ACCESS, path!("join"), JoinAsAdministratorPage),
        page(ACCESS, path!("clients/new"), RegisterClientPage),
        page(ACCESS, path!("clients/:client/remove"), RemoveClientPage),
        page(ACCESS, path!("grants/:grant/revoke"), RevokeGrantPage),
    ];
    vec![
        page_with_dialogs(ACCESS, path!("/projects"), ProjectsPage, of_list),
        page_with_dialogs(ACCESS, path!("/projects/:id"), ProjectPage, of_project),
        // The code of the link decides what the page shows.
        page(Access::Public, path!("/join"), JoinPage),
    ]
}

fn forms() -> Vec<FormRoute> {
    vec![
        form::<AcceptInvitation>(ACCESS, "/join", |joined, _| after_join(&joined)),
        form::<CreateProject>(ACCESS, "/projects/new", |id, _| redirect(format!("/projects/{id}?done=created"))),
        form::<SaveConfig>(ACCESS, "/projects/{id}", |(), parts| redirect_to_project(parts, "saved"))
            .max_len(CONFIG_FORM_MAX),
        form::<RenameProject>(ACCESS, "/projects/{id}/edit", |(), parts| redirect_to_project(parts, "renamed")),
        form::<ArchiveProject>(ACCESS, "/projects/{id}/archive", |(), parts| redirect_to_project(parts, "archived")),
        form::<UnarchiveProject>(ACCESS, "/projects/{id}/unarchive", |(), parts| {
            redirect_to_project(parts, "unarchived")
        }),
        form::<SetTokenLife>(ACCESS, "/projects/{id}/life", |(), parts| redirect_to_project(parts, "life")),
        form::<SetScopes>(ACCESS, "/projects/{id}/scopes", |(), parts| redirect_to_project(parts, "scopes")),
        form::<Invite>(ACCESS, "/projects/{id}/invite", |invited, parts| match invited.link {
            Some(_) => render_once(invited),
            None => redirect_to_project(parts, "invited"),
        }),
        form::<WithdrawInvitation>(ACCESS, "/projects/{id}/invitations/{invitation}/withdraw", |(), parts| {
            redirect_to_project(parts, "withdrawn")
        }),
        form::<SetRole>(ACCESS, "/projects/{id}/members/{user}/edit", |(), parts| redirect_to_project(parts, "role")),
        form::<RemoveMember>(ACCESS, "/projects/{id}/members/{user}/remove", |(), parts| {
            redirect_to_project(parts, "removed")
        }),
        form::<LeaveProject>(ACCESS, "/projects/{id}/leave", |(), _| redirect("/projects?done=left")),
        form::<JoinProject>(ACCESS, "/projects/{id}/join", |(), parts| redirect_to_project(parts, "joined")),
        form::<CreateKey>(ACCESS, "/projects/{id}/keys/new", |created, _| render_once(created)).bind("id", "project"),
        form::<DeleteProjectKey>(ACCESS, "/projects/{id}/keys/{key}/delete", |key, _| {
            redirect(format!("/projects/{}/keys?done=deleted", key.project_id))
        })
        .bind("id", "project")
        .bind("key", "id"),
        form::<RegisterClient>(ACCESS, "/projects/{id}/clients/new", |_, parts| {
            redirect_to_project(parts, "registered")
        }),
        form::<RemoveClient>(ACCESS, "/projects/{id}/clients/{client}/remove", |(), parts| {
            redirect_to_project(parts, "client-removed")
        }),
        form::<RevokeGrant>(ACCESS, "/projects/{id}/grants/{grant}/revoke", |(), parts| {
            redirect_to_project(parts, "revoked")
        }),
    ]
}

fn after_join(joined: &Joined) -> ActionResult {
    let done = if joined.already { "already" } else { "joined" };
    redirect(format!("/projects/{}?done={done}", joined.project))
}

/// Redirects to the project page behind the dialog, with a message on the action.
fn redirect_to_project(parts: &Parts, done: &str) -> ActionResult {
    let page: Vec<_> = parts.uri.path().split('/').take(3).collect();
    redirect(format!("{}?done={done}", page.join("/")))
}
