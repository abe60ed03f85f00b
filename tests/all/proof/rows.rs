//! Rows of the authorization matrix: every page, form, server function and route, who may call it, and the result.
//!
//! To add one, write its row into the table of its kind, in sorted order:
//!
//! - `page("/projects/{id}/members", Can(Action::SeeKeys))`: a page. The kind of object of `{id}` follows from the
//!   path. Add `.about(User)` to override it.
//! - `form("/projects/{id}/rename", Can(Action::Configure), |at| vec![id(at), said("name", "Tide")])`: a form with
//!   valid fields, which changes state and records an event.
//! - `ask("keys/called", Can(Action::SeeKeys), Key, |at| …)`: a server function. Islands call it, and it only reads.
//!
//! Add `.says("project.renamed")` to expect exactly this event.
//!
//! Exceptions for an object follow the row: `.on(Archived, Refused(409))` for authorized callers, or
//! `.still().on(Stopped, Done)` if the request changes only some objects. `.takes(&["description"])` names the other
//! fields that the form or function accepts, so that the mass assignment test does not send them. Results for members,
//! or for owners, that do not apply to an administrator are exceptions too: `.members(Refused(409))`,
//! `.owners(Refused(409))`.
//!
//! A project page is also rendered for an administrator who is not a member, and the audit log records the view:
//! `.looks(200)`, or the status of what they are not authorized for. The page is also rendered behind a denied form, so
//! that row has `.looks(403)`.
//!
//! Add `.proof()` if every caller whose last authentication is more than 15 minutes ago must reauthenticate, and
//! `.proof_of_power()` if this applies only to administrators who are not members.
//!
//! An endpoint that needs a one-time value (a code of an app, a link in an email) is denied to everyone here, and
//! nothing changes. Other tests check that it accepts the right value: `security.rs` (second factor, reauthentication),
//! `entry.rs` (registration, password reset), `oidc.rs` (OpenID Connect), `projects.rs` (used invitations).

use super::stage::{
    About::{self, *},
    At, How,
    Which::{self, *},
    Who, ask_to_be_allowed,
};
use keyward::{
    domain::project::Role,
    service::can::{Action, Power, can, has},
};

/// The rule that authorizes callers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Redirects everyone to this path.
    Leads(&'static str),
    /// Not found for everyone.
    Over,
    /// Callers who are not signed in. Others are redirected to their keys.
    SignedOut,
    Anyone,
    SignedIn,
    /// Every member of the project of [`Home`], which the path does not contain. Not found for others.
    AtHome,
    /// A role in the project that permits the action. Not found for callers who are not members.
    Can(Action),
    /// An administrator with this permission. Not found for others.
    Has(Power),
    /// A role that permits the action, or an administrator with the permission.
    Either(Action, Power),
    /// A caller with the code of a valid link.
    Link,
    /// A signed-in caller with the code of a valid link.
    LinkSignedIn,
    /// One caller. Not found for others.
    Only(Who),
    /// A caller with the secret of a valid key.
    Secret,
    /// A caller with a token of the project.
    Token,
    /// A caller with a token of any project.
    ByToken,
    /// A caller with a token of the project that the request names: 401 without a token, 403 with a token of another
    /// project.
    Gateway,
    /// A caller with a management token. No caller here has one: `management.rs` tests those.
    Managed,
}
use Rule::*;

/// The result for an authorized caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Stored rows change, and an event is recorded.
    Done,
    /// Only an event is recorded.
    Noted,
    /// The request succeeds, and nothing changes.
    Still,
    /// The request is denied anyway, with this status.
    Refused(u16),
}
use Outcome::*;

/// The audit event that an administrator viewed a project without being a member.
pub const LOOKED: &str = "project.seen_by_administrator";

/// The callers that must reauthenticate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asks {
    Nobody,
    Everybody,
    /// Administrators who are not members.
    Power,
}

pub type Fields = fn(&At) -> Vec<(&'static str, String)>;

/// An endpoint and its expected results.
pub struct Row {
    pub path: String,
    /// The name in the route table, the form table or Leptos.
    pub template: &'static str,
    pub how: How,
    pub rule: Rule,
    pub about: About,
    pub fields: Fields,
    /// The result for authorized callers, unless `outcomes` has one for the object.
    pub usual: Outcome,
    pub outcomes: Vec<(Which, Outcome)>,
    /// The results for members of the project and for its owners, unless `outcomes` has one for the object.
    pub members: Option<Outcome>,
    pub owners: Option<Outcome>,
    /// The status for an administrator who is not a member: the project is rendered, and the audit log records the
    /// view.
    pub looks: Option<u16>,
    /// Denied callers get the response of a missing object, members too.
    pub hides: bool,
    pub asks: Asks,
    /// The response differs each time.
    pub varies: bool,
    /// The redirect of an accepted form.
    pub leads: Option<&'static str>,
    /// The audit event of the change.
    pub event: Option<&'static str>,
    /// Other fields that it accepts.
    pub takes: &'static [&'static str],
    /// The status of a successful response.
    pub status: u16,
}

impl Row {
    fn new(template: &'static str, how: How, rule: Rule, about: About, fields: Fields, usual: Outcome) -> Self {
        let path = if how == How::Call { format!("/api/{template}") } else { template.to_owned() };
        let status = if how == How::Form { 303 } else { 200 };
        let outcomes = vec![];
        Self {
            path,
            template,
            how,
            rule,
            about,
            fields,
            usual,
            outcomes,
            members: None,
            owners: None,
            looks: None,
            hides: false,
            asks: Asks::Nobody,
            varies: false,
            leads: None,
            event: None,
            takes: &[],
            status,
        }
    }

    pub fn about(mut self, about: About) -> Self {
        self.about = about;
        self
    }

    pub fn on(mut self, which: Which, outcome: Outcome) -> Self {
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

    pub fn looks(mut self, status: u16) -> Self {
        self.looks = Some(status);
        self.asks = Asks::Power;
        self
    }

    pub fn hides(mut self) -> Self {
        self.hides = true;
        self
    }

    pub fn proof(mut self) -> Self {
        self.asks = Asks::Everybody;
        self
    }

    pub fn proof_of_power(mut self) -> Self {
        self.asks = Asks::Power;
        self
    }

    pub fn varies(mut self) -> Self {
        self.varies = true;
        self
    }

    /// Sets the path, with its query.
    pub fn at(mut self, path: &str) -> Self {
        path.clone_into(&mut self.path);
        self
    }

    pub fn to(mut self, path: &'static str) -> Self {
        self.leads = Some(path);
        self
    }

    /// Sets the newest event after the change.
    pub fn says(mut self, event: &'static str) -> Self {
        self.event = Some(event);
        self
    }

    pub fn takes(mut self, names: &'static [&'static str]) -> Self {
        self.takes = names;
        self
    }

    /// Expects a page as the response of a form.
    pub fn shows(mut self) -> Self {
        self.status = 200;
        self
    }

    /// Expects no change, unless an exception for the object follows.
    pub fn still(mut self) -> Self {
        self.usual = Still;
        self
    }

    fn outcome(&self, who: Who, which: Which) -> Outcome {
        let role = who.role(which);
        let of_thing = self.outcomes.iter().find(|(it, _)| *it == which).map(|(_, outcome)| *outcome);
        let of_owner = self.owners.filter(|_| role == Some(Role::Owner));
        let of_member = self.members.filter(|_| role.is_some());
        of_thing.or(of_owner).or(of_member).unwrap_or(self.usual)
    }

    /// Returns whether an administrator who is not a member views the project of an existing object, which the audit
    /// log records.
    fn is_looked_at(&self, who: Who, which: Which) -> bool {
        let there = !matches!(which, Which::Random | Which::Gone | Which::Unnamed);
        who == Who::Administrator && who.role(which).is_none() && there
    }

    /// Returns the role in the audit event, if the rule determines it.
    pub fn acting(&self, who: Who, which: Which) -> Option<&'static str> {
        match (self.rule, who.role(which)) {
            (Can(_) | Either(..), Some(role)) => Some(role.as_str()),
            (Has(_) | Can(_) | Either(..), _) => Some("administrator"),
            _ => None,
        }
    }

    /// Returns whether the caller must reauthenticate.
    pub fn asks_proof(&self, who: Who, which: Which) -> bool {
        match self.asks {
            Asks::Nobody => false,
            Asks::Power => self.is_looked_at(who, which),
            Asks::Everybody if self.rule == SignedIn => !who.is_outside(),
            Asks::Everybody => !who.is_outside() && self.expected(who, which).status == self.status,
        }
    }

    /// Returns the expected result.
    pub fn expected(&self, who: Who, which: Which) -> Expected {
        if let Some(status) = self.looks.filter(|_| self.is_looked_at(who, which))
            && !(self.usual == Done && matches!(self.rule, Either(..)))
        {
            return Expected { status, done: true, event: Some(LOOKED) };
        }
        let denied = if self.hides { 404 } else { 403 };
        let allowed = |may: bool, otherwise: u16| match (may, self.outcome(who, which)) {
            (false, _) => Expected::refused(otherwise),
            (true, Done | Noted) => Expected { status: self.status, done: true, event: self.event },
            (true, Still) => Expected { status: self.status, done: false, event: None },
            (true, Refused(status)) => Expected::refused(status),
        };
        let said = |which| self.outcomes.iter().any(|(it, _)| *it == which);
        let outside = who.is_outside();
        let (login, missing) = (if self.how == How::Call { 401 } else { 303 }, matches!(which, Random | Gone));
        let admin = who == Who::Administrator;
        match self.rule {
            Leads(_) => Expected::refused(303),
            Over => Expected::refused(404),
            Managed => Expected::refused(401),
            SignedOut => Expected::refused(if outside { 200 } else { 303 }),
            Anyone => allowed(true, 0),
            Link => allowed(!missing, 404),
            Secret => allowed(!missing || said(which), 401),
            Token => match (who, which) {
                (Who::Program, Home) | (Who::OtherProgram, Elsewhere) => allowed(true, 0),
                _ => Expected::refused(401),
            },
            ByToken => allowed(matches!(who, Who::Program | Who::OtherProgram), 401),
            Gateway => match (who, which) {
                (Who::Program, Home) | (Who::OtherProgram, Elsewhere) => allowed(true, 0),
                (Who::Program | Who::OtherProgram, _) => Expected::refused(403),
                _ => Expected::refused(401),
            },
            // For these callers the page itself does not exist.
            Has(_) if outside && self.how == How::Get => Expected::refused(404),
            _ if outside => Expected::refused(login),
            SignedIn => allowed(true, 0),
            AtHome => allowed(who.role(Home).is_some(), 404),
            _ if missing && !said(which) => Expected::refused(404),
            LinkSignedIn => allowed(true, 0),
            Only(one) => allowed(who == one, 404),
            Has(power) => allowed(has(admin, power), 404),
            Can(action) => match who.role(which) {
                Some(role) => allowed(can(role, action), denied),
                None => Expected::refused(404),
            },
            Either(action, power) => match who.role(which) {
                Some(role) => allowed(can(role, action), denied),
                None => allowed(has(admin, power), 404),
            },
        }
    }

    /// Returns whether the caller may read objects of other users: an administrator with a permission.
    pub fn reaches_everything(&self, who: Who) -> bool {
        who == Who::Administrator && (matches!(self.rule, Has(_) | Either(..)) || self.looks.is_some())
    }
}

/// The expected result of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected {
    pub status: u16,
    /// Whether stored rows change and an event is recorded. Otherwise nothing changes.
    pub done: bool,
    /// The expected event. `None` accepts any event.
    pub event: Option<&'static str>,
}

impl Expected {
    fn refused(status: u16) -> Self {
        Self { status, done: false, event: None }
    }
}

fn nothing(_: &At) -> Vec<(&'static str, String)> {
    Vec::new()
}

fn page(path: &'static str, rule: Rule) -> Row {
    Row::new(path, How::Get, rule, about(path), nothing, Still)
}

fn form(path: &'static str, rule: Rule, fields: Fields) -> Row {
    Row::new(path, How::Form, rule, about(path), fields, Done)
}

fn ask(function: &'static str, rule: Rule, about: About, fields: Fields) -> Row {
    Row::new(function, How::Call, rule, about, fields, Still)
}

fn json(path: &'static str, rule: Rule, fields: Fields) -> Row {
    Row::new(path, How::Json, rule, Key, fields, Still)
}

/// A request of a key as an OAuth client.
fn posted(path: &'static str, fields: Fields) -> Row {
    let row = Row::new(path, How::Posted, Secret, Key, fields, Still);
    row.on(Stopped, Refused(401)).on(Deleted, Refused(401)).on(Archived, Refused(401))
}

/// Returns the fields of client authentication.
fn client(at: &At) -> Vec<(&'static str, String)> {
    vec![("client_id", format!("key:{}", at.id)), ("client_secret", at.secret.clone())]
}

fn bearer(path: &'static str, rule: Rule) -> Row {
    Row::new(path, How::Bearer, rule, if path.contains('{') { Project } else { Nothing }, nothing, Still)
}

/// Returns the kind of object that a path template refers to.
fn about(path: &str) -> About {
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
fn id(at: &At) -> (&'static str, String) {
    ("id", at.id.clone())
}

fn said(name: &'static str, text: &str) -> (&'static str, String) {
    (name, text.to_owned())
}

fn only_id(at: &At) -> Vec<(&'static str, String)> {
    vec![id(at)]
}

fn with_reason(at: &At) -> Vec<(&'static str, String)> {
    vec![id(at), said("reason", "found by the tide")]
}

fn edit_key(at: &At) -> Vec<(&'static str, String)> {
    vec![id(at), ("version", at.version.clone()), said("name", "Renamed"), said("expires", "keep")]
}

fn new_key(at: &At) -> Vec<(&'static str, String)> {
    vec![
        ("number", at.number.clone()),
        ("project", at.project.clone()),
        said("name", "Probe"),
        said("expires", "30d"),
        said("scopes[]", "data:read"),
    ]
}

fn save_config(at: &At) -> Vec<(&'static str, String)> {
    vec![id(at), ("version", at.version.clone()), said("config", "{\"changed\": true}")]
}

fn new_scope(_: &At) -> Vec<(&'static str, String)> {
    vec![said("name", "tide:read"), said("description", "Read the tide"), said("granted_by", "owner")]
}

fn edit_scope(at: &At) -> Vec<(&'static str, String)> {
    vec![("name", at.id.clone()), said("description", "Read the tide"), said("granted_by", "operator")]
}

fn only_name(at: &At) -> Vec<(&'static str, String)> {
    vec![("name", at.id.clone())]
}

fn account(_: &At) -> Vec<(&'static str, String)> {
    vec![said("name", "Another Name"), said("zone", "Europe/Oslo")]
}

fn credentials(_: &At) -> Vec<(&'static str, String)> {
    vec![said("email", "viewer@pelagic.example"), said("password", crate::support::PASSWORD)]
}

fn first_person(_: &At) -> Vec<(&'static str, String)> {
    vec![said("code", "x"), said("name", "X"), said("email", "x@x.example"), said("password", crate::support::PASSWORD)]
}

fn theme(_: &At) -> Vec<(&'static str, String)> {
    vec![said("theme", "dark")]
}

fn for_ever(at: &At) -> Vec<(&'static str, String)> {
    let mut fields = new_key(at);
    fields.retain(|(name, _)| *name != "expires");
    fields.push(said("expires", "never"));
    fields
}

fn without_end(at: &At) -> Vec<(&'static str, String)> {
    vec![id(at), ("version", at.version.clone()), said("name", "Renamed"), said("expires", "never")]
}

fn chosen(at: &At) -> Vec<(&'static str, String)> {
    vec![said("verb", "deactivate"), ("ids[]", at.id.clone()), said("reason", "found by the tide")]
}

fn policy(at: &At) -> Vec<(&'static str, String)> {
    vec![
        ("version", at.policy.clone()),
        said("key_life_max", ""),
        said("may_never_expire", "on"),
        said("token_life", "30"),
        said("token_unit", "86400"),
        said("sign_up", "invite"),
        said("keys_per_project", "1000"),
        said("second_factor", "nobody"),
    ]
}

fn new_email(_: &At) -> Vec<(&'static str, String)> {
    vec![said("email", "new@tide.example")]
}

fn delete_person(at: &At) -> Vec<(&'static str, String)> {
    let mut fields = with_reason(at);
    if !at.alone.is_empty() {
        fields.extend([("projects[]", at.alone.clone()), said("heirs[]", "archive")]);
    }
    fields
}

fn transfer(at: &At) -> Vec<(&'static str, String)> {
    vec![id(at), ("project", at.project.clone()), ("to", at.deputy.clone())]
}

fn code(at: &At) -> Vec<(&'static str, String)> {
    vec![("code", at.code.clone())]
}

fn new_project(_: &At) -> Vec<(&'static str, String)> {
    vec![said("name", "Tide")]
}

fn rename(at: &At) -> Vec<(&'static str, String)> {
    vec![id(at), ("version", at.name.clone()), said("name", "Tide")]
}

fn withdraw(at: &At) -> Vec<(&'static str, String)> {
    vec![id(at), ("invitation", at.invitation.clone())]
}

fn invite(at: &At) -> Vec<(&'static str, String)> {
    vec![id(at), said("role", "viewer")]
}

fn join(at: &At) -> Vec<(&'static str, String)> {
    vec![id(at), said("role", "viewer")]
}

fn life(at: &At) -> Vec<(&'static str, String)> {
    vec![id(at), said("version", "86400"), said("amount", "1"), said("unit", "hours")]
}

fn member(at: &At) -> Vec<(&'static str, String)> {
    vec![id(at), ("user", at.user.clone())]
}

fn new_role(at: &At) -> Vec<(&'static str, String)> {
    vec![id(at), ("user", at.user.clone()), said("version", "viewer"), said("role", "operator")]
}

fn offer(at: &At) -> Vec<(&'static str, String)> {
    let scopes = [said("scopes[]", "data:read"), said("scopes[]", "usage:read")];
    [id(at), ("version", at.offer.clone()), said("set", "own")].into_iter().chain(scopes).collect()
}

fn proof(_: &At) -> Vec<(&'static str, String)> {
    vec![said("proof", crate::support::PASSWORD)]
}

fn new_password(_: &At) -> Vec<(&'static str, String)> {
    vec![said("password", crate::support::PASSWORD), said("new_password", "a tide that turns at ten")]
}

fn session(at: &At) -> Vec<(&'static str, String)> {
    vec![("session", at.id.clone())]
}

/// Returns the query of an authorization request by an unregistered client, for the project.
fn asked(at: &At) -> String {
    ask_to_be_allowed("s", "loopback", &at.project)
}

fn to_deny(at: &At) -> Vec<(&'static str, String)> {
    vec![("request", asked(at)), said("answer", "deny")]
}

fn to_allow(at: &At) -> Vec<(&'static str, String)> {
    vec![("request", asked(at)), said("answer", "allow"), said("scopes[]", "data:read"), said("life", "3600")]
}

fn device(at: &At) -> Vec<(&'static str, String)> {
    vec![("user_code", at.device.clone())]
}

fn deny_device(at: &At) -> Vec<(&'static str, String)> {
    vec![("user_code", at.device.clone()), said("answer", "deny")]
}

fn new_client(at: &At) -> Vec<(&'static str, String)> {
    vec![id(at), said("name", "Tide"), said("redirects", "https://tide.example/cb")]
}

fn known_client(at: &At) -> Vec<(&'static str, String)> {
    vec![id(at), ("client", at.client.clone())]
}

fn grant(at: &At) -> Vec<(&'static str, String)> {
    vec![id(at), ("grant", at.grant.clone())]
}

fn own_grant(at: &At) -> Vec<(&'static str, String)> {
    vec![("grant", at.grant.clone())]
}

fn wrong_code(_: &At) -> Vec<(&'static str, String)> {
    vec![said("one_time_code", "000000")]
}

fn wrong_link(_: &At) -> Vec<(&'static str, String)> {
    vec![said("code", "nothing"), said("name", "X"), said("password", crate::support::PASSWORD)]
}

fn wrong_reset(_: &At) -> Vec<(&'static str, String)> {
    vec![said("code", "nothing"), said("password", crate::support::PASSWORD)]
}

const SEE: Rule = Can(Action::SeeKeys);
const CHANGE: Rule = Can(Action::ChangeKeys);
const EDIT_TAKES: &[&str] = &["expires_on", "scopes", "issued_to", "networks", "not_before", "rate", "per", "burst"];
const NEW_TAKES: &[&str] =
    &["environment", "expires_on", "scopes", "issued_to", "networks", "not_before", "rate", "per", "burst"];
const SCOPE_TAKES: &[&str] = &["in_default"];

/// The authorization request of an unregistered client, for the project in `{id}`.
const ASK: &str = "/authorize?response_type=code&client_id=loopback&redirect_uri=http://127.0.0.1:1/cb&resource=http://127.0.0.1:3000\
    /projects/{id}&scope=data:read&state=s&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256";

/// The pages, by path.
pub fn pages() -> Vec<Row> {
    let stop = Has(Power::StopAnyKey);
    let catalogue = Has(Power::WriteCatalogue);
    let people = Has(Power::ManageUsers);
    let (archive, configure, manage) = (Can(Action::Archive), Can(Action::Configure), Can(Action::ManageMembers));
    vec![
        page("/", Leads("/keys")),
        page("/admin/audit", Has(Power::ReadLog)),
        page("/admin/keys", Has(Power::SeeEveryKey)),
        page("/admin/keys/chosen", stop)
            .about(Key)
            .at("/admin/keys/chosen?verb=deactivate&id={id}")
            .on(Random, Still)
            .on(Gone, Still),
        page("/admin/keys/{id}/activate", stop),
        page("/admin/keys/{id}/deactivate", stop),
        page("/admin/keys/{id}/delete", stop),
        page("/admin/keys/{id}/restore", stop),
        page("/admin/policy", Has(Power::WritePolicy)),
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
        page("/admin/users/{id}/transfer/{project}", Has(Power::TransferProject)),
        page("/admin/users/{id}/unmake-administrator", people),
        page("/authorize", Can(Action::ChangeKeys)).about(Project).at(ASK).on(Archived, Refused(409)),
        page("/confirm", SignedIn),
        page("/device", SignedIn),
        page("/device/confirm", SignedIn).on(Unnamed, Refused(404)),
        page("/join", Link).about(Invitation).at("/join?code={code}"),
        page("/keys", SignedIn),
        page("/keys/new", SignedIn),
        page("/keys/{id}", SEE),
        page("/keys/{id}/activate", SEE),
        page("/keys/{id}/deactivate", SEE),
        page("/keys/{id}/delete", SEE),
        page("/keys/{id}/edit", CHANGE).on(Deleted, Refused(409)),
        page("/keys/{id}/restore", SEE),
        page("/login", SignedOut),
        page("/login/code", Leads("/login")),
        page("/logout", Anyone),
        page("/projects", SignedIn),
        page("/projects/new", SignedIn),
        page("/projects/{id}", Either(Action::SeeKeys, Power::SeeEveryProject)).looks(200),
        page("/projects/{id}/archive", archive).looks(403),
        page("/projects/{id}/clients/new", configure).looks(403),
        page("/projects/{id}/clients/{client}/remove", configure).looks(403),
        page("/projects/{id}/edit", configure).looks(403),
        page("/projects/{id}/grants/{grant}/revoke", manage).hides().looks(403),
        page("/projects/{id}/invitations/{invitation}/withdraw", manage).looks(403),
        page("/projects/{id}/invite", manage).looks(403),
        page("/projects/{id}/join", Either(Action::SeeKeys, Power::JoinAnyProject)).members(Refused(403)).looks(200),
        page("/projects/{id}/keys", Either(Action::SeeKeys, Power::SeeEveryKey)).proof_of_power(),
        page("/projects/{id}/keys/new", CHANGE).hides().on(Archived, Refused(404)),
        page("/projects/{id}/keys/{key}/delete", CHANGE),
        page("/projects/{id}/leave", SEE).looks(403),
        page("/projects/{id}/life", configure).looks(403),
        page("/projects/{id}/members/{user}/edit", manage).looks(403),
        page("/projects/{id}/members/{user}/remove", manage).looks(403),
        page("/projects/{id}/scopes", Either(Action::SeeKeys, Power::ChooseScopes)).members(Refused(403)).looks(200),
        page("/projects/{id}/unarchive", archive).looks(403),
        page("/reset", Anyone),
        page("/reset/new", Over),
        page("/settings", Leads("/settings/account")),
        page("/settings/account", SignedIn),
        page("/settings/developer", Leads("/settings/developer/api-keys")),
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
        page("/setup", Leads("/login")),
        page("/signup", Over),
        page("/signup/new", Over),
    ]
}

/// The forms, by path.
pub fn forms() -> Vec<Row> {
    let stop = Has(Power::StopAnyKey);
    let catalogue = Has(Power::WriteCatalogue);
    let people = Has(Power::ManageUsers);
    let (archive, configure, manage) = (Can(Action::Archive), Can(Action::Configure), Can(Action::ManageMembers));
    vec![
        form("/admin/keys/chosen", stop, chosen)
            .about(Key)
            .says("key.deactivated")
            .shows()
            .on(Random, Still)
            .on(Gone, Still)
            .on(Deleted, Still),
        form("/admin/keys/{id}/activate", stop, with_reason)
            .says("key.activated")
            .still()
            .on(Stopped, Done)
            .on(Deleted, Refused(409))
            .to("/admin/keys?done=activated&key={id}"),
        form("/admin/keys/{id}/deactivate", stop, with_reason)
            .says("key.deactivated")
            .on(Deleted, Refused(409))
            .to("/admin/keys?done=deactivated&key={id}"),
        form("/admin/keys/{id}/delete", stop, with_reason).says("key.deleted").to("/admin/keys?done=deleted&key={id}"),
        form("/admin/keys/{id}/restore", stop, with_reason)
            .says("key.restored")
            .still()
            .on(Deleted, Done)
            .to("/admin/keys?done=restored&key={id}"),
        form("/admin/policy", Has(Power::WritePolicy), policy)
            .says("policy.changed").proof()
            .takes(&["confirmed"])
            .to("/admin/policy?done=saved"),
        form("/admin/scopes/new", catalogue, new_scope)
            .says("scope.added")
            .takes(SCOPE_TAKES)
            .to("/admin/scopes?done=added"),
        form("/admin/scopes/{name}/edit", catalogue, edit_scope)
            .says("scope.edited")
            .takes(SCOPE_TAKES)
            .to("/admin/scopes?done=saved"),
        form("/admin/scopes/{name}/remove", catalogue, only_name)
            .says("scope.removed")
            .to("/admin/scopes?done=removed"),
        form("/admin/scopes/{name}/retire", catalogue, only_name)
            .says("scope.retired")
            .on(Stopped, Still)
            .to("/admin/scopes?done=retired"),
        form("/admin/scopes/{name}/unretire", catalogue, only_name)
            .says("scope.unretired")
            .still()
            .on(Stopped, Done)
            .to("/admin/scopes?done=unretired"),
        form("/admin/users/invite", people, new_email).says("user.invited").shows(),
        form("/admin/users/{id}/delete", people, delete_person)
            .says("user.deleted")
            .takes(&["projects", "heirs"])
            .proof()
            .to("/admin/users?done=deleted"),
        form("/admin/users/{id}/disable", people, with_reason)
            .says("user.disabled").proof()
            .on(Deleted, Still)
            .takes(&["keys"])
            .to("/admin/users/{id}?done=disabled"),
        form("/admin/users/{id}/enable", people, only_id)
            .says("user.enabled").proof()
            .still()
            .on(Deleted, Done)
            .to("/admin/users/{id}?done=enabled"),
        form("/admin/users/{id}/make-administrator", people, only_id)
            .says("user.made_administrator").proof()
            .on(Stopped, Still)
            .on(Deleted, Refused(409))
            .to("/admin/users/{id}?done=made"),
        form("/admin/users/{id}/transfer/{project}", Has(Power::TransferProject), transfer)
            .says("project.transferred")
            .proof()
            .takes(&["stays"])
            .to("/admin/users/{id}?done=transferred"),
        form("/admin/users/{id}/unmake-administrator", people, only_id)
            .says("user.unmade_administrator").proof()
            .still()
            .on(Stopped, Done)
            .to("/admin/users/{id}?done=unmade"),
        form("/authorize", SignedIn, to_deny)
            .still()
            .to("http://127.0.0.1:1/cb?error=access_denied&error_description=The+person+did+not+allow+it.&state=s&iss=http%3A%2F%2F127.0.0.1%3A3000")
            .takes(&["scopes", "life"]),
        form("/confirm", SignedIn, proof).says("step_up.passed").to("/keys"),
        form("/device", SignedIn, device).still().to("/device/confirm?user_code={device}"),
        form("/device/confirm", AtHome, deny_device)
            .says("grant.denied")
            .to("/device?done=denied")
            .takes(&["scopes", "life"]),
        form("/join", LinkSignedIn, code)
            .about(Invitation)
            .at("/join?code={code}")
            .says("member.joined")
            .members(Still),
        form("/keys/new", CHANGE, new_key)
            .says("key.created")
            .about(Project)
            .shows()
            .on(Archived, Refused(409))
            .takes(NEW_TAKES),
        form("/keys/{id}/activate", CHANGE, only_id)
            .says("key.activated")
            .still()
            .on(Stopped, Done)
            .on(Deleted, Refused(409))
            .to("/keys?done=activated&key={id}"),
        form("/keys/{id}/deactivate", CHANGE, only_id)
            .says("key.deactivated")
            .on(Deleted, Refused(409))
            .on(Stopped, Still)
            .to("/keys?done=deactivated&key={id}"),
        form("/keys/{id}/delete", CHANGE, only_id)
            .says("key.deleted")
            .on(Deleted, Still)
            .to("/keys?done=deleted&key={id}"),
        form("/keys/{id}/edit", CHANGE, edit_key)
            .says("key.edited")
            .on(Deleted, Refused(409))
            .takes(EDIT_TAKES)
            .to("/keys?done=edited&key={id}"),
        form("/keys/{id}/restore", CHANGE, only_id)
            .says("key.restored")
            .still()
            .on(Deleted, Done)
            .to("/keys?done=restored&key={id}"),
        form("/login", Anyone, credentials).says("session.started").to("/keys"),
        form("/login/code", Leads("/login"), wrong_code),
        form("/logout", Anyone, nothing).says("session.ended").to("/login"),
        form("/projects/new", SignedIn, new_project).says("project.created"),
        form("/projects/{id}", Can(Action::Configure), save_config)
            .says("project.config_set")
            .looks(404)
            .to("/projects/{id}?done=saved"),
        form("/projects/{id}/archive", archive, only_id)
            .says("project.archived")
            .on(Archived, Still)
            .looks(403)
            .to("/projects/{id}?done=archived"),
        form("/projects/{id}/clients/new", configure, new_client)
            .says("client.registered")
            .looks(403)
            .to("/projects/{id}?done=registered"),
        form("/projects/{id}/clients/{client}/remove", configure, known_client)
            .says("client.removed")
            .looks(403)
            .to("/projects/{id}?done=client-removed"),
        form("/projects/{id}/edit", configure, rename)
            .says("project.renamed")
            .looks(403)
            .to("/projects/{id}?done=renamed"),
        form("/projects/{id}/grants/{grant}/revoke", manage, grant)
            .says("grant.revoked")
            .hides()
            .looks(403)
            .to("/projects/{id}?done=revoked"),
        form("/projects/{id}/invitations/{invitation}/withdraw", manage, withdraw)
            .says("invitation.withdrawn")
            .looks(403)
            .to("/projects/{id}?done=withdrawn"),
        form("/projects/{id}/invite", manage, invite)
            .says("member.invited")
            .on(Archived, Refused(409))
            .shows()
            .takes(&["email"])
            .looks(403),
        form("/projects/{id}/join", Either(Action::SeeKeys, Power::JoinAnyProject), join)
            .says("member.joined")
            .members(Refused(403))
            .proof_of_power()
            .to("/projects/{id}?done=joined"),
        form("/projects/{id}/keys/new", CHANGE, new_key)
            .says("key.created")
            .shows()
            .hides()
            .on(Archived, Refused(404))
            .takes(NEW_TAKES),
        form("/projects/{id}/keys/{key}/delete", CHANGE, only_id)
            .says("key.deleted")
            .on(Deleted, Still)
            .to("/projects/{project}/keys?done=deleted"),
        form("/projects/{id}/leave", SEE, only_id)
            .says("member.left")
            .owners(Refused(409))
            .looks(403)
            .to("/projects?done=left"),
        form("/projects/{id}/life", configure, life)
            .says("project.token_life_set")
            .looks(403)
            .to("/projects/{id}?done=life"),
        form("/projects/{id}/members/{user}/edit", manage, new_role)
            .says("member.role_changed")
            .looks(403)
            .to("/projects/{id}?done=role"),
        form("/projects/{id}/members/{user}/remove", manage, member)
            .says("member.removed")
            .looks(403)
            .to("/projects/{id}?done=removed"),
        form("/projects/{id}/scopes", Either(Action::SeeKeys, Power::ChooseScopes), offer)
            .says("project.scopes_set")
            .members(Refused(403))
            .proof_of_power()
            .takes(&["retire"])
            .to("/projects/{id}?done=scopes"),
        form("/projects/{id}/unarchive", archive, only_id)
            .says("project.unarchived")
            .still()
            .on(Archived, Done)
            .looks(403)
            .to("/projects/{id}?done=unarchived"),
        form("/reset", Anyone, new_email).on(Unnamed, Refused(409)),
        form("/reset/new", Over, wrong_reset),
        form("/settings/account", SignedIn, account).says("user.changed").to("/settings/account?done=saved"),
        form("/settings/security/grant", Only(Who::Owner), own_grant)
            .says("grant.revoked")
            .to("/settings/security?done=revoked"),
        form("/settings/security/password", SignedIn, new_password)
            .says("password.changed")
            .to("/settings/security?done=password"),
        form("/settings/security/recovery-codes", SignedIn, nothing).on(Unnamed, Refused(409)).proof(),
        form("/settings/security/second-factor", SignedIn, wrong_code)
            .on(Unnamed, Refused(422))
            .takes(&["sealed"])
            .proof()
            .varies(),
        form("/settings/security/second-factor/off", SignedIn, nothing).on(Unnamed, Refused(409)).proof(),
        form("/settings/security/session", Only(Who::Owner), session)
            .about(Session)
            .says("session.ended")
            .to("/settings/security?done=ended"),
        form("/settings/security/sessions", SignedIn, nothing)
            .says("sessions.ended")
            .to("/settings/security?done=others"),
        form("/settings/theme", Anyone, theme).still().to("/settings/account"),
        form("/setup", Leads("/login"), first_person),
        form("/signup", Over, new_email),
        form("/signup/new", Over, wrong_link),
    ]
}

/// Forms with other fields than in [`forms`], which have another effect.
pub fn variants() -> Vec<Row> {
    vec![
        form("/authorize", CHANGE, to_allow)
            .about(Project)
            .at(ASK)
            .says("grant.allowed")
            .on(Archived, Refused(409))
            .to("http://127.0.0.1:1/cb?code=…"),
    ]
}

/// The server functions, by name.
pub fn functions() -> Vec<Row> {
    vec![
        ask("keys/called", SEE, Key, only_id),
        ask("keys/say_expiry", SignedIn, Nothing, |_| vec![said("expires", "never")]),
        ask("keys/say_not_before", SignedIn, Nothing, |_| vec![said("not_before", "")]),
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
            How::Posted,
            Anyone,
            Nothing,
            |_| vec![said("client_id", "loopback")],
            Refused(400),
        ),
        posted("/oauth/introspect", |at| [client(at), vec![("token", "x".into())]].concat()),
        // Revocation works for a key in any state. No caller has the secret of the stopped key.
        Row::new(
            "/oauth/revoke",
            How::Posted,
            Secret,
            Key,
            |at| [client(at), vec![("token", "x".into())]].concat(),
            Still,
        )
        .on(Stopped, Refused(401))
        .on(Gone, Still),
        posted("/oauth/token", |at| [client(at), vec![("grant_type", "client_credentials".into())]].concat()).takes(&[
            "scope",
            "resource",
            "audience",
            "expires_in",
        ]),
        json("/authentication/token", Secret, |at| vec![("secret_key", at.secret.clone())])
            .on(Stopped, Refused(401))
            .on(Deleted, Refused(401))
            .on(Archived, Refused(401))
            .takes(&["expires_in"]),
        bearer("/pops/{id}/config", Token),
        bearer("/v1/auth", Gateway).about(Project).at("/v1/auth?project={id}"),
        bearer("/v1/auth/", ByToken),
        bearer("/v1/auth/{*rest}", ByToken).about(Nothing).at("/v1/auth/orders/7?project=theirs"),
        bearer("/v1/projects", Managed),
        bearer("/v1/projects/{id}", Managed),
        bearer("/v1/projects/{id}/config", Token),
        bearer("/v1/projects/{id}/keys", Managed),
        bearer("/v1/projects/{id}/keys/{key}", Managed).about(ProjectKey),
        Row { how: How::Json, ..bearer("/v1/projects/{id}/keys/{key}/activate", Managed).about(ProjectKey) },
        Row { how: How::Json, ..bearer("/v1/projects/{id}/keys/{key}/deactivate", Managed).about(ProjectKey) },
        Row { how: How::Json, ..bearer("/v1/projects/{id}/keys/{key}/restore", Managed).about(ProjectKey) },
        bearer("/healthz", Anyone),
        bearer("/metrics", Anyone).varies(),
        bearer("/openapi.json", Anyone),
        bearer("/readyz", Anyone),
        bearer("/sdk/v1.js", Anyone),
        bearer("/sdk/v1.d.ts", Anyone),
        json("/v1/keys/verify", Anyone, |at| vec![("key", at.secret.clone())]).takes(VERIFY_TAKES),
        // The endpoint requires a list, which `verify.rs` tests.
        Row { usual: Refused(422), ..json("/v1/keys/verify:batch", Anyone, |at| vec![("keys", at.secret.clone())]) },
    ]
}

/// Routes that are mounted next to pages and forms. A GET of the export redirects to its page (`audit.rs`). The OpenID
/// Connect routes are not found, because no provider is configured; `oidc.rs` tests the sign-in.
pub fn plain() -> Vec<Row> {
    vec![
        Row::new("/admin/audit/export", How::Form, Has(Power::ReadLog), Nothing, nothing, Noted)
            .says("audit.exported")
            .shows()
            .proof(),
        page("/docs/api", Anyone),
        page("/login/oidc", Over),
        page("/login/oidc/callback", Over),
        page("/settings/security/link", Over),
    ]
}

/// Forms with fields that require reauthentication, where the rows above do not require it.
pub fn dangerous() -> Vec<Row> {
    vec![
        form("/keys/new", CHANGE, for_ever)
            .about(Project)
            .says("key.created")
            .shows()
            .on(Archived, Refused(409))
            .proof(),
        form("/keys/{id}/edit", CHANGE, without_end)
            .says("key.edited")
            .on(Deleted, Refused(409))
            .proof()
            .to("/keys?done=edited&key={id}"),
        form("/projects/{id}/keys/new", CHANGE, for_ever)
            .says("key.created")
            .shows()
            .hides()
            .on(Archived, Refused(404))
            .proof(),
    ]
}
