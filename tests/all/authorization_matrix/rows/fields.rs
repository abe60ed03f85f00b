//! Fields of forms and of OAuth requests, with valid values for an object.

use super::*;

/// Returns the field with the object's id.
pub(super) fn id(at: &ObjectData) -> (&'static str, String) {
    ("id", at.id.clone())
}

pub(super) fn field(name: &'static str, text: &str) -> (&'static str, String) {
    (name, text.to_owned())
}

pub(super) fn only_id(at: &ObjectData) -> Vec<(&'static str, String)> {
    vec![id(at)]
}

pub(super) fn key_of_project(at: &ObjectData) -> Vec<(&'static str, String)> {
    vec![("project", at.project.clone()), id(at)]
}

pub(super) fn with_reason(at: &ObjectData) -> Vec<(&'static str, String)> {
    vec![id(at), field("reason", "found by the tide")]
}

pub(super) fn edit_key(at: &ObjectData) -> Vec<(&'static str, String)> {
    vec![id(at), ("version", at.version.clone()), field("name", "Renamed"), field("expires", "keep")]
}

pub(super) fn new_key(at: &ObjectData) -> Vec<(&'static str, String)> {
    vec![
        ("number", at.number.clone()),
        ("project", at.project.clone()),
        field("name", "Probe"),
        field("expires", "30d"),
        field("scopes[]", "data:read"),
    ]
}

pub(super) fn save_config(at: &ObjectData) -> Vec<(&'static str, String)> {
    vec![id(at), ("version", at.version.clone()), field("config", "{\"changed\": true}")]
}

pub(super) fn new_scope(_: &ObjectData) -> Vec<(&'static str, String)> {
    vec![field("name", "tide:read"), field("description", "Read the tide"), field("granted_by", "owner")]
}

pub(super) fn edit_scope(at: &ObjectData) -> Vec<(&'static str, String)> {
    vec![("name", at.id.clone()), field("description", "Read the tide"), field("granted_by", "operator")]
}

pub(super) fn only_name(at: &ObjectData) -> Vec<(&'static str, String)> {
    vec![("name", at.id.clone())]
}

pub(super) fn account(_: &ObjectData) -> Vec<(&'static str, String)> {
    vec![field("name", "Another Name"), field("zone", "Europe/Oslo")]
}

pub(super) fn credentials(_: &ObjectData) -> Vec<(&'static str, String)> {
    vec![field("email", "viewer@pelagic.example"), field("password", crate::support::PASSWORD)]
}

pub(super) fn first_user(_: &ObjectData) -> Vec<(&'static str, String)> {
    vec![
        field("code", "x"),
        field("name", "X"),
        field("email", "x@x.example"),
        field("password", crate::support::PASSWORD),
    ]
}

pub(super) fn theme(_: &ObjectData) -> Vec<(&'static str, String)> {
    vec![field("theme", "dark")]
}

pub(super) fn new_key_without_expiry(at: &ObjectData) -> Vec<(&'static str, String)> {
    let mut fields = new_key(at);
    fields.retain(|(name, _)| *name != "expires");
    fields.push(field("expires", "never"));
    fields
}

pub(super) fn edit_without_expiry(at: &ObjectData) -> Vec<(&'static str, String)> {
    vec![id(at), ("version", at.version.clone()), field("name", "Renamed"), field("expires", "never")]
}

pub(super) fn bulk_deactivate(at: &ObjectData) -> Vec<(&'static str, String)> {
    vec![field("verb", "deactivate"), ("ids[]", at.id.clone()), field("reason", "found by the tide")]
}

pub(super) fn policy(at: &ObjectData) -> Vec<(&'static str, String)> {
    vec![
        ("version", at.policy.clone()),
        field("key_life_max", ""),
        field("may_never_expire", "on"),
        field("token_life", "30"),
        field("token_unit", "86400"),
        field("sign_up", "invite"),
        field("keys_per_project", "1000"),
        field("second_factor", "nobody"),
    ]
}

pub(super) fn new_email(_: &ObjectData) -> Vec<(&'static str, String)> {
    vec![field("email", "new@tide.example")]
}

pub(super) fn delete_user(at: &ObjectData) -> Vec<(&'static str, String)> {
    let mut fields = with_reason(at);
    if !at.alone.is_empty() {
        fields.extend([("projects[]", at.alone.clone()), field("heirs[]", "archive")]);
    }
    fields
}

pub(super) fn transfer(at: &ObjectData) -> Vec<(&'static str, String)> {
    vec![id(at), ("project", at.project.clone()), ("to", at.deputy.clone())]
}

pub(super) fn code(at: &ObjectData) -> Vec<(&'static str, String)> {
    vec![("code", at.code.clone())]
}

pub(super) fn new_project(_: &ObjectData) -> Vec<(&'static str, String)> {
    vec![field("name", "Tide")]
}

pub(super) fn rename(at: &ObjectData) -> Vec<(&'static str, String)> {
    vec![id(at), ("version", at.name.clone()), field("name", "Tide")]
}

pub(super) fn withdraw(at: &ObjectData) -> Vec<(&'static str, String)> {
    vec![id(at), ("invitation", at.invitation.clone())]
}

pub(super) fn invite(at: &ObjectData) -> Vec<(&'static str, String)> {
    vec![id(at), field("role", "viewer")]
}

pub(super) fn join(at: &ObjectData) -> Vec<(&'static str, String)> {
    vec![id(at), field("role", "viewer")]
}

pub(super) fn token_lifetime(at: &ObjectData) -> Vec<(&'static str, String)> {
    vec![id(at), field("version", "86400"), field("amount", "1"), field("unit", "hours")]
}

pub(super) fn member(at: &ObjectData) -> Vec<(&'static str, String)> {
    vec![id(at), ("user", at.user.clone())]
}

pub(super) fn new_role(at: &ObjectData) -> Vec<(&'static str, String)> {
    vec![id(at), ("user", at.user.clone()), field("version", "viewer"), field("role", "operator")]
}

pub(super) fn scope_selection(at: &ObjectData) -> Vec<(&'static str, String)> {
    let scopes = [field("scopes[]", "data:read"), field("scopes[]", "usage:read")];
    [id(at), ("version", at.offer.clone()), field("set", "own")].into_iter().chain(scopes).collect()
}

pub(super) fn reauth_password(_: &ObjectData) -> Vec<(&'static str, String)> {
    vec![field("proof", crate::support::PASSWORD)]
}

pub(super) fn new_password(_: &ObjectData) -> Vec<(&'static str, String)> {
    vec![field("password", crate::support::PASSWORD), field("new_password", "a tide that turns at ten")]
}

pub(super) fn session(at: &ObjectData) -> Vec<(&'static str, String)> {
    vec![("session", at.id.clone())]
}

/// Returns the query of an authorization request by an unregistered client, for the project.
pub(super) fn consent_query(at: &ObjectData) -> String {
    authorization_query("s", "loopback", &at.project)
}

pub(super) fn to_deny(at: &ObjectData) -> Vec<(&'static str, String)> {
    vec![("request", consent_query(at)), field("answer", "deny")]
}

pub(super) fn to_allow(at: &ObjectData) -> Vec<(&'static str, String)> {
    vec![
        ("request", consent_query(at)),
        field("answer", "allow"),
        field("scopes[]", "data:read"),
        field("life", "3600"),
    ]
}

pub(super) fn device(at: &ObjectData) -> Vec<(&'static str, String)> {
    vec![("user_code", at.device.clone())]
}

pub(super) fn deny_device(at: &ObjectData) -> Vec<(&'static str, String)> {
    vec![("user_code", at.device.clone()), field("answer", "deny")]
}

pub(super) fn new_client(at: &ObjectData) -> Vec<(&'static str, String)> {
    vec![id(at), field("name", "Tide"), field("redirects", "https://tide.example/cb")]
}

pub(super) fn known_client(at: &ObjectData) -> Vec<(&'static str, String)> {
    vec![id(at), ("client", at.client.clone())]
}

pub(super) fn grant(at: &ObjectData) -> Vec<(&'static str, String)> {
    vec![id(at), ("grant", at.grant.clone())]
}

pub(super) fn own_grant(at: &ObjectData) -> Vec<(&'static str, String)> {
    vec![("grant", at.grant.clone())]
}

pub(super) fn wrong_code(_: &ObjectData) -> Vec<(&'static str, String)> {
    vec![field("one_time_code", "000000")]
}

pub(super) fn wrong_link(_: &ObjectData) -> Vec<(&'static str, String)> {
    vec![field("code", "nothing"), field("name", "X"), field("password", crate::support::PASSWORD)]
}

pub(super) fn wrong_reset(_: &ObjectData) -> Vec<(&'static str, String)> {
    vec![field("code", "nothing"), field("password", crate::support::PASSWORD)]
}
