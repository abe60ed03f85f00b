//! Rows of the authorization matrix: every page, form, server function and route, who may call it, and the result.
//!
//! To add one, write its row into the table of its kind (`pages.rs`, `forms.rs`, `routes.rs`), in sorted order:
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

mod fields;
mod forms;
mod pages;
mod routes;

pub use forms::{dangerous, forms, variants};
pub use pages::{page_variants, pages};
pub use routes::{functions, plain, routes};

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

const SEE: Rule = Can(Action::SeeKeys);
const CHANGE: Rule = Can(Action::ChangeKeys);
const STOP: Rule = Can(Action::StopKeys);
/// The authorization request of an unregistered client, for the project in `{id}`.
const AUTHORIZE_PATH: &str = "/authorize?response_type=code&client_id=loopback&redirect_uri=http://127.0.0.1:1/cb&resource=http://127.0.0.1:3000\
    /projects/{id}&scope=data:read&state=s&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256";
