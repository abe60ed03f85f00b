//! Scopes: permissions that the team's API defines.

use super::key::{LabelError, label};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Name of a scope: 1 to 80 letters, digits, and `:._-*/`. This is a readable subset of a scope token in RFC 6749
/// section 3.3.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ScopeName(String);

/// Validation error of a [`ScopeName`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("A scope name has 1 to 80 letters, digits, or the characters : . _ - * /")]
pub struct BadScope;

impl FromStr for ScopeName {
    type Err = BadScope;

    fn from_str(text: &str) -> Result<Self, BadScope> {
        let fits =
            (1..=80).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b":._-*/".contains(&b));
        if fits { Ok(Self(text.to_owned())) } else { Err(BadScope) }
    }
}

impl TryFrom<String> for ScopeName {
    type Error = BadScope;

    fn try_from(text: String) -> Result<Self, BadScope> {
        text.parse()
    }
}

impl From<ScopeName> for String {
    fn from(name: ScopeName) -> Self {
        name.0
    }
}

impl ScopeName {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the scope is for the management API. Only an owner may grant it.
    pub fn is_management(&self) -> bool {
        self.0.starts_with("keyward:")
    }
}

impl fmt::Display for ScopeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A scope of the instance's catalog, as a form option.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScopeView {
    pub name: ScopeName,
    pub description: String,
}

/// Minimum role of a member who may give a scope to a key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GrantedBy {
    /// All members who may create keys: operators and owners.
    #[default]
    Operator,
    /// Owners only.
    Owner,
}

impl GrantedBy {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Owner => "owner",
        }
    }
}

/// Parse error: neither `operator` nor `owner`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Choose who can grant this scope: owners and operators, or owners only.")]
pub struct UnknownGranter;

impl FromStr for GrantedBy {
    type Err = UnknownGranter;

    fn from_str(text: &str) -> Result<Self, UnknownGranter> {
        match text {
            "operator" => Ok(Self::Operator),
            "owner" => Ok(Self::Owner),
            _ => Err(UnknownGranter),
        }
    }
}

/// Maximum length of a scope's description, in characters.
pub const DESCRIPTION_MAX: usize = 200;

/// Description of the permission that a scope grants: one line of 1 to 200 characters, trimmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description(String);

/// Validation error of a [`Description`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DescriptionError {
    #[error("Enter a description. Users see it when they choose scopes.")]
    Empty,
    #[error(transparent)]
    Label(LabelError),
}

impl FromStr for Description {
    type Err = DescriptionError;

    fn from_str(text: &str) -> Result<Self, DescriptionError> {
        label(text, DESCRIPTION_MAX).map(Self).map_err(|error| match error {
            LabelError::Empty => DescriptionError::Empty,
            other => DescriptionError::Label(other),
        })
    }
}

impl Description {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A scope of the catalog on the administration page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogScope {
    pub name: ScopeName,
    pub description: String,
    /// Whether projects without scopes of their own offer it.
    pub in_default: bool,
    pub granted_by: GrantedBy,
    /// Number of keys that have it and are not deleted.
    pub keys: u64,
    /// Number of projects that offer it.
    pub projects: u64,
    /// Whether it is retired: existing keys keep it, and new keys cannot get it.
    pub retired: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_have_no_spaces_quotes_or_other_scripts() {
        assert!("pops:read".parse::<ScopeName>().is_ok());
        for bad in ["", "a b", "a\"b", "ä", &"x".repeat(81)] {
            assert_eq!(bad.parse::<ScopeName>(), Err(BadScope), "{bad}");
        }
    }
}
