//! Scopes: permissions that the team's API understands.

use super::key::{LabelError, label};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// A scope's name, as RFC 6749 section 3.3 lets a scope token be, kept to what is readable: letters, digits and `:._-*/`,
/// 1 to 80 characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ScopeName(String);

/// Not a scope's name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("A scope is 1 to 80 letters, digits or the characters : . _ - * /")]
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

    /// Whether it is for management by program: only an owner may grant it.
    pub fn is_management(&self) -> bool {
        self.0.starts_with("keyward:")
    }
}

impl fmt::Display for ScopeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A scope of the instance's catalogue, as a form offers it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScopeView {
    pub name: ScopeName,
    pub description: String,
}

/// Which members of a project may give a scope to a key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GrantedBy {
    /// Everybody who may make keys: operators, and owners.
    #[default]
    Operator,
    /// Owners alone.
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

/// Neither `operator` nor `owner`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Choose who may give this scope to a key: operators and owners, or owners alone.")]
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

/// Most characters in a scope's description.
pub const DESCRIPTION_MAX: usize = 200;

/// What a scope lets a program do: one line of 1 to 200 characters, trimmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description(String);

/// Why a text is not a [`Description`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DescriptionError {
    #[error("Say what a key with this scope may do. People read it when they choose.")]
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

/// A scope of the catalogue as an administrator sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogueScope {
    pub name: ScopeName,
    pub description: String,
    /// Whether projects that chose no scopes of their own offer it.
    pub in_default: bool,
    pub granted_by: GrantedBy,
    /// Keys that hold it and are not deleted.
    pub keys: u64,
    /// Projects that offer it.
    pub projects: u64,
    /// Keys that hold it keep it, and no new key is given it.
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
