//! Audit log for display: filters, events, and their messages.

use super::{
    project::ProjectName,
    time::{Moment, Timestamp},
};
use serde::{Deserialize, Serialize};

/// Number of events on one page of the log.
pub const PAGE_SIZE: usize = 50;
/// Number of events in one batch of the history of a key or a project.
pub const HISTORY_SIZE: usize = 10;

/// Category of an event, as a filter option.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Keys,
    Projects,
    People,
    SignIns,
    Settings,
    Log,
}

impl Kind {
    /// All categories, in the order of the menu.
    pub const ALL: [Self; 6] = [Self::Keys, Self::Projects, Self::People, Self::SignIns, Self::Settings, Self::Log];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Keys => "keys",
            Self::Projects => "projects",
            Self::People => "people",
            Self::SignIns => "sign_ins",
            Self::Settings => "settings",
            Self::Log => "log",
        }
    }

    /// The label in the menu.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Keys => "Keys",
            Self::Projects => "Projects and members",
            Self::People => "Users",
            Self::SignIns => "Sign-ins",
            Self::Settings => "Scopes, policy, and signing keys",
            Self::Log => "Audit log",
        }
    }

    /// Prefixes of the actions in this category.
    pub const fn prefixes(self) -> &'static [&'static str] {
        match self {
            Self::Keys => &["key.", "keys.", "token."],
            Self::Projects => &["project.", "member.", "invitation.", "client.", "grant."],
            Self::People => &["user.", "password.", "second_factor.", "recovery_codes.", "identity."],
            Self::SignIns => &["session.", "sessions.", "step_up."],
            Self::Settings => &["scope.", "policy.", "signing_key."],
            Self::Log => &["audit."],
        }
    }
}

/// Filter of the audit log page, encoded in its query string.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditFilter {
    /// Part of a user's name, or `user:<id>`, `operator`, `system`.
    pub who: String,
    pub kind: Option<Kind>,
    /// Part of a target's name, or `key:<id>` and the like, or `project:<id>` for all events in a project.
    pub thing: String,
    /// First day, such as `2026-11-13`, in the time zone of the requesting user. Empty: no lower bound.
    pub from: String,
    /// Last day. Empty: until now.
    pub to: String,
    /// Cursor: only events with a lower number.
    pub before: Option<i64>,
}

impl AuditFilter {
    /// Parses the query parameters of a URL. Unknown values are ignored, because anybody can write a URL.
    pub fn from_query(get: impl Fn(&str) -> Option<String>) -> Self {
        let text = |name: &str| {
            let value = get(name).unwrap_or_default();
            let value = value.trim();
            // PostgreSQL does not accept NUL in a text.
            if value.chars().count() > 200 || value.contains('\0') { String::new() } else { value.to_owned() }
        };
        let day = |name: &str| Some(text(name)).filter(|it| is_day(it)).unwrap_or_default();
        let kind = text("kind");
        Self {
            who: text("who"),
            kind: Kind::ALL.into_iter().find(|it| it.as_str() == kind),
            thing: text("thing"),
            from: day("from"),
            to: day("to"),
            before: text("before").parse().ok().filter(|seq| *seq > 0),
        }
    }

    /// Returns the query parameters with their values, without empty ones.
    pub fn to_query_pairs(&self) -> Vec<(&'static str, String)> {
        let mut pairs = vec![
            ("who", self.who.clone()),
            ("kind", self.kind.map(Kind::as_str).unwrap_or_default().to_owned()),
            ("thing", self.thing.clone()),
            ("from", self.from.clone()),
            ("to", self.to.clone()),
            ("before", self.before.map(|seq| seq.to_string()).unwrap_or_default()),
        ];
        pairs.retain(|(_, value)| !value.is_empty());
        pairs
    }

    /// Whether the filter excludes events that the default log contains.
    pub fn has_conditions(&self) -> bool {
        Self { before: None, ..self.clone() } != Self::default()
    }
}

/// Whether a text has the format of a date. The server checks whether the date exists.
fn is_day(text: &str) -> bool {
    let digits = |part: &str, n: usize| part.len() == n && part.bytes().all(|b| b.is_ascii_digit());
    matches!(text.split('-').collect::<Vec<_>>().as_slice(), [y, m, d] if digits(y, 4) && digits(m, 2) && digits(d, 2))
}

/// A changed value, formatted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ValueChange {
    pub what: String,
    pub before: Option<String>,
    pub after: Option<String>,
}

/// Details of an event that only administrators see.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventDetails {
    /// `user:<id>`, `operator` or `system`.
    pub actor: String,
    pub action: String,
    /// `key:<id>`.
    pub target: String,
    pub project: Option<ProjectName>,
    pub ip: Option<String>,
    pub agent: Option<String>,
    pub request_id: Option<String>,
    /// SHA-256, in hexadecimal.
    pub hash: String,
}

/// An event for display.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEvent {
    pub seq: i64,
    pub at: Moment,
    /// "14:31:52", in the time zone of the requesting user.
    pub time: String,
    /// The actor's name at that time.
    pub who: String,
    /// Whether the actor is the requesting user.
    pub own: bool,
    /// Role in which the actor acted: `owner`, `administrator`, …; `None` if it was not recorded.
    pub acting: Option<String>,
    /// Message: "deactivated the key “Nightly export”".
    pub message: String,
    pub reason: Option<String>,
    pub changed: Vec<ValueChange>,
    pub exact: Option<EventDetails>,
}

impl AuditEvent {
    /// Returns the role in which the actor acted, if it adds information to the actor's name.
    pub fn capacity(&self) -> Option<&str> {
        match self.acting.as_deref()? {
            "person" | "self" | "command line" | "keyward" => None,
            "program" => Some("API client"),
            role => Some(role),
        }
    }
}

/// State of the signed hash chain of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainState {
    /// Number of the last event.
    pub events: i64,
    /// Number of the last event covered by a signed checkpoint. 0: none.
    pub signed: i64,
    pub signed_at: Option<Moment>,
    /// Whether events have been unsigned for longer than expected.
    pub late: bool,
}

/// A page of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditPage {
    pub events: Vec<AuditEvent>,
    /// Cursor: number of the last event on this page, if there are older events.
    pub next: Option<i64>,
    pub chain: ChainState,
    pub now: Timestamp,
}

/// Part of the history of a key or a project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    pub events: Vec<AuditEvent>,
    /// Cursor: number of the last event in this part, if there are older events.
    pub next: Option<i64>,
    pub now: Timestamp,
}

/// An action, its message, and its message for actors who are the target themselves. `{}` is the quoted name of the
/// target.
type MessageTemplate = (&'static str, &'static str, Option<&'static str>);

/// Messages of all actions that the code records.
const MESSAGES: &[MessageTemplate] = &[
    ("audit.exported", "exported the audit log", None),
    ("client.registered", "registered the application {}", None),
    ("client.removed", "removed the application {}", None),
    ("grant.allowed", "granted the application {} access", None),
    ("grant.denied", "denied a device request of the application {}", None),
    ("grant.ended", "revoked a grant of the application {}", None),
    ("grant.lapsed", "revoked an unused grant of the application {}", None),
    ("grant.narrowed", "reduced the scopes of a grant of the application {}", None),
    ("grant.revoked", "revoked a grant of the application {}", None),
    (
        "identity.linked",
        "linked the account of {} to the identity provider",
        Some("linked their account to the identity provider"),
    ),
    ("invitation.withdrawn", "revoked the invitation of {}", None),
    ("key.activated", "activated the key {}", None),
    ("key.created", "created the key {}", None),
    ("key.deactivated", "deactivated the key {}", None),
    ("key.deleted", "deleted the key {}", None),
    ("key.edited", "edited the key {}", None),
    ("key.purged", "permanently removed the deleted key {}", None),
    ("key.restored", "restored the key {}", None),
    ("keys.filled", "added {} to the demo data", None),
    ("member.added", "added {} to the project", None),
    ("member.invited", "created an invitation to the project {}", None),
    ("member.joined", "added {} to the project", Some("joined the project")),
    ("member.left", "removed {} from the project", Some("left the project")),
    ("member.removed", "removed {} from the project", Some("left the project")),
    ("member.role_changed", "changed the role of {} in the project", None),
    ("password.changed", "changed the password of {}", Some("changed their password")),
    ("password.refused", "rejected a password change of {}", Some("entered a wrong current password")),
    ("password.reset", "set a new password for {}", Some("set a new password with a reset link")),
    ("password.reset_asked", "created a password reset link for {}", Some("requested a password reset link")),
    ("policy.changed", "changed the policy", None),
    ("project.archived", "archived the project {}", None),
    ("project.config_set", "set the config of the project {}", None),
    ("project.created", "created the project {}", None),
    ("project.renamed", "renamed the project {}", None),
    ("project.scopes_set", "changed the scopes that the project {} offers", None),
    ("project.seen_by_administrator", "viewed the project {} as an administrator", None),
    ("project.token_life_set", "set the maximum token lifetime of the project {}", None),
    ("project.transferred", "transferred the project {} to another owner", None),
    ("project.unarchived", "unarchived the project {}", None),
    ("recovery_codes.made", "created new recovery codes for {}", Some("created new recovery codes")),
    ("scope.added", "added the scope {}", None),
    ("scope.edited", "edited the scope {}", None),
    ("scope.removed", "deleted the scope {}", None),
    ("scope.retired", "retired the scope {}", None),
    ("scope.unretired", "offered the scope {} again", None),
    (
        "second_factor.enrolled",
        "turned on two-factor authentication for {}",
        Some("turned on two-factor authentication"),
    ),
    ("second_factor.refused", "rejected a two-factor code of {}", Some("entered a wrong two-factor code")),
    (
        "second_factor.removed",
        "turned off two-factor authentication for {}",
        Some("turned off two-factor authentication"),
    ),
    ("session.ended", "ended a session of {}", Some("signed out")),
    ("session.refused", "rejected a sign-in as {}", Some("failed to sign in")),
    ("session.started", "signed {} in", Some("signed in")),
    ("sessions.ended", "ended the sessions of {}", Some("ended their other sessions")),
    ("signing_key.created", "created the signing key {}", None),
    ("signing_key.discarded", "discarded the signing key {} and invalidated all tokens that it signed", None),
    ("signing_key.published", "published the next signing key {}", None),
    ("signing_key.retired", "removed the signing key {}, which has no valid tokens", None),
    ("step_up.passed", "confirmed the identity of {}", Some("confirmed their identity")),
    ("step_up.refused", "rejected an identity confirmation of {}", Some("failed to confirm their identity")),
    ("token.revoked", "revoked a token of {}", None),
    ("user.changed", "changed the account of {}", Some("changed their account")),
    ("user.created", "created the account of {}", None),
    ("user.deleted", "deleted the account of {}", Some("deleted their account")),
    ("user.disabled", "disabled the account of {}", None),
    ("user.enabled", "enabled the account of {}", None),
    ("user.invited", "invited {}", None),
    ("user.made_administrator", "added the administrator role to {}", None),
    ("user.signed_up", "signed up {}", Some("signed up")),
    (
        "user.unmade_administrator",
        "removed the administrator role from {}",
        Some("removed their own administrator role"),
    ),
];

/// Iterates over all actions.
pub fn actions() -> impl Iterator<Item = &'static str> {
    MESSAGES.iter().map(|(action, ..)| *action)
}

/// Whether an action has a message.
pub fn has_message(action: &str) -> bool {
    MESSAGES.iter().any(|(it, ..)| *it == action)
}

/// Formats the message of an event, to follow the actor's name. `own`: the actor is the target. An unknown action is
/// named by its code.
pub fn format_message(action: &str, thing: &str, own: bool) -> String {
    let name = if thing.is_empty() { "an unknown user".to_owned() } else { format!("“{thing}”") };
    match MESSAGES.iter().find(|(it, ..)| *it == action) {
        Some((_, _, Some(sentence))) if own => sentence.replace("{}", &name),
        Some((_, sentence, _)) => sentence.replace("{}", &name),
        None if thing.is_empty() => format!("performed “{action}”"),
        None => format!("performed “{action}” on {name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> AuditFilter {
        let pairs: Vec<_> = query.split('&').filter_map(|pair| pair.split_once('=')).collect();
        AuditFilter::from_query(|name| Some(pairs.iter().find(|(it, _)| *it == name)?.1.to_owned()))
    }

    #[test]
    fn what_was_done_in_words() {
        assert_eq!(format_message("key.deactivated", "Nightly export", false), "deactivated the key “Nightly export”");
        assert_eq!(format_message("session.started", "Maren", true), "signed in");
        assert_eq!(format_message("session.refused", "", false), "rejected a sign-in as an unknown user");
        assert_eq!(format_message("password.changed", "Maren", false), "changed the password of “Maren”");
        assert_eq!(format_message("tide.turned", "Bay {}", false), "performed “tide.turned” on “Bay {}”");
        assert_eq!(format_message("key.created", "{}", false), "created the key “{}”");
    }

    #[test]
    fn the_table_is_in_order_and_every_action_has_a_kind() {
        assert!(MESSAGES.is_sorted_by_key(|(action, ..)| *action));
        for (action, ..) in MESSAGES {
            let kinds = Kind::ALL.into_iter().filter(|kind| kind.prefixes().iter().any(|it| action.starts_with(it)));
            assert_eq!(kinds.count(), 1, "{action}");
        }
    }

    #[test]
    fn a_filter_round_trips_and_what_is_unknown_counts_as_not_said() {
        let filter = read("who=Maren&kind=sign_ins&thing=key:1&from=2026-11-13&to=2026-11-20&before=42");
        assert_eq!(filter.kind, Some(Kind::SignIns));
        assert!(filter.has_conditions());
        let pairs: Vec<_> =
            filter.to_query_pairs().into_iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(read(&pairs.join("&")), filter);
        assert_eq!(read("kind=tides&from=yesterday&to=2026-1-1&before=-3&who=%00&x=y").who, "%00");
        assert_eq!(read("kind=tides&from=yesterday&to=2026-1-1&before=-3&who=\0&x=y"), AuditFilter::default());
        assert!(!read("before=3").has_conditions());
    }
}
