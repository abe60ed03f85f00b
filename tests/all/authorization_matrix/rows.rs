//! Rows of the authorization matrix: every page, form, server function and route, who may call it, and the result.
//!
//! To add one, write its row into the table of its kind, in sorted order:
//!
//! - `page("/projects/{id}/members", Can(Action::SeeKeys))`: a page. The kind of object of `{id}` follows from the
//!   path. Add `.about(User)` to override it.
//! - `form("/projects/{id}/rename", Can(Action::Configure), |at| vec![id(at), field("name", "Tide")])`: a form with
//!   valid fields, which changes state and records an event.
//! - `function("keys/called", Can(Action::SeeKeys), Key, |at| …)`: a server function. Islands call it, and it only
//!   reads.
//!
//! Add `.records("project.renamed")` to expect exactly this event.
//!
//! Exceptions for an object follow the row: `.on(Archived, Denied(409))` for authorized callers, or
//! `.unchanged().on(Stopped, Changed)` if the request changes only some objects. `.accepts(&["description"])` names the
//! other fields that the form or function accepts, so that the mass assignment test does not send them. Results for
//! members, or for owners, that do not apply to an administrator are exceptions too: `.members(Denied(409))`,
//! `.owners(Denied(409))`.
//!
//! A project page is also rendered for an administrator who is not a member, and the audit log records the view:
//! `.admin_view(200)`, or the status of what they are not authorized for. The page is also rendered behind a denied
//! form, so that row has `.admin_view(403)`.
//!
//! Add `.reauth()` if every caller whose last authentication is more than 15 minutes ago must reauthenticate, and
//! `.admin_reauth()` if this applies only to administrators who are not members.
//!
//! An endpoint that needs a one-time value (a code of an app, a link in an email) is denied to everyone here, and
//! nothing changes. Other tests check that it accepts the right value: `account_security` (second factor,
//! reauthentication), `registration.rs` (registration, password reset), `oidc.rs` (OpenID Connect), `projects.rs` (used
//! invitations).

use super::fixtures::{
    CallerKind, ObjectData,
    ObjectKind::{self, *},
    ObjectState::{self, *},
    RequestKind, authorization_query,
};
use keyward::{
    domain::project::Role,
    service::permissions::{Action, AdminPermission, is_allowed, role_allows},
};

/// The rule that authorizes callers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Redirects everyone to this path.
    Redirects(&'static str),
    /// Not found for everyone.
    NotFound,
    /// Callers who are not signed in. Others are redirected to their keys.
    SignedOut,
    Anyone,
    SignedIn,
    /// Every member of the project of [`Home`], which the path does not contain. Not found for others.
    HomeMember,
    /// A role in the project that permits the action. Not found for callers who are not members.
    Can(Action),
    /// An administrator with this permission. Not found for others.
    Admin(AdminPermission),
    /// A role that permits the action, or an administrator with the permission.
    Either(Action, AdminPermission),
    /// A caller with the code of a valid link.
    Link,
    /// A signed-in caller with the code of a valid link.
    LinkSignedIn,
    /// A signed-in caller with the user code of a pending device, and a role in its project that permits the action.
    /// Other callers with the code learn the reason, but nothing about the project.
    DeviceCode(Action),
    /// One caller. Not found for others.
    Only(CallerKind),
    /// A caller with the secret of a valid key.
    Secret,
    /// A caller with a token of the project.
    Token,
    /// A caller with a token of any project.
    AnyToken,
    /// A caller with a token of the project that the request names: 401 without a token, 403 with a token of another
    /// project.
    Gateway,
    /// A caller with a management token. No caller here has one: `management.rs` tests those.
    ManagementToken,
}
use Rule::*;

/// The result for an authorized caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Stored rows change, and an event is recorded.
    Changed,
    /// Only an event is recorded.
    EventOnly,
    /// The request succeeds, and nothing changes.
    Unchanged,
    /// The request is denied anyway, with this status.
    Denied(u16),
}
use Outcome::*;

/// The audit event that an administrator viewed a project without being a member.
pub const VIEWED_BY_ADMIN: &str = "project.seen_by_administrator";

/// The callers that must reauthenticate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReauthRule {
    Never,
    Always,
    /// Administrators who are not members.
    OnlyAdmin,
}

pub type Fields = fn(&ObjectData) -> Vec<(&'static str, String)>;

/// An endpoint and its expected results.
pub struct Row {
    pub path: String,
    /// The name in the route table, the form table or Leptos.
    pub template: &'static str,
    pub request_kind: RequestKind,
    pub rule: Rule,
    pub about: ObjectKind,
    pub fields: Fields,
    /// The result for authorized callers, unless `outcomes` has one for the object.
    pub default_outcome: Outcome,
    pub outcomes: Vec<(ObjectState, Outcome)>,
    /// The results for members of the project and for its owners, unless `outcomes` has one for the object.
    pub members: Option<Outcome>,
    pub owners: Option<Outcome>,
    /// The status for an administrator who is not a member: the project is rendered, and the audit log records the
    /// view.
    pub admin_view: Option<u16>,
    /// Denied callers get the response of a missing object, members too.
    pub hides_existence: bool,
    pub reauth: ReauthRule,
    /// The response differs each time.
    pub varies: bool,
    /// The redirect of an accepted form.
    pub redirect: Option<&'static str>,
    /// The audit event of the change.
    pub event: Option<&'static str>,
    /// Other fields that it accepts.
    pub accepts: &'static [&'static str],
    /// The status of a successful response.
    pub status: u16,
}

impl Row {
    fn new(
        template: &'static str,
        how: RequestKind,
        rule: Rule,
        about: ObjectKind,
        fields: Fields,
        usual: Outcome,
    ) -> Self {
        let path = if how == RequestKind::Call { format!("/api/{template}") } else { template.to_owned() };
        let status = if how == RequestKind::Form { 303 } else { 200 };
        let outcomes = vec![];
        Self {
            path,
            template,
            request_kind: how,
            rule,
            about,
            fields,
            default_outcome: usual,
            outcomes,
            members: None,
            owners: None,
            admin_view: None,
            hides_existence: false,
            reauth: ReauthRule::Never,
            varies: false,
            redirect: None,
            event: None,
            accepts: &[],
            status,
        }
    }

    pub fn about(mut self, about: ObjectKind) -> Self {
        self.about = about;
        self
    }

    pub fn on(mut self, which: ObjectState, outcome: Outcome) -> Self {
        self.outcomes.push((which, outcome));
        self
    }

    pub fn members(mut self, outcome: Outcome) -> Self {
        self.members = Some(outcome);
        self
    }

    pub fn owners(mut self, outcome: Outcome) -> Self {
        self.owners = Some(outcome);
        self
    }

    pub fn admin_view(mut self, status: u16) -> Self {
        self.admin_view = Some(status);
        self.reauth = ReauthRule::OnlyAdmin;
        self
    }

    pub fn hides_existence(mut self) -> Self {
        self.hides_existence = true;
        self
    }

    pub fn reauth(mut self) -> Self {
        self.reauth = ReauthRule::Always;
        self
    }

    pub fn admin_reauth(mut self) -> Self {
        self.reauth = ReauthRule::OnlyAdmin;
        self
    }

    pub fn varies(mut self) -> Self {
        self.varies = true;
        self
    }

    /// Sets the path, with its query.
    pub fn with_path(mut self, path: &str) -> Self {
        path.clone_into(&mut self.path);
        self
    }

    pub fn redirects_to(mut self, path: &'static str) -> Self {
        self.redirect = Some(path);
        self
    }

    /// Sets the newest event after the change.
    pub fn records(mut self, event: &'static str) -> Self {
        self.event = Some(event);
        self
    }

    pub fn accepts(mut self, names: &'static [&'static str]) -> Self {
        self.accepts = names;
        self
    }

    /// Expects a page as the response of a form.
    pub fn renders_page(mut self) -> Self {
        self.status = 200;
        self
    }

    /// Expects no change, unless an exception for the object follows.
    pub fn unchanged(mut self) -> Self {
        self.default_outcome = Unchanged;
        self
    }

    fn outcome(&self, who: CallerKind, which: ObjectState) -> Outcome {
        let role = who.role(which);
        let of_thing = self.outcomes.iter().find(|(it, _)| *it == which).map(|(_, outcome)| *outcome);
        let of_owner = self.owners.filter(|_| role == Some(Role::Owner));
        let of_member = self.members.filter(|_| role.is_some());
        of_thing.or(of_owner).or(of_member).unwrap_or(self.default_outcome)
    }

    /// Returns whether an administrator who is not a member views the project of an existing object, which the audit
    /// log records.
    fn is_admin_view(&self, who: CallerKind, which: ObjectState) -> bool {
        let there = !matches!(which, ObjectState::Missing | ObjectState::Purged | ObjectState::Unnamed);
        who == CallerKind::Administrator && who.role(which).is_none() && there
    }

    /// Returns the role in the audit event, if the rule determines it.
    pub fn acting_role(&self, who: CallerKind, which: ObjectState) -> Option<&'static str> {
        match (self.rule, who.role(which)) {
            (Can(_) | Either(..), Some(role)) => Some(role.as_str()),
            (Admin(_) | Can(_) | Either(..), _) => Some("administrator"),
            _ => None,
        }
    }

    /// Returns whether the caller must reauthenticate.
    pub fn requires_reauth(&self, who: CallerKind, which: ObjectState) -> bool {
        match self.reauth {
            ReauthRule::Never => false,
            ReauthRule::OnlyAdmin => self.is_admin_view(who, which),
            ReauthRule::Always if self.rule == SignedIn => !who.is_signed_out(),
            ReauthRule::Always => !who.is_signed_out() && self.expected(who, which).status == self.status,
        }
    }

    /// Returns the expected result.
    pub fn expected(&self, who: CallerKind, which: ObjectState) -> Expected {
        if let Some(status) = self.admin_view.filter(|_| self.is_admin_view(who, which))
            && !(self.default_outcome == Changed && matches!(self.rule, Either(..)))
        {
            return Expected { status, changed: true, event: Some(VIEWED_BY_ADMIN) };
        }
        let denied = if self.hides_existence { 404 } else { 403 };
        let allowed = |may: bool, otherwise: u16| match (may, self.outcome(who, which)) {
            (false, _) => Expected::denied(otherwise),
            (true, Changed | EventOnly) => Expected { status: self.status, changed: true, event: self.event },
            (true, Unchanged) => Expected { status: self.status, changed: false, event: None },
            (true, Denied(status)) => Expected::denied(status),
        };
        let has_exception = |which| self.outcomes.iter().any(|(it, _)| *it == which);
        let outside = who.is_signed_out();
        let (login, missing) =
            (if self.request_kind == RequestKind::Call { 401 } else { 303 }, matches!(which, Missing | Purged));
        let admin = who == CallerKind::Administrator;
        match self.rule {
            Redirects(_) => Expected::denied(303),
            NotFound => Expected::denied(404),
            ManagementToken => Expected::denied(401),
            SignedOut => Expected::denied(if outside { 200 } else { 303 }),
            Anyone => allowed(true, 0),
            Link => allowed(!missing, 404),
            Secret => allowed(!missing || has_exception(which), 401),
            Token => match (who, which) {
                (CallerKind::Program, Home) | (CallerKind::OtherProgram, Elsewhere) => allowed(true, 0),
                _ => Expected::denied(401),
            },
            AnyToken => allowed(matches!(who, CallerKind::Program | CallerKind::OtherProgram), 401),
            Gateway => match (who, which) {
                (CallerKind::Program, Home) | (CallerKind::OtherProgram, Elsewhere) => allowed(true, 0),
                (CallerKind::Program | CallerKind::OtherProgram, _) => Expected::denied(403),
                _ => Expected::denied(401),
            },
            // For these callers the page itself does not exist.
            Admin(_) if outside && self.request_kind == RequestKind::Get => Expected::denied(404),
            _ if outside => Expected::denied(login),
            SignedIn => allowed(true, 0),
            HomeMember => allowed(who.role(Home).is_some(), 404),
            _ if missing && !has_exception(which) => Expected::denied(404),
            LinkSignedIn => allowed(true, 0),
            Only(one) => allowed(who == one, 404),
            Admin(power) => allowed(is_allowed(admin, power), 404),
            Can(action) | DeviceCode(action) => match who.role(which) {
                Some(role) => allowed(role_allows(role, action), denied),
                None => Expected::denied(404),
            },
            Either(action, power) => match who.role(which) {
                Some(role) => allowed(role_allows(role, action), denied),
                None => allowed(is_allowed(admin, power), 404),
            },
        }
    }

    /// Returns whether the caller may read objects of other users: an administrator with a permission.
    pub fn can_read_everything(&self, who: CallerKind) -> bool {
        who == CallerKind::Administrator && (matches!(self.rule, Admin(_) | Either(..)) || self.admin_view.is_some())
    }
}

/// The expected result of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected {
    pub status: u16,
    /// Whether stored rows change and an event is recorded. Otherwise nothing changes.
    pub changed: bool,
    /// The expected event. `None` accepts any event.
    pub event: Option<&'static str>,
}

impl Expected {
    fn denied(status: u16) -> Self {
        Self { status, changed: false, event: None }
    }
}

fn no_fields(_: &ObjectData) -> Vec<(&'static str, String)> {
    Vec::new()
}

fn page(path: &'static str, rule: Rule) -> Row {
    Row::new(path, RequestKind::Get, rule, about(path), no_fields, Unchanged)
}

fn form(path: &'static str, rule: Rule, fields: Fields) -> Row {
    Row::new(path, RequestKind::Form, rule, about(path), fields, Changed)
}

fn function(function: &'static str, rule: Rule, about: ObjectKind, fields: Fields) -> Row {
    Row::new(function, RequestKind::Call, rule, about, fields, Unchanged)
}

fn json(path: &'static str, rule: Rule, fields: Fields) -> Row {
    Row::new(path, RequestKind::Json, rule, Key, fields, Unchanged)
}

/// A request of a key as an OAuth client.
fn oauth_form(path: &'static str, fields: Fields) -> Row {
    let row = Row::new(path, RequestKind::Posted, Secret, Key, fields, Unchanged);
    row.on(Stopped, Denied(401)).on(Deleted, Denied(401)).on(Archived, Denied(401))
}

/// Returns the fields of client authentication.
fn client(at: &ObjectData) -> Vec<(&'static str, String)> {
    vec![("client_id", format!("key:{}", at.id)), ("client_secret", at.secret.clone())]
}

fn bearer(path: &'static str, rule: Rule) -> Row {
    Row::new(path, RequestKind::Bearer, rule, if path.contains('{') { Project } else { Nothing }, no_fields, Unchanged)
}

/// Returns the kind of object that a path template refers to.
fn about(path: &str) -> ObjectKind {
    let named = path.split('{').next().unwrap_or_default();
    match (path.contains('{'), named) {
        (true, "/keys/" | "/admin/keys/") => Key,
        (true, "/projects/") if path.contains("{key}") => ProjectKey,
        (true, "/projects/") => Project,
        (true, "/admin/users/") if path.contains("{project}") => Ownership,
        (true, "/admin/scopes/") => Scope,
        (true, "/admin/users/") => User,
        _ => Nothing,
    }
}

/// Returns the field with the object's id.
fn id(at: &ObjectData) -> (&'static str, String) {
    ("id", at.id.clone())
}

fn field(name: &'static str, text: &str) -> (&'static str, String) {
    (name, text.to_owned())
}

fn only_id(at: &ObjectData) -> Vec<(&'static str, String)> {
    vec![id(at)]
}

fn key_of_project(at: &ObjectData) -> Vec<(&'static str, String)> {
    vec![("project", at.project.clone()), id(at)]
}

fn with_reason(at: &ObjectData) -> Vec<(&'static str, String)> {
    vec![id(at), field("reason", "found by the tide")]
}

fn edit_key(at: &ObjectData) -> Vec<(&'static str, String)> {
    vec![id(at), ("version", at.version.clone()), field("name", "Renamed"), field("expires", "keep")]
}

fn new_key(at: &ObjectData) -> Vec<(&'static str, String)> {
    vec![
        ("number", at.number.clone()),
        ("project", at.project.clone()),
        field("name", "Probe"),
        field("expires", "30d"),
        field("scopes[]", "data:read"),
    ]
}

fn save_config(at: &ObjectData) -> Vec<(&'static str, String)> {
    vec![id(at), ("version", at.version.clone()), field("config", "{\"changed\": true}")]
}

fn new_scope(_: &ObjectData) -> Vec<(&'static str, String)> {
    vec![field("name", "tide:read"), field("description", "Read the tide"), field("granted_by", "owner")]
}

fn edit_scope(at: &ObjectData) -> Vec<(&'static str, String)> {
    vec![("name", at.id.clone()), field("description", "Read the tide"), field("granted_by", "operator")]
}

fn only_name(at: &ObjectData) -> Vec<(&'static str, String)> {
    vec![("name", at.id.clone())]
}

fn account(_: &ObjectData) -> Vec<(&'static str, String)> {
    vec![field("name", "Another Name"), field("zone", "Europe/Oslo")]
}

fn credentials(_: &ObjectData) -> Vec<(&'static str, String)> {
    vec![field("email", "viewer@pelagic.example"), field("password", crate::support::PASSWORD)]
}

fn first_user(_: &ObjectData) -> Vec<(&'static str, String)> {
    vec![
        field("code", "x"),
        field("name", "X"),
        field("email", "x@x.example"),
        field("password", crate::support::PASSWORD),
    ]
}

fn theme(_: &ObjectData) -> Vec<(&'static str, String)> {
    vec![field("theme", "dark")]
}

fn new_key_without_expiry(at: &ObjectData) -> Vec<(&'static str, String)> {
    let mut fields = new_key(at);
    fields.retain(|(name, _)| *name != "expires");
    fields.push(field("expires", "never"));
    fields
}

fn edit_without_expiry(at: &ObjectData) -> Vec<(&'static str, String)> {
    vec![id(at), ("version", at.version.clone()), field("name", "Renamed"), field("expires", "never")]
}

fn bulk_deactivate(at: &ObjectData) -> Vec<(&'static str, String)> {
    vec![field("verb", "deactivate"), ("ids[]", at.id.clone()), field("reason", "found by the tide")]
}

fn policy(at: &ObjectData) -> Vec<(&'static str, String)> {
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

fn new_email(_: &ObjectData) -> Vec<(&'static str, String)> {
    vec![field("email", "new@tide.example")]
}

fn delete_user(at: &ObjectData) -> Vec<(&'static str, String)> {
    let mut fields = with_reason(at);
    if !at.alone.is_empty() {
        fields.extend([("projects[]", at.alone.clone()), field("heirs[]", "archive")]);
    }
    fields
}

fn transfer(at: &ObjectData) -> Vec<(&'static str, String)> {
    vec![id(at), ("project", at.project.clone()), ("to", at.deputy.clone())]
}

fn code(at: &ObjectData) -> Vec<(&'static str, String)> {
    vec![("code", at.code.clone())]
}

fn new_project(_: &ObjectData) -> Vec<(&'static str, String)> {
    vec![field("name", "Tide")]
}

fn rename(at: &ObjectData) -> Vec<(&'static str, String)> {
    vec![id(at), ("version", at.name.clone()), field("name", "Tide")]
}

fn withdraw(at: &ObjectData) -> Vec<(&'static str, String)> {
    vec![id(at), ("invitation", at.invitation.clone())]
}

fn invite(at: &ObjectData) -> Vec<(&'static str, String)> {
    vec![id(at), field("role", "viewer")]
}

fn join(at: &ObjectData) -> Vec<(&'static str, String)> {
    vec![id(at), field("role", "viewer")]
}

fn token_lifetime(at: &ObjectData) -> Vec<(&'static str, String)> {
    vec![id(at), field("version", "86400"), field("amount", "1"), field("unit", "hours")]
}

fn member(at: &ObjectData) -> Vec<(&'static str, String)> {
    vec![id(at), ("user", at.user.clone())]
}

fn new_role(at: &ObjectData) -> Vec<(&'static str, String)> {
    vec![id(at), ("user", at.user.clone()), field("version", "viewer"), field("role", "operator")]
}

fn scope_selection(at: &ObjectData) -> Vec<(&'static str, String)> {
    let scopes = [field("scopes[]", "data:read"), field("scopes[]", "usage:read")];
    [id(at), ("version", at.offer.clone()), field("set", "own")].into_iter().chain(scopes).collect()
}

fn reauth_password(_: &ObjectData) -> Vec<(&'static str, String)> {
    vec![field("proof", crate::support::PASSWORD)]
}

fn new_password(_: &ObjectData) -> Vec<(&'static str, String)> {
    vec![field("password", crate::support::PASSWORD), field("new_password", "a tide that turns at ten")]
}

fn session(at: &ObjectData) -> Vec<(&'static str, String)> {
    vec![("session", at.id.clone())]
}

/// Returns the query of an authorization request by an unregistered client, for the project.
fn consent_query(at: &ObjectData) -> String {
    authorization_query("s", "loopback", &at.project)
}

fn to_deny(at: &ObjectData) -> Vec<(&'static str, String)> {
    vec![("request", consent_query(at)), field("answer", "deny")]
}

fn to_allow(at: &ObjectData) -> Vec<(&'static str, String)> {
    vec![
        ("request", consent_query(at)),
        field("answer", "allow"),
        field("scopes[]", "data:read"),
        field("life", "3600"),
    ]
}

fn device(at: &ObjectData) -> Vec<(&'static str, String)> {
    vec![("user_code", at.device.clone())]
}

fn deny_device(at: &ObjectData) -> Vec<(&'static str, String)> {
    vec![("user_code", at.device.clone()), field("answer", "deny")]
}

fn new_client(at: &ObjectData) -> Vec<(&'static str, String)> {
    vec![id(at), field("name", "Tide"), field("redirects", "https://tide.example/cb")]
}

fn known_client(at: &ObjectData) -> Vec<(&'static str, String)> {
    vec![id(at), ("client", at.client.clone())]
}

fn grant(at: &ObjectData) -> Vec<(&'static str, String)> {
    vec![id(at), ("grant", at.grant.clone())]
}

fn own_grant(at: &ObjectData) -> Vec<(&'static str, String)> {
    vec![("grant", at.grant.clone())]
}

fn wrong_code(_: &ObjectData) -> Vec<(&'static str, String)> {
    vec![field("one_time_code", "000000")]
}

fn wrong_link(_: &ObjectData) -> Vec<(&'static str, String)> {
    vec![field("code", "nothing"), field("name", "X"), field("password", crate::support::PASSWORD)]
}

fn wrong_reset(_: &ObjectData) -> Vec<(&'static str, String)> {
    vec![field("code", "nothing"), field("password", crate::support::PASSWORD)]
}

const SEE: Rule = Can(Action::SeeKeys);
const CHANGE: Rule = Can(Action::ChangeKeys);
const STOP: Rule = Can(Action::StopKeys);
const EDIT_TAKES: &[&str] = &["expires_on", "scopes", "issued_to", "networks", "not_before", "rate", "per", "burst"];
const NEW_TAKES: &[&str] =
    &["environment", "expires_on", "scopes", "issued_to", "networks", "not_before", "rate", "per", "burst"];
const SCOPE_TAKES: &[&str] = &["in_default"];

/// The authorization request of an unregistered client, for the project in `{id}`.
const AUTHORIZE_PATH: &str = "/authorize?response_type=code&client_id=loopback&redirect_uri=http://127.0.0.1:1/cb&resource=http://127.0.0.1:3000\
    /projects/{id}&scope=data:read&state=s&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256";

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
            .accepts(NEW_TAKES),
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
            .accepts(EDIT_TAKES)
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
            .accepts(NEW_TAKES),
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

/// The server functions, by name.
pub fn functions() -> Vec<Row> {
    vec![
        function("keys/called", SEE, Key, only_id),
        function("keys/say_expiry", SignedIn, Nothing, |_| vec![field("expires", "never")]),
        function("keys/say_not_before", SignedIn, Nothing, |_| vec![field("not_before", "")]),
    ]
}

/// The fields that a verify request accepts besides `key`.
const VERIFY_TAKES: &[&str] = &["token", "project", "scopes", "ip"];

/// The API routes, by path.
pub fn routes() -> Vec<Row> {
    vec![
        bearer("/.well-known/keyward-audit-keys.json", Anyone),
        bearer("/.well-known/jwks.json", Anyone),
        bearer("/.well-known/oauth-authorization-server", Anyone),
        bearer("/.well-known/oauth-protected-resource", Anyone),
        bearer("/.well-known/oauth-protected-resource/v1", Anyone),
        bearer("/.well-known/oauth-protected-resource/projects/{id}", Anyone),
        bearer("/.well-known/security.txt", Anyone).varies(),
        bearer("/.well-known/revoked-tokens", Anyone).varies(),
        Row::new(
            "/oauth/device_authorization",
            RequestKind::Posted,
            Anyone,
            Nothing,
            |_| vec![field("client_id", "loopback")],
            Denied(400),
        ),
        oauth_form("/oauth/introspect", |at| [client(at), vec![("token", "x".into())]].concat()),
        // Revocation works for a key in any state. No caller has the secret of the stopped key.
        Row::new(
            "/oauth/revoke",
            RequestKind::Posted,
            Secret,
            Key,
            |at| [client(at), vec![("token", "x".into())]].concat(),
            Unchanged,
        )
        .on(Stopped, Denied(401))
        .on(Purged, Unchanged),
        oauth_form("/oauth/token", |at| [client(at), vec![("grant_type", "client_credentials".into())]].concat())
            .accepts(&["scope", "resource", "audience", "expires_in"]),
        json("/authentication/token", Secret, |at| vec![("secret_key", at.secret.clone())])
            .on(Stopped, Denied(401))
            .on(Deleted, Denied(401))
            .on(Archived, Denied(401))
            .accepts(&["expires_in"]),
        bearer("/pops/{id}/config", Token),
        bearer("/v1/auth", Gateway).about(Project).with_path("/v1/auth?project={id}"),
        bearer("/v1/auth/", AnyToken),
        bearer("/v1/auth/{*rest}", AnyToken).about(Nothing).with_path("/v1/auth/orders/7?project=theirs"),
        bearer("/v1/projects", ManagementToken),
        bearer("/v1/projects/{id}", ManagementToken),
        bearer("/v1/projects/{id}/config", Token),
        bearer("/v1/projects/{id}/keys", ManagementToken),
        bearer("/v1/projects/{id}/keys/{key}", ManagementToken).about(ProjectKey),
        Row {
            request_kind: RequestKind::Json,
            ..bearer("/v1/projects/{id}/keys/{key}/activate", ManagementToken).about(ProjectKey)
        },
        Row {
            request_kind: RequestKind::Json,
            ..bearer("/v1/projects/{id}/keys/{key}/deactivate", ManagementToken).about(ProjectKey)
        },
        Row {
            request_kind: RequestKind::Json,
            ..bearer("/v1/projects/{id}/keys/{key}/restore", ManagementToken).about(ProjectKey)
        },
        bearer("/healthz", Anyone),
        bearer("/metrics", Anyone).varies(),
        bearer("/openapi.json", Anyone),
        bearer("/readyz", Anyone),
        bearer("/sdk/v1.js", Anyone),
        bearer("/sdk/v1.d.ts", Anyone),
        json("/v1/keys/verify", Anyone, |at| vec![("key", at.secret.clone())]).accepts(VERIFY_TAKES),
        // The endpoint requires a list, which `verify.rs` tests.
        Row {
            default_outcome: Denied(422),
            ..json("/v1/keys/verify:batch", Anyone, |at| vec![("keys", at.secret.clone())])
        },
    ]
}

/// Routes that are mounted next to pages and forms. A GET of the export redirects to its page (`audit`). The OpenID
/// Connect routes are not found, because no provider is configured; `oidc.rs` tests the sign-in.
pub fn plain() -> Vec<Row> {
    vec![
        Row::new(
            "/admin/audit/export",
            RequestKind::Form,
            Admin(AdminPermission::ReadLog),
            Nothing,
            no_fields,
            EventOnly,
        )
        .records("audit.exported")
        .renders_page()
        .reauth(),
        page("/docs/api", Anyone),
        page("/login/oidc", NotFound),
        page("/login/oidc/callback", NotFound),
        page("/settings/security/link", NotFound),
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
