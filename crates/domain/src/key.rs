//! API keys: names, environments, lifecycle status, and the key as use cases return it.

use super::{
    expiry::ExpiryOption,
    ids::{KeyId, ProjectId, UserId},
    network::Networks,
    people::PersonChoice,
    project::ProjectName,
    rate::RateLimit,
    scope::ScopeView,
    time::Timestamp,
    usage::CallsToday,
};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Maximum length of a key's name and of "issued to", in characters (Unicode scalar values).
pub const NAME_MAX: usize = 100;
/// Maximum length of a key's description, in characters. A line break is one character.
pub const DESCRIPTION_MAX: usize = 500;
/// Period in which a deleted key can be restored, in days.
pub const RESTORE_DAYS: i64 = 7;
/// Number of keys on one page of the list.
pub const PAGE_SIZE: usize = 50;
/// Maximum length of an administrator's reason, in characters.
pub const REASON_MAX: usize = 300;

/// A key's name: 1 to 100 characters in any script, without control characters, trimmed. A label, not unique.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KeyName(String);

/// Validation error of a label: a one-line text written by a user, such as a [`KeyName`] or "issued to".
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LabelError {
    #[error("Enter a name for the key.")]
    Empty,
    #[error("Use at most {most} characters. You entered {count}.")]
    TooLong { most: usize, count: usize },
    #[error("Remove the line break or control character.")]
    Control,
    #[error("Use at least one visible character.")]
    Invisible,
}

/// Trims and validates a one-line text of at most `most` characters. All labels that users write share this rule.
pub(super) fn label(text: &str, most: usize) -> Result<String, LabelError> {
    let text = text.trim();
    let count = text.chars().count();
    if text.is_empty() {
        Err(LabelError::Empty)
    } else if count > most {
        Err(LabelError::TooLong { most, count })
    } else if text.chars().any(is_unprintable) {
        Err(LabelError::Control)
    } else if text.chars().all(is_invisible) {
        Err(LabelError::Invisible)
    } else {
        Ok(text.to_owned())
    }
}

/// Returns whether a character has no visible glyph: white space, the Braille blank, and the
/// `Default_Ignorable_Code_Point` characters of Unicode 17 (zero-width characters, joiners, variation selectors,
/// fillers, tags).
///
/// A label may contain such characters next to visible ones: emoji and many scripts need them.
pub(super) fn is_invisible(c: char) -> bool {
    c.is_whitespace()
        || matches!(
            c,
            '\u{00AD}'
                | '\u{034F}'
                | '\u{061C}'
                | '\u{115F}'
                | '\u{1160}'
                | '\u{17B4}'
                | '\u{17B5}'
                | '\u{2800}'
                | '\u{3164}'
                | '\u{FEFF}'
                | '\u{FFA0}'
        )
        || matches!(c, '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}'
            | '\u{FE00}'..='\u{FE0F}' | '\u{FFF0}'..='\u{FFF8}' | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}'
            | '\u{E0000}'..='\u{E0FFF}')
}

/// Returns whether a character is a control character, a line or paragraph separator, or a bidirectional override.
/// Bidirectional overrides can make one name look like another.
pub(super) fn is_unprintable(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

impl FromStr for KeyName {
    type Err = LabelError;

    fn from_str(text: &str) -> Result<Self, LabelError> {
        label(text, NAME_MAX).map(Self)
    }
}

impl TryFrom<String> for KeyName {
    type Error = LabelError;

    fn try_from(text: String) -> Result<Self, LabelError> {
        text.parse()
    }
}

impl From<KeyName> for String {
    fn from(name: KeyName) -> Self {
        name.0
    }
}

impl KeyName {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Parses the optional "issued to". An empty text is `None`: the key is issued to no particular recipient.
pub fn parse_issued_to(text: &str) -> Result<Option<String>, LabelError> {
    match label(text, NAME_MAX) {
        Ok(text) => Ok(Some(text)),
        Err(LabelError::Empty) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Validation error of a key's description.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DescriptionError {
    #[error("Remove the tab or control character.")]
    Control,
    #[error(transparent)]
    Label(LabelError),
}

/// Parses the optional description of a key: at most 500 characters on one or more lines, trimmed. An empty text is
/// `None`.
///
/// A line break is LF. Forms send CR LF, which counts as one character.
pub fn parse_description(text: &str) -> Result<Option<String>, DescriptionError> {
    let text = text.replace("\r\n", "\n");
    let text = text.trim();
    // Apart from its line breaks, it follows the rules of a label.
    match label(&text.replace('\n', " "), DESCRIPTION_MAX) {
        Ok(_) => Ok(Some(text.to_owned())),
        Err(LabelError::Empty) => Ok(None),
        Err(LabelError::Control) => Err(DescriptionError::Control),
        Err(error) => Err(DescriptionError::Label(error)),
    }
}

/// Validation error of a [`Reason`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReasonError {
    #[error("Enter a reason. The owner of the key sees it.")]
    Empty,
    #[error(transparent)]
    Label(LabelError),
}

/// An administrator's reason for a change of a key: one line of 1 to 300 characters, trimmed. The owner of the key
/// sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason(String);

impl FromStr for Reason {
    type Err = ReasonError;

    fn from_str(text: &str) -> Result<Self, ReasonError> {
        label(text, REASON_MAX).map(Self).map_err(|error| match error {
            LabelError::Empty => ReasonError::Empty,
            other => ReasonError::Label(other),
        })
    }
}

impl Reason {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Environment that a key is valid for. The prefix of the secret contains it too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", try_from = "String")]
pub enum Environment {
    #[default]
    Live,
    Test,
}

impl Environment {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Test => "test",
        }
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Parse error: neither `live` nor `test`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Choose live or test.")]
pub struct UnknownEnvironment;

// A derived `Deserialize` also accepts a map, which is not a valid environment.
impl TryFrom<String> for Environment {
    type Error = UnknownEnvironment;

    fn try_from(text: String) -> Result<Self, UnknownEnvironment> {
        text.parse()
    }
}

impl FromStr for Environment {
    type Err = UnknownEnvironment;

    fn from_str(text: &str) -> Result<Self, UnknownEnvironment> {
        match text {
            "live" => Ok(Self::Live),
            "test" => Ok(Self::Test),
            _ => Err(UnknownEnvironment),
        }
    }
}

/// Stored fields from which the status of a key is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifecycle {
    pub active: bool,
    pub not_before: Option<Timestamp>,
    pub expires_at: Option<Timestamp>,
    pub deleted_at: Option<Timestamp>,
}

/// Status of a key at a given instant. It is computed and never stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    Deleted,
    Inactive,
    Scheduled,
    Expired,
    Active,
}

impl Lifecycle {
    /// Returns the first status that applies: deleted, inactive, scheduled, expired, active. A key that expires at t
    /// has the status expired at t.
    pub fn status(&self, now: Timestamp) -> Status {
        if self.deleted_at.is_some() {
            Status::Deleted
        } else if !self.active {
            Status::Inactive
        } else if self.not_before.is_some_and(|t| now < t) {
            Status::Scheduled
        } else if self.expires_at.is_some_and(|t| now >= t) {
            Status::Expired
        } else {
            Status::Active
        }
    }
}

impl Status {
    /// The identifier in URLs and in `data-status`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deleted => "deleted",
            Self::Inactive => "inactive",
            Self::Scheduled => "scheduled",
            Self::Expired => "expired",
            Self::Active => "active",
        }
    }

    /// The label on the status badge.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Deleted => "Deleted",
            Self::Inactive => "Inactive",
            Self::Scheduled => "Scheduled",
            Self::Expired => "Expired",
            Self::Active => "Active",
        }
    }
}

/// Parse error: unknown status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("The status must be active, scheduled, expired, inactive, or deleted.")]
pub struct UnknownStatus;

impl FromStr for Status {
    type Err = UnknownStatus;

    fn from_str(text: &str) -> Result<Self, UnknownStatus> {
        let all = [Self::Deleted, Self::Inactive, Self::Scheduled, Self::Expired, Self::Active];
        all.into_iter().find(|status| status.as_str() == text).ok_or(UnknownStatus)
    }
}

/// Note of the last administrator who changed a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    pub text: String,
    /// The administrator's name at that time.
    pub by: String,
    pub at: Timestamp,
    /// Whether the administrator stopped the key. Then only an administrator can activate it again.
    pub held: bool,
}

/// A key, with what the requesting actor may do with it. It never contains the secret, and no text that depends on a
/// time zone or a language: pages, the API, and the command line format it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    pub id: KeyId,
    pub project_id: ProjectId,
    /// The name of the project.
    pub project: String,
    pub name: String,
    pub environment: Environment,
    /// The prefix and four characters of the secret: `kw_live_3fA9`.
    pub preview: String,
    pub scopes: Vec<String>,
    pub issued_to: Option<String>,
    /// On one or more lines, separated by LF.
    pub description: Option<String>,
    pub networks: Networks,
    /// Start of validity. `None`: valid since its creation.
    pub not_before: Option<Timestamp>,
    /// `None`: never expires.
    pub expires_at: Option<Timestamp>,
    /// `None`: no rate limit.
    pub rate_limit: Option<RateLimit>,
    pub status: Status,
    pub note: Option<Note>,
    pub created_at: Timestamp,
    /// The user who created the key. `None` for the command line and for a program.
    pub created_by: Option<UserId>,
    /// The name of the creator at that time.
    pub created_by_name: String,
    pub last_used_at: Option<Timestamp>,
    /// Calls with the key since the start of the day, by result. Set only where a single key is shown to a user.
    pub calls_today: Option<CallsToday>,
    /// For a deleted key: the instant from which it cannot be restored.
    pub purge_at: Option<Timestamp>,
    /// Version of the key. It increases with every change except a use.
    pub version: i64,
    /// Whether the requesting user may change the key.
    pub may_change: bool,
    /// Whether the requesting user may activate or restore the key. False while an administrator has stopped it, unless
    /// the user acts as an administrator.
    pub may_start: bool,
    /// Name of an owner of the key's project. Set for administrators only.
    pub owner: Option<String>,
    /// Email address of that owner. Set for administrators only.
    pub owner_email: Option<String>,
    /// Instant at which all fields were computed.
    pub now: Timestamp,
}

/// One page of the list of keys, each as a `K`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyPage<K = Key> {
    pub keys: Vec<K>,
    /// Cursor of the next page, for `?after=`.
    pub next: Option<String>,
    /// Cursor of the previous page, for `?before=`.
    pub previous: Option<String>,
    /// Number of keys on the pages before this one. While keys are added and removed, it is that of the user's way through
    /// the pages.
    pub position: u64,
    /// Number of matching keys on all pages.
    pub total: u64,
    /// Number of matching keys that expire within seven days.
    pub expiring: u64,
    /// Projects whose keys the user can see, by name: the options of the project filter.
    pub projects: Vec<ProjectName>,
    /// All project owners, by name: the options of the administrator's owner filter. Empty for other users.
    pub owners: Vec<PersonChoice>,
    /// Whether at least one key that is not deleted exists, regardless of the filter.
    pub any: bool,
    /// Number of deleted keys that can still be restored, regardless of the filter.
    pub deleted: u64,
    /// Instant at which all fields were computed.
    pub now: Timestamp,
}

impl KeyPage {
    /// Converts each key, for example into the view of a page.
    pub fn map<K>(self, convert: impl FnMut(Key) -> K) -> KeyPage<K> {
        let Self { keys, next, previous, position, total, expiring, projects, owners, any, deleted, now } = self;
        let keys = keys.into_iter().map(convert).collect();
        KeyPage { keys, next, previous, position, total, expiring, projects, owners, any, deleted, now }
    }
}

/// A key that an administrator selected for a bulk action.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SelectedKey {
    pub id: KeyId,
    pub name: String,
    pub project: String,
    pub status: Status,
}

/// Result of a bulk deactivation or deletion.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BulkResult {
    /// Whether the action was a deletion. Otherwise it was a deactivation.
    pub deleted: bool,
    pub changed: u64,
    /// Number of keys that already had the requested state.
    pub same: u64,
    /// Keys that could not be changed.
    pub left: Vec<BulkFailure>,
}

/// A key that a bulk action could not change, with the reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BulkFailure {
    pub name: String,
    pub why: String,
}

/// Data of the form that edits a key, which is a `K`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EditForm<K = Key> {
    pub key: K,
    /// Scopes that the project offers, followed by scopes that the key has but the project no longer offers.
    pub offered: Vec<ScopeView>,
    /// Presets and "never", as far as the policy allows them. The page adds `keep` and `date` itself.
    pub expiries: Vec<ExpiryOption>,
    /// Description of the policy's rule for key lifetimes, if there is one.
    pub policy: Option<String>,
    /// Name of the time zone in which dates end and times are formatted.
    pub zone: String,
    /// "Not before" as the value of its form field, to the minute: `2026-12-01T09:00`. Empty: none.
    pub not_before: String,
    /// Version for optimistic locking: the edit is denied if the key changed since the form was loaded.
    pub version: i64,
    pub now: Timestamp,
}

impl EditForm {
    /// Converts the key, for example into the view of a page.
    pub fn map<K>(self, convert: impl FnOnce(Key) -> K) -> EditForm<K> {
        let Self { key, offered, expiries, policy, zone, not_before, version, now } = self;
        EditForm { key: convert(key), offered, expiries, policy, zone, not_before, version, now }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_000);

    fn living() -> Lifecycle {
        Lifecycle { active: true, not_before: None, expires_at: None, deleted_at: None }
    }

    #[test]
    fn the_first_status_that_holds_wins() {
        let earlier = Some(NOW.plus_seconds(-1));
        let later = Some(NOW.plus_seconds(1));
        let all = Lifecycle { active: false, not_before: later, expires_at: earlier, deleted_at: earlier };
        assert_eq!(all.status(NOW), Status::Deleted);
        assert_eq!(Lifecycle { deleted_at: None, ..all }.status(NOW), Status::Inactive);
        assert_eq!(Lifecycle { deleted_at: None, active: true, ..all }.status(NOW), Status::Scheduled);
        assert_eq!(Lifecycle { expires_at: earlier, ..living() }.status(NOW), Status::Expired);
        assert_eq!(living().status(NOW), Status::Active);
    }

    #[test]
    fn edges_belong_to_the_later_status() {
        assert_eq!(Lifecycle { expires_at: Some(NOW), ..living() }.status(NOW), Status::Expired);
        assert_eq!(Lifecycle { expires_at: Some(NOW), ..living() }.status(NOW.plus_seconds(-1)), Status::Active);
        assert_eq!(Lifecycle { not_before: Some(NOW), ..living() }.status(NOW), Status::Active);
    }

    #[test]
    fn names_are_any_script_and_one_line() {
        assert_eq!("  Boje 7, Ærø 🌊 ".parse::<KeyName>().unwrap().as_str(), "Boje 7, Ærø 🌊");
        assert_eq!("é".repeat(100).parse::<KeyName>().unwrap().as_str().chars().count(), 100);
        assert_eq!("é".repeat(101).parse::<KeyName>(), Err(LabelError::TooLong { most: 100, count: 101 }));
        assert_eq!(" \t ".parse::<KeyName>(), Err(LabelError::Empty));
        assert_eq!("a\nb".parse::<KeyName>(), Err(LabelError::Control));
        assert_eq!("pay\u{202E}lave".parse::<KeyName>(), Err(LabelError::Control));
        assert_eq!(parse_issued_to("  "), Ok(None));
    }

    #[test]
    fn a_label_has_something_to_see() {
        for text in [
            "\u{200B}",
            "\u{2060}\u{200D} \u{FEFF}",
            "\u{3164}",
            "\u{00AD}\u{00AD}",
            "\u{2800}",
            "\u{E0041}\u{FE0F}",
            "\u{115F}\u{034F}",
        ] {
            assert_eq!(text.parse::<KeyName>(), Err(LabelError::Invisible), "{text:?}");
            assert_eq!(parse_issued_to(text), Err(LabelError::Invisible), "{text:?}");
            assert_eq!(text.parse::<Reason>(), Err(ReasonError::Label(LabelError::Invisible)), "{text:?}");
        }
        for text in ["👩\u{200D}🔧", "क\u{94D}\u{200D}ष", "\u{200B}a", "☎\u{FE0F}", "é", "e\u{301}"] {
            assert_eq!(text.parse::<KeyName>().unwrap().as_str(), text);
        }
        // The limit counts Unicode scalar values, not UTF-16 code units.
        assert!("😀".repeat(100).parse::<KeyName>().is_ok());
        let words = "😀".repeat(101).parse::<KeyName>().unwrap_err().to_string();
        assert_eq!(words, "Use at most 100 characters. You entered 101.");
    }

    #[test]
    fn a_description_has_lines() {
        let parse = |text: &str| parse_description(text).map(Option::unwrap_or_default);
        assert_eq!(parse(" Ночная выгрузка\r\n\r\nfor berth 7 🌊\n"), Ok("Ночная выгрузка\n\nfor berth 7 🌊".into()));
        assert_eq!(parse_description(" \r\n "), Ok(None));
        assert!(parse(&format!("{}\r\n{}", "я".repeat(250), "😀".repeat(249))).is_ok());
        let long = parse(&format!("{}\r\n{}", "я".repeat(250), "😀".repeat(250)));
        assert_eq!(long, Err(DescriptionError::Label(LabelError::TooLong { most: 500, count: 501 })));
        assert_eq!(long.unwrap_err().to_string(), "Use at most 500 characters. You entered 501.");
        for text in ["a\tb", "a\rb", "pay\u{202E}lave", "a\0"] {
            assert_eq!(parse(text), Err(DescriptionError::Control), "{text:?}");
        }
        assert_eq!(parse("\u{200B}\n\u{3164}"), Err(DescriptionError::Label(LabelError::Invisible)));
    }

    #[test]
    fn a_reason_is_one_line() {
        assert_eq!(
            " Found in a public repository. ".parse::<Reason>().unwrap().as_str(),
            "Found in a public repository."
        );
        assert!("é".repeat(300).parse::<Reason>().is_ok());
        assert_eq!(
            "é".repeat(301).parse::<Reason>(),
            Err(ReasonError::Label(LabelError::TooLong { most: 300, count: 301 }))
        );
        assert_eq!(" \n ".parse::<Reason>(), Err(ReasonError::Empty));
        assert_eq!("a\nb".parse::<Reason>(), Err(ReasonError::Label(LabelError::Control)));
    }

    #[test]
    fn statuses_round_trip() {
        for status in [Status::Deleted, Status::Inactive, Status::Scheduled, Status::Expired, Status::Active] {
            assert_eq!(status.as_str().parse(), Ok(status));
        }
        assert_eq!("Active".parse::<Status>(), Err(UnknownStatus));
    }
}
