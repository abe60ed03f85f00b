//! Rows of pages.

use super::*;

/// The pages, by path.
pub fn pages() -> Vec<Row> {
    let stop = Admin(AdminPermission::StopAnyKey);
    let catalogue = Admin(AdminPermission::WriteCatalogue);
    let people = Admin(AdminPermission::ManageUsers);
    let (archive, configure, manage) = (Can(Action::Archive), Can(Action::Configure), Can(Action::ManageMembers));
    vec![
        page("/", Redirects("/keys")),
        page("/admin/audit", Admin(AdminPermission::ReadLog)),
        page("/admin/keys", Admin(AdminPermission::SeeEveryKey)),
        page("/admin/keys/chosen", stop)
            .about(Key)
            .with_path("/admin/keys/chosen?verb=deactivate&id={id}")
            .on(Missing, Unchanged)
            .on(Purged, Unchanged),
        page("/admin/keys/{id}", Admin(AdminPermission::SeeEveryKey)),
        page("/admin/keys/{id}/activate", stop),
        page("/admin/keys/{id}/deactivate", stop),
        page("/admin/keys/{id}/delete", stop),
        page("/admin/keys/{id}/restore", stop),
        page("/admin/policy", Admin(AdminPermission::WritePolicy)),
        page("/admin/scopes", catalogue),
        page("/admin/scopes/new", catalogue),
        page("/admin/scopes/{name}/edit", catalogue),
        page("/admin/scopes/{name}/remove", catalogue),
        page("/admin/scopes/{name}/retire", catalogue),
        page("/admin/scopes/{name}/unretire", catalogue),
        page("/admin/users", people),
        page("/admin/users/invite", people),
        page("/admin/users/{id}", people),
        page("/admin/users/{id}/delete", people),
        page("/admin/users/{id}/disable", people),
        page("/admin/users/{id}/enable", people),
        page("/admin/users/{id}/make-administrator", people),
        page("/admin/users/{id}/transfer/{project}", Admin(AdminPermission::TransferProject)),
        page("/admin/users/{id}/unmake-administrator", people),
        page("/authorize", Can(Action::ChangeKeys)).about(Project).with_path(AUTHORIZE_PATH).on(Archived, Denied(409)),
        page("/confirm", SignedIn),
        page("/device", SignedIn),
        page("/device/confirm", SignedIn).on(Unnamed, Denied(404)),
        page("/join", Link).about(Invitation).with_path("/join?code={code}"),
        page("/keys", SignedIn),
        page("/keys/new", SignedIn),
        page("/keys/{id}", SEE),
        page("/keys/{id}/activate", SEE),
        page("/keys/{id}/deactivate", SEE),
        page("/keys/{id}/delete", SEE),
        page("/keys/{id}/edit", CHANGE).on(Deleted, Denied(409)),
        page("/keys/{id}/restore", SEE),
        page("/login", SignedOut),
        page("/login/code", Redirects("/login")),
        page("/logout", Anyone),
        page("/projects", SignedIn),
        page("/projects/new", SignedIn),
        page("/projects/{id}", Either(Action::SeeKeys, AdminPermission::SeeEveryProject)).admin_view(200),
        page("/projects/{id}/archive", archive).admin_view(403),
        page("/projects/{id}/clients/new", configure).admin_view(403),
        page("/projects/{id}/clients/{client}/remove", configure).admin_view(403),
        page("/projects/{id}/edit", configure).admin_view(403),
        page("/projects/{id}/grants/{grant}/revoke", manage).hides_existence().admin_view(403),
        page("/projects/{id}/invitations/{invitation}/withdraw", manage).admin_view(403),
        page("/projects/{id}/invite", manage).admin_view(403),
        page("/projects/{id}/join", Either(Action::SeeKeys, AdminPermission::JoinAnyProject))
            .members(Denied(403))
            .admin_view(200),
        page("/projects/{id}/keys", Either(Action::SeeKeys, AdminPermission::SeeEveryKey)).admin_reauth(),
        page("/projects/{id}/keys/new", CHANGE).hides_existence().on(Archived, Denied(404)),
        page("/projects/{id}/keys/{key}/delete", STOP),
        page("/projects/{id}/leave", SEE).admin_view(403),
        page("/projects/{id}/life", configure).admin_view(403),
        page("/projects/{id}/members/{user}/edit", manage).admin_view(403),
        page("/projects/{id}/members/{user}/remove", manage).admin_view(403),
        page("/projects/{id}/scopes", Either(Action::SeeKeys, AdminPermission::ChooseScopes))
            .members(Denied(403))
            .admin_view(200),
        page("/projects/{id}/unarchive", archive).admin_view(403),
        page("/reset", Anyone),
        page("/reset/new", NotFound),
        page("/settings", Redirects("/settings/account")),
        page("/settings/account", SignedIn),
        page("/settings/developer", Redirects("/settings/developer/api-keys")),
        page("/settings/developer/api-keys", SignedIn),
        page("/settings/security", SignedIn),
        page("/settings/security/grant", SignedIn),
        page("/settings/security/password", SignedIn),
        page("/settings/security/recovery-codes", SignedIn),
        page("/settings/security/second-factor", SignedIn).varies(),
        page("/settings/security/second-factor/off", SignedIn),
        page("/settings/security/session", SignedIn),
        page("/settings/security/sessions", SignedIn),
        page("/settings/theme", SignedIn),
        page("/setup", Redirects("/login")),
        page("/signup", NotFound),
        page("/signup/new", NotFound),
    ]
}

/// Pages with a query that names an object, where the rows in [`pages`] have none.
pub fn page_variants() -> Vec<Row> {
    vec![
        page("/device/confirm", DeviceCode(Action::ChangeKeys))
            .about(Project)
            .with_path("/device/confirm?user_code={device}")
            .on(Archived, Denied(409)),
    ]
}
