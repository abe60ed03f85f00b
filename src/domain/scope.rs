//! Scopes: permissions that the team's API understands.

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
