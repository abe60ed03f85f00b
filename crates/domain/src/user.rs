//! User accounts, and what a page knows of its user and of the instance.

use super::{
    ids::UserId,
    key::{LabelError, label},
    registration::SignInMethods,
};
use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// Maximum length of a user's name, in characters.
pub const PERSON_NAME_MAX: usize = 100;

/// A user's display name: one line of 1 to 100 characters in any script, trimmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonName(String);

/// Validation error of a [`PersonName`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PersonNameError {
    #[error("Enter a name. Other users see it.")]
    Empty,
    #[error(transparent)]
    Label(LabelError),
}

impl FromStr for PersonName {
    type Err = PersonNameError;

    fn from_str(text: &str) -> Result<Self, PersonNameError> {
        label(text, PERSON_NAME_MAX).map(Self).map_err(|error| match error {
            LabelError::Empty => PersonNameError::Empty,
            other => PersonNameError::Label(other),
        })
    }
}

impl PersonName {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Data of the user's account page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountForm {
    pub name: String,
    pub email: String,
    /// IANA name of the time zone that the user chose. `None`: the time zone of the browser.
    pub zone: Option<String>,
    /// All available time zones, in alphabetical order.
    pub zones: Vec<String>,
    /// Current time in the effective zone: "21 November 2026, 05:12 CET".
    pub now: String,
}

/// The signed-in user, as the page layout shows them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CurrentUser {
    pub id: UserId,
    pub name: String,
    pub email: String,
    pub admin: bool,
}

impl CurrentUser {
    /// One or two letters for the avatar.
    pub fn initials(&self) -> String {
        let mut words = self.name.split_whitespace().filter_map(|word| word.chars().next());
        let first = words.next();
        first.into_iter().chain(words.next_back()).flat_map(char::to_uppercase).collect()
    }
}

/// Public information on the instance, available on every page without a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instance {
    /// `KEYWARD_NAME`: the product that the keys are for, if set.
    pub name: Option<String>,
    /// `KEYWARD_SUPPORT_URL`: where users find help, if set.
    pub support_url: Option<String>,
    /// Public URL without a trailing slash.
    pub public_url: String,
    pub version: String,
    /// No user exists yet: `/setup` is available.
    pub needs_setup: bool,
    /// Available sign-in methods.
    pub ways: SignInMethods,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_s_name_is_one_line_in_any_script() {
        assert_eq!(" Zoë Ærø ".parse::<PersonName>().unwrap().as_str(), "Zoë Ærø");
        assert!("é".repeat(100).parse::<PersonName>().is_ok());
        assert_eq!(
            "é".repeat(101).parse::<PersonName>(),
            Err(PersonNameError::Label(LabelError::TooLong { most: 100, count: 101 }))
        );
        assert_eq!(" \t".parse::<PersonName>(), Err(PersonNameError::Empty));
        for bad in ["a\nb", "Ma\u{202E}ren", "a\u{2028}b", "a\0b"] {
            assert_eq!(bad.parse::<PersonName>(), Err(PersonNameError::Label(LabelError::Control)), "{bad:?}");
        }
    }

    #[test]
    fn initials_come_from_the_first_and_the_last_word() {
        let named = |name: &str| {
            CurrentUser { id: uuid::Uuid::nil().into(), name: name.into(), email: String::new(), admin: false }
                .initials()
        };
        assert_eq!(named("Maren Okafor"), "MO");
        assert_eq!(named("ægir"), "Æ");
        assert_eq!(named("Ana Maria de Souza"), "AS");
    }
}
