//! Rows of forms.

use super::{fields::*, *};
use crate::key_restrictions::{EDIT_FIELDS, NEW_FIELDS};

const SCOPE_TAKES: &[&str] = &["in_default"];

/// The forms, by path.
pub fn forms() -> Vec<Row> {
    let stop = Admin(AdminPermission::StopAnyKey);
    let catalogue = Admin(AdminPermission::WriteCatalogue);
    let people = Admin(AdminPermission::ManageUsers);
    let (archive, configure, manage) = (Can(Action::Archive), Can(Action::Configure), Can(Action::ManageMembers));
    vec![
        form("/admin/keys/chosen", stop, bulk_deactivate)
            .about(Key)
            .records("key.deactivated")
            .renders_page()
            .on(Missing, Unchanged)
            .on(Purged, Unchanged)
            .on(Deleted, Unchanged),
        form("/admin/keys/{id}/activate", stop, with_reason)
            .records("key.activated")
            .unchanged()
            .on(Stopped, Changed)
            .on(Deleted, Denied(409))
            .redirects_to("/admin/keys?done=activated&key={id}"),
        form("/admin/keys/{id}/deactivate", stop, with_reason)
            .records("key.deactivated")
            .on(Deleted, Denied(409))
            .redirects_to("/admin/keys?done=deactivated&key={id}"),
        form("/admin/keys/{id}/delete", stop, with_reason).records("key.deleted").redirects_to("/admin/keys?done=deleted&key={id}"),
        form("/admin/keys/{id}/restore", stop, with_reason)
            .records("key.restored")
            .unchanged()
            .on(Deleted, Changed)
            .redirects_to("/admin/keys?done=restored&key={id}"),
        form("/admin/policy", Admin(AdminPermission::WritePolicy), policy)
            .records("policy.changed").reauth()
            .accepts(&["confirmed"])
            .redirects_to("/admin/policy?done=saved"),
        form("/admin/scopes/new", catalogue, new_scope)
            .records("scope.added")
            .accepts(SCOPE_TAKES)
            .redirects_to("/admin/scopes?done=added"),
        form("/admin/scopes/{name}/edit", catalogue, edit_scope)
            .records("scope.edited")
            .accepts(SCOPE_TAKES)
            .redirects_to("/admin/scopes?done=saved"),
        form("/admin/scopes/{name}/remove", catalogue, only_name)
            .records("scope.removed")
            .redirects_to("/admin/scopes?done=removed"),
        form("/admin/scopes/{name}/retire", catalogue, only_name)
            .records("scope.retired")
            .on(Stopped, Unchanged)
            .redirects_to("/admin/scopes?done=retired"),
        form("/admin/scopes/{name}/unretire", catalogue, only_name)
            .records("scope.unretired")
            .unchanged()
            .on(Stopped, Changed)
            .redirects_to("/admin/scopes?done=unretired"),
        form("/admin/users/invite", people, new_email).records("user.invited").renders_page(),
        form("/admin/users/{id}/delete", people, delete_user)
            .records("user.deleted")
            .accepts(&["projects", "heirs"])
            .reauth()
            .redirects_to("/admin/users?done=deleted"),
        form("/admin/users/{id}/disable", people, with_reason)
            .records("user.disabled").reauth()
            .on(Deleted, Unchanged)
            .accepts(&["keys"])
            .redirects_to("/admin/users/{id}?done=disabled"),
        form("/admin/users/{id}/enable", people, only_id)
            .records("user.enabled").reauth()
            .unchanged()
            .on(Deleted, Changed)
            .redirects_to("/admin/users/{id}?done=enabled"),
        form("/admin/users/{id}/make-administrator", people, only_id)
            .records("user.made_administrator").reauth()
            .on(Stopped, Unchanged)
            .on(Deleted, Denied(409))
            .redirects_to("/admin/users/{id}?done=made"),
        form("/admin/users/{id}/transfer/{project}", Admin(AdminPermission::TransferProject), transfer)
            .records("project.transferred")
            .reauth()
            .accepts(&["stays"])
            .redirects_to("/admin/users/{id}?done=transferred"),
        form("/admin/users/{id}/unmake-administrator", people, only_id)
            .records("user.unmade_administrator").reauth()
            .unchanged()
            .on(Stopped, Changed)
            .redirects_to("/admin/users/{id}?done=unmade"),
        form("/authorize", SignedIn, to_deny)
            .unchanged()
            .redirects_to("http://127.0.0.1:1/cb?error=access_denied&error_description=The+user+denied+the+request.&state=s&iss=http%3A%2F%2F127.0.0.1%3A3000")
            .accepts(&["scopes", "life"]),
        form("/confirm", SignedIn, reauth_password).records("step_up.passed").redirects_to("/keys"),
        form("/device", SignedIn, device).unchanged().redirects_to("/device/confirm?user_code={device}"),
        form("/device/confirm", HomeMember, deny_device)
            .records("grant.denied")
            .redirects_to("/device?done=denied")
            .accepts(&["scopes", "life"]),
        form("/join", LinkSignedIn, code)
            .about(Invitation)
            .with_path("/join?code={code}")
            .records("member.joined")
            .members(Unchanged),
        form("/keys/new", CHANGE, new_key)
            .records("key.created")
            .about(Project)
            .renders_page()
            .on(Archived, Denied(409))
            .accepts(NEW_FIELDS),
        form("/keys/{id}/activate", STOP, only_id)
            .records("key.activated")
            .unchanged()
            .on(Stopped, Changed)
            .on(Deleted, Denied(409))
            .redirects_to("/keys?done=activated&key={id}"),
        form("/keys/{id}/deactivate", STOP, only_id)
            .records("key.deactivated")
            .on(Deleted, Denied(409))
            .on(Stopped, Unchanged)
            .redirects_to("/keys?done=deactivated&key={id}"),
        form("/keys/{id}/delete", STOP, only_id)
            .records("key.deleted")
            .on(Deleted, Unchanged)
            .redirects_to("/keys?done=deleted&key={id}"),
        form("/keys/{id}/edit", CHANGE, edit_key)
            .records("key.edited")
            .on(Deleted, Denied(409))
            .accepts(EDIT_FIELDS)
            .redirects_to("/keys?done=edited&key={id}"),
        form("/keys/{id}/restore", STOP, only_id)
            .records("key.restored")
            .unchanged()
            .on(Deleted, Changed)
            .redirects_to("/keys?done=restored&key={id}"),
        form("/login", Anyone, credentials).records("session.started").redirects_to("/keys"),
        form("/login/code", Redirects("/login"), wrong_code),
        form("/logout", Anyone, no_fields).records("session.ended").redirects_to("/login"),
        form("/projects/new", SignedIn, new_project).records("project.created"),
        form("/projects/{id}", Can(Action::Configure), save_config)
            .records("project.config_set")
            .admin_view(404)
            .redirects_to("/projects/{id}?done=saved"),
        form("/projects/{id}/archive", archive, only_id)
            .records("project.archived")
            .on(Archived, Unchanged)
            .admin_view(403)
            .redirects_to("/projects/{id}?done=archived"),
        form("/projects/{id}/clients/new", configure, new_client)
            .records("client.registered")
            .admin_view(403)
            .redirects_to("/projects/{id}?done=registered"),
        form("/projects/{id}/clients/{client}/remove", configure, known_client)
            .records("client.removed")
            .admin_view(403)
            .redirects_to("/projects/{id}?done=client-removed"),
        form("/projects/{id}/edit", configure, rename)
            .records("project.renamed")
            .admin_view(403)
            .redirects_to("/projects/{id}?done=renamed"),
        form("/projects/{id}/grants/{grant}/revoke", manage, grant)
            .records("grant.revoked")
            .hides_existence()
            .admin_view(403)
            .redirects_to("/projects/{id}?done=revoked"),
        form("/projects/{id}/invitations/{invitation}/withdraw", manage, withdraw)
            .records("invitation.withdrawn")
            .admin_view(403)
            .redirects_to("/projects/{id}?done=withdrawn"),
        form("/projects/{id}/invite", manage, invite)
            .records("member.invited")
            .on(Archived, Denied(409))
            .renders_page()
            .accepts(&["email"])
            .admin_view(403),
        form("/projects/{id}/join", Either(Action::SeeKeys, AdminPermission::JoinAnyProject), join)
            .records("member.joined")
            .members(Denied(403))
            .admin_reauth()
            .redirects_to("/projects/{id}?done=joined"),
        form("/projects/{id}/keys/new", CHANGE, new_key)
            .records("key.created")
            .renders_page()
            .hides_existence()
            .on(Archived, Denied(404))
            .accepts(NEW_FIELDS),
        form("/projects/{id}/keys/{key}/delete", STOP, key_of_project)
            .records("key.deleted")
            .on(Deleted, Unchanged)
            .redirects_to("/projects/{project}/keys?done=deleted"),
        form("/projects/{id}/leave", SEE, only_id)
            .records("member.left")
            .owners(Denied(409))
            .admin_view(403)
            .redirects_to("/projects?done=left"),
        form("/projects/{id}/life", configure, token_lifetime)
            .records("project.token_life_set")
            .admin_view(403)
            .redirects_to("/projects/{id}?done=life"),
        form("/projects/{id}/members/{user}/edit", manage, new_role)
            .records("member.role_changed")
            .admin_view(403)
            .redirects_to("/projects/{id}?done=role"),
        form("/projects/{id}/members/{user}/remove", manage, member)
            .records("member.removed")
            .admin_view(403)
            .redirects_to("/projects/{id}?done=removed"),
        form("/projects/{id}/scopes", Either(Action::SeeKeys, AdminPermission::ChooseScopes), scope_selection)
            .records("project.scopes_set")
            .members(Denied(403))
            .admin_reauth()
            .accepts(&["retire"])
            .redirects_to("/projects/{id}?done=scopes"),
        form("/projects/{id}/unarchive", archive, only_id)
            .records("project.unarchived")
            .unchanged()
            .on(Archived, Changed)
            .admin_view(403)
            .redirects_to("/projects/{id}?done=unarchived"),
        form("/reset", Anyone, new_email).on(Unnamed, Denied(409)),
        form("/reset/new", NotFound, wrong_reset),
        form("/settings/account", SignedIn, account).records("user.changed").redirects_to("/settings/account?done=saved"),
        form("/settings/security/grant", Only(CallerKind::Owner), own_grant)
            .records("grant.revoked")
            .redirects_to("/settings/security?done=revoked"),
        form("/settings/security/password", SignedIn, new_password)
            .records("password.changed")
            .redirects_to("/settings/security?done=password"),
        form("/settings/security/recovery-codes", SignedIn, no_fields).on(Unnamed, Denied(409)).reauth(),
        form("/settings/security/second-factor", SignedIn, wrong_code)
            .on(Unnamed, Denied(422))
            .accepts(&["sealed"])
            .reauth()
            .varies(),
        form("/settings/security/second-factor/off", SignedIn, no_fields).on(Unnamed, Denied(409)).reauth(),
        form("/settings/security/session", Only(CallerKind::Owner), session)
            .about(Session)
            .records("session.ended")
            .redirects_to("/settings/security?done=ended"),
        form("/settings/security/sessions", SignedIn, no_fields)
            .records("sessions.ended")
            .redirects_to("/settings/security?done=others"),
        form("/settings/theme", Anyone, theme).unchanged().redirects_to("/settings/account"),
        form("/setup", Redirects("/login"), first_user),
        form("/signup", NotFound, new_email),
        form("/signup/new", NotFound, wrong_link),
    ]
}

/// Forms with other fields than in [`forms`], which have another effect.
pub fn variants() -> Vec<Row> {
    vec![
        form("/authorize", CHANGE, to_allow)
            .about(Project)
            .with_path(AUTHORIZE_PATH)
            .records("grant.allowed")
            .on(Archived, Denied(409))
            .redirects_to("http://127.0.0.1:1/cb?code=…"),
    ]
}

/// Forms with fields that require reauthentication, where the rows above do not require it.
pub fn dangerous() -> Vec<Row> {
    vec![
        form("/keys/new", CHANGE, new_key_without_expiry)
            .about(Project)
            .records("key.created")
            .renders_page()
            .on(Archived, Denied(409))
            .reauth(),
        form("/keys/{id}/edit", CHANGE, edit_without_expiry)
            .records("key.edited")
            .on(Deleted, Denied(409))
            .reauth()
            .redirects_to("/keys?done=edited&key={id}"),
        form("/projects/{id}/keys/new", CHANGE, new_key_without_expiry)
            .records("key.created")
            .renders_page()
            .hides_existence()
            .on(Archived, Denied(404))
            .reauth(),
    ]
}
