//! A key as people see it: its name, its environment, its status at an instant.

use super::{
    ids::{KeyId, ProjectId},
    time::{Moment, Timestamp},
};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Most characters (Unicode scalar values) in a key's name, and in "issued to".
pub const NAME_MAX: usize = 100;
/// How long a deleted key can be restored, in days.
pub const RESTORE_DAYS: i64 = 7;
/// Keys on one page of the list.
pub const PAGE_SIZE: usize = 50;

/// A key's name: 1 to 100 characters in any script, without control characters, trimmed. A label, not unique.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KeyName(String);

/// Why a text is not a [`KeyName`] or not an "issued to".
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LabelError {
    #[error("Give the key a name, so that you know it later.")]
    Empty,
    #[error("Use at most 100 characters.")]
    TooLong,
    #[error("Remove the line break or control character.")]
    Control,
}

/// Trims and checks a label of one line.
fn label(text: &str) -> Result<String, LabelError> {
    let text = text.trim();
    if text.is_empty() {
        Err(LabelError::Empty)
    } else if text.chars().count() > NAME_MAX {
        Err(LabelError::TooLong)
    } else if text.chars().any(is_unprintable) {
        Err(LabelError::Control)
    } else {
        Ok(text.to_owned())
    }
}

/// Control characters, and the bidirectional overrides with which one name can be drawn as another.
fn is_unprintable(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

impl FromStr for KeyName {
    type Err = LabelError;

    fn from_str(text: &str) -> Result<Self, LabelError> {
        label(text).map(Self)
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
    match label(text) {
        Ok(text) => Ok(Some(text)),
        Err(LabelError::Empty) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Which world a key opens: it stands in the secret's prefix too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
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
    pub status: Status,
    pub created: Moment,
    /// "You", or the maker's name.
    pub created_by: String,
    pub last_used: Option<Moment>,
    /// `None`: never.
    pub expires: Option<Moment>,
    /// For a deleted key: the instant from which it cannot be restored.
    pub gone: Option<Moment>,
    /// Whether the person who asked may change it.
    pub may_change: bool,
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
    /// The instant for which all of it holds.
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
        assert_eq!("é".repeat(101).parse::<KeyName>(), Err(LabelError::TooLong));
        assert_eq!(" \t ".parse::<KeyName>(), Err(LabelError::Empty));
        assert_eq!("a\nb".parse::<KeyName>(), Err(LabelError::Control));
        assert_eq!("pay\u{202E}lave".parse::<KeyName>(), Err(LabelError::Control));
        assert_eq!(parse_issued_to("  "), Ok(None));
    }
}
