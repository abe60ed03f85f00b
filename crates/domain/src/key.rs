//! A key as people see it: its name, its environment, its status at an instant.

use super::{
    expiry::ExpiryOption,
    ids::{KeyId, ProjectId},
    people::PersonChoice,
    project::ProjectName,
    scope::ScopeView,
    time::{Moment, Timestamp},
    usage::CallsToday,
};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Most characters (Unicode scalar values) in a key's name, and in "issued to".
pub const NAME_MAX: usize = 100;
/// How long a deleted key can be restored, in days.
pub const RESTORE_DAYS: i64 = 7;
/// Keys on one page of the list.
pub const PAGE_SIZE: usize = 50;
/// Most characters in the reason that an administrator gives.
pub const REASON_MAX: usize = 300;

/// A key's name: 1 to 100 characters in any script, without control characters, trimmed. A label, not unique.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KeyName(String);

/// Why a text is not a label, a text of one line that people write: a [`KeyName`], an "issued to" and the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LabelError {
    #[error("Give the key a name, so that you know it later.")]
    Empty,
    #[error("Use at most {most} characters. There are {count}.")]
    TooLong { most: usize, count: usize },
    #[error("Remove the line break or control character.")]
    Control,
    #[error("Use at least one visible character. This text has only invisible ones.")]
    Invisible,
}

/// Trims and checks a text of one line: the rule for every label that people write.
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

/// Characters that leave nothing to see or to press: white space, the blank of Braille, and what Unicode 17 lists as
/// `Default_Ignorable_Code_Point` (zero-width characters, joiners, variation selectors, fillers, tags). Joined to others they have
/// their use, in emoji and in many scripts.
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

/// Control characters, and the bidirectional overrides with which one name can be drawn as another.
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

/// Reads the optional "issued to": empty means nobody in particular.
///
/// # Errors
/// [`LabelError`], never `Empty`.
pub fn parse_issued_to(text: &str) -> Result<Option<String>, LabelError> {
    match label(text, NAME_MAX) {
        Ok(text) => Ok(Some(text)),
        Err(LabelError::Empty) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Why a text is not a [`Reason`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReasonError {
    #[error("Say why. The owner of the key reads it.")]
    Empty,
    #[error(transparent)]
    Label(LabelError),
}

/// Why an administrator changes a key: one line of 1 to 300 characters, trimmed. Its owner reads it.
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

/// Which world a key opens: it stands in the secret's prefix too.
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

/// Neither `live` nor `test`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Choose live or test.")]
pub struct UnknownEnvironment;

// A derived enum is read from a map as well, which is no environment.
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

/// The facts from which a status follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifecycle {
    pub active: bool,
    pub not_before: Option<Timestamp>,
    pub expires_at: Option<Timestamp>,
    pub deleted_at: Option<Timestamp>,
}

/// A key's status at an instant; computed, never stored.
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
    /// The first that holds of deleted, inactive, scheduled, expired, active. A key that expires at t is expired at t.
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
    /// As it stands in a URL and in `data-status`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deleted => "deleted",
            Self::Inactive => "inactive",
            Self::Scheduled => "scheduled",
            Self::Expired => "expired",
            Self::Active => "active",
        }
    }

    /// As it stands on the badge.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Deleted => "Deleted",
            Self::Inactive => "Inactive",
            Self::Scheduled => "Scheduled",
            Self::Expired => "Expired",
            Self::Active => "Active",
        }
    }
}

/// Not the name of a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("A status is active, scheduled, expired, inactive or deleted.")]
pub struct UnknownStatus;

impl FromStr for Status {
    type Err = UnknownStatus;

    fn from_str(text: &str) -> Result<Self, UnknownStatus> {
        let all = [Self::Deleted, Self::Inactive, Self::Scheduled, Self::Expired, Self::Active];
        all.into_iter().find(|status| status.as_str() == text).ok_or(UnknownStatus)
    }
}

/// What the last administrator who changed a key said of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    pub text: String,
    /// Their name at that time.
    pub by: String,
    pub at: Moment,
    /// Whether they stopped the key: only an administrator can start it again.
    pub held: bool,
}

/// How often a key may be used, as a page shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RateView {
    /// Calls in a period.
    pub calls: u32,
    /// `second`, `minute`, `hour` or `day`.
    pub per: String,
    /// Calls that may come at once after a rest.
    pub burst: u32,
    /// "100 calls a minute, 20 at once".
    pub words: String,
}

/// A key as a page shows it. Never the secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyView {
    pub id: KeyId,
    pub name: String,
    pub environment: Environment,
    /// `kw_live_3fA9`: the prefix and four characters.
    pub preview: String,
    pub project_id: ProjectId,
    pub project: String,
    pub scopes: Vec<String>,
    pub issued_to: Option<String>,
    /// The networks from which it may be used, in CIDR notation; none: from anywhere.
    pub networks: Vec<String>,
    /// `None`: it has worked since it was made.
    pub not_before: Option<Moment>,
    /// `None`: as often as anybody likes.
    pub rate_limit: Option<RateView>,
    pub status: Status,
    pub created: Moment,
    /// "You", or the maker's name.
    pub created_by: String,
    pub last_used: Option<Moment>,
    /// What became of the calls with it since the day began; set where one key is looked at.
    pub calls_today: Option<CallsToday>,
    /// `None`: never.
    pub expires: Option<Moment>,
    /// For a deleted key: the instant from which it cannot be restored.
    pub gone: Option<Moment>,
    /// Whether the person who asked may change it.
    pub may_change: bool,
    /// Whether they may activate or restore it: not while an administrator holds it, unless they asked as one.
    pub may_start: bool,
    pub note: Option<Note>,
    /// Which state of it this is: greater with every change but its use.
    pub version: i64,
    /// An owner of its project, by name; set for administrators only.
    pub owner: Option<String>,
    /// That owner's e-mail address; set for administrators only.
    pub owner_email: Option<String>,
    /// The instant for which all of it holds.
    pub now: Timestamp,
}

/// One page of the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyPage {
    pub keys: Vec<KeyView>,
    /// Goes into `?after=` for the page that follows.
    pub next: Option<String>,
    /// Keys that match, on all pages.
    pub total: u64,
    /// Of these, how many expire within seven days.
    pub expiring: u64,
    /// The projects whose keys the person sees, by name: the choices of the filter.
    pub projects: Vec<ProjectName>,
    /// Everybody who owns a project, by name: the choices of an administrator's filter, empty for anybody else.
    pub owners: Vec<PersonChoice>,
    /// Whether there is any key at all that is not deleted, whatever the filter says.
    pub any: bool,
    /// Deleted keys that can still be restored, whatever the filter says.
    pub deleted: u64,
    /// The instant for which all of it holds.
    pub now: Timestamp,
}

/// A key among those that an administrator has chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChosenKey {
    pub id: KeyId,
    pub name: String,
    pub project: String,
    pub status: Status,
}

/// What became of several keys that were to be deactivated, or deleted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChosenDone {
    /// They were to be deleted; else deactivated.
    pub deleted: bool,
    pub changed: u64,
    /// Those that were so before.
    pub same: u64,
    /// Those that could not be changed.
    pub left: Vec<ChosenLeft>,
}

/// A key that could not be changed with others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChosenLeft {
    pub name: String,
    pub why: String,
}

/// What the form that edits a key needs to be drawn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EditForm {
    pub key: KeyView,
    /// What the project offers, then what the key has although the project has ceased to offer it.
    pub offered: Vec<ScopeView>,
    /// The presets, and never, as far as the policy allows them; `keep` and `date` are the page's own.
    pub expiries: Vec<ExpiryOption>,
    /// What the policy says of the life of a key, if it says anything.
    pub policy: Option<String>,
    /// The name of the time zone in which dates end, and times are written.
    pub zone: String,
    /// The key's "not before" as the field takes it, to the minute: `2026-12-01T09:00`; empty: none.
    pub not_before: String,
    /// Goes back with the edit: it is refused if the key was changed meanwhile.
    pub version: i64,
    pub now: Timestamp,
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
        // A character counts once, whatever UTF-16 makes of it.
        assert!("😀".repeat(100).parse::<KeyName>().is_ok());
        let words = "😀".repeat(101).parse::<KeyName>().unwrap_err().to_string();
        assert_eq!(words, "Use at most 100 characters. There are 101.");
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
