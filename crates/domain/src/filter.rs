//! Filter and sort order of a key list, and their encoding in the query string of the page.

use super::{
    ids::{ProjectId, UserId},
    key::{Environment, Status},
};
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, str::FromStr};

/// Sort order of a list. Equal keys are sorted newest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sort {
    /// Active first, then scheduled, expired, inactive.
    #[default]
    Status,
    Newest,
    Name,
    /// By last use, latest first. Unused keys come last.
    Used,
    /// By expiry: keys that expire next first, then keys that never expire, then expired keys, latest first.
    Expires,
}

impl Sort {
    /// All sort orders, in the order of the menu.
    pub const ALL: [Self; 5] = [Self::Status, Self::Newest, Self::Name, Self::Used, Self::Expires];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Newest => "newest",
            Self::Name => "name",
            Self::Used => "used",
            Self::Expires => "expires",
        }
    }
}

/// Parse error: unknown sort order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Sort by status, newest, name, used, or expires.")]
pub struct UnknownSort;

impl FromStr for Sort {
    type Err = UnknownSort;

    fn from_str(text: &str) -> Result<Self, UnknownSort> {
        Self::ALL.into_iter().find(|sort| sort.as_str() == text).ok_or(UnknownSort)
    }
}

/// Predefined filter for administrators: keys that need a review.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReviewFilter {
    /// Not used for 90 days. For a key that was never used, the period starts at its creation.
    Unused,
    /// Never expires.
    NoExpiry,
    /// The creator is no longer a member of the project, or cannot sign in.
    Orphaned,
}

/// Number of days without use after which a key is [`ReviewFilter::Unused`].
pub const UNUSED_DAYS: i64 = 90;

impl ReviewFilter {
    /// All predefined filters, in the order of the page.
    pub const ALL: [Self; 3] = [Self::Unused, Self::NoExpiry, Self::Orphaned];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unused => "unused",
            Self::NoExpiry => "endless",
            Self::Orphaned => "left",
        }
    }

    /// The label on the page.
    pub fn label(self) -> Cow<'static, str> {
        match self {
            Self::Unused => format!("Unused for {UNUSED_DAYS} days").into(),
            Self::NoExpiry => "Never expires".into(),
            Self::Orphaned => "Creator has left".into(),
        }
    }
}

/// Parse error: unknown predefined filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("The view must be unused, endless, or left.")]
pub struct UnknownView;

impl FromStr for ReviewFilter {
    type Err = UnknownView;

    fn from_str(text: &str) -> Result<Self, UnknownView> {
        Self::ALL.into_iter().find(|view| view.as_str() == text).ok_or(UnknownView)
    }
}

/// Filter by expiry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExpiryFilter {
    /// Not expired, and expires within [`EXPIRING_DAYS`].
    Soon,
}

/// Keys that expire within this number of days expire soon.
pub const EXPIRING_DAYS: i64 = 7;

impl ExpiryFilter {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Soon => "within-7d",
        }
    }
}

/// Parse error: unknown expiry filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("The expiry must be within-7d.")]
pub struct UnknownExpiry;

impl FromStr for ExpiryFilter {
    type Err = UnknownExpiry;

    fn from_str(text: &str) -> Result<Self, UnknownExpiry> {
        if text == Self::Soon.as_str() { Ok(Self::Soon) } else { Err(UnknownExpiry) }
    }
}

/// Prefix of a cursor whose page ends before its key, instead of beginning after it: the value of `?before=`.
pub const BEFORE: &str = "before:";

/// Filter and sort order of a list of keys.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyFilter {
    /// `None`: all keys that are not deleted.
    pub status: Option<Status>,
    pub project: Option<ProjectId>,
    pub environment: Option<Environment>,
    pub expires: Option<ExpiryFilter>,
    /// Only keys of projects that this user owns. For administrators only.
    pub owner: Option<UserId>,
    /// For administrators only.
    pub view: Option<ReviewFilter>,
    pub sort: Sort,
}

impl KeyFilter {
    /// Parses the query parameters of a URL. Unknown values are ignored, because anybody can write a URL.
    pub fn from_query(get: impl Fn(&str) -> Option<String>) -> Self {
        fn parsed<T: FromStr>(text: Option<String>) -> Option<T> {
            text?.parse().ok()
        }
        Self {
            status: parsed(get("status")),
            project: parsed(get("project")),
            environment: parsed(get("environment")),
            expires: parsed(get("expires")),
            owner: parsed(get("owner")),
            view: parsed(get("view")),
            sort: parsed(get("sort")).unwrap_or_default(),
        }
    }

    /// Returns the query string that [`Self::read`] parses, without default values. Empty for the default filter.
    pub fn to_query(&self) -> String {
        let sort = (self.sort != Sort::default()).then(|| self.sort.as_str().to_owned());
        let parts = [
            ("status", self.status.map(|it| it.as_str().to_owned())),
            ("project", self.project.map(|it| it.to_string())),
            ("environment", self.environment.map(|it| it.as_str().to_owned())),
            ("expires", self.expires.map(|it| it.as_str().to_owned())),
            ("owner", self.owner.map(|it| it.to_string())),
            ("view", self.view.map(|it| it.as_str().to_owned())),
            ("sort", sort),
        ];
        let pairs = parts.into_iter().filter_map(|(name, value)| Some(format!("{name}={}", value?)));
        pairs.collect::<Vec<_>>().join("&")
    }

    /// Whether this is the default: all keys that are not deleted, in the default order.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Whether the filter excludes keys that the default list contains.
    pub fn has_conditions(&self) -> bool {
        self.status.is_some()
            || self.project.is_some()
            || self.environment.is_some()
            || self.expires.is_some()
            || self.owner.is_some()
            || self.view.is_some()
    }

    /// Removes the filters that only administrators may use.
    pub fn for_members(self) -> Self {
        Self { owner: None, view: None, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> KeyFilter {
        let pairs: Vec<_> = query.split('&').filter_map(|pair| pair.split_once('=')).collect();
        KeyFilter::from_query(|name| Some(pairs.iter().find(|(it, _)| *it == name)?.1.to_owned()))
    }

    #[test]
    fn what_is_said_round_trips_and_nothing_else_is_written() {
        let project = "0190c0de-0000-7000-8000-000000000001";
        for query in [
            "",
            "status=expired&sort=name",
            "status=deleted",
            "sort=used",
            &format!("status=active&project={project}&environment=test&sort=expires"),
            &format!("owner={project}&view=left&sort=used"),
            "status=active&expires=within-7d",
        ] {
            assert_eq!(read(query).to_query(), query);
        }
        assert!(read("").is_default() && read("sort=status").is_default());
        assert!(!read("sort=name").is_default() && !read("sort=name").has_conditions());
        assert!(read("environment=live").has_conditions());
    }

    #[test]
    fn what_is_unknown_counts_as_not_said() {
        let query = "status=lost&project=mine&environment=Live&owner=me&view=all&sort=size&more=1";
        assert_eq!(read(query), KeyFilter::default());
        assert_eq!(read("status=&project=&environment=&sort="), KeyFilter::default());
    }
}
