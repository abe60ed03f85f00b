//! Color theme of the pages: the system's setting, or the user's choice.

use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// Color theme.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Theme {
    /// Follows the system setting.
    #[default]
    System,
    Light,
    Dark,
}

impl Theme {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

/// Parse error: unknown theme.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Choose system, light, or dark.")]
pub struct UnknownTheme;

impl FromStr for Theme {
    type Err = UnknownTheme;

    fn from_str(text: &str) -> Result<Self, UnknownTheme> {
        [Self::System, Self::Light, Self::Dark].into_iter().find(|theme| theme.as_str() == text).ok_or(UnknownTheme)
    }
}
