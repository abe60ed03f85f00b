//! What is asked of an exchange, and why it may be refused.

use super::{Audience, TokenRefused};
use crate::verify::Refused;

/// Life of a token from `/authentication/token` when none is asked for, in seconds: a day.
pub const DAY_LIFE: i64 = 86_400;
/// Life of a token from `/oauth/token` when none is asked for, in seconds: an hour.
pub const HOUR_LIFE: i64 = 3_600;

/// What a token is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Target {
    /// What its scopes are for; if none are asked for, the project, unless there are scopes for management alone.
    #[default]
    ByScopes,
    /// The project that the key belongs to.
    OwnProject,
    /// This and nothing else (RFC 8707).
    Exactly(Audience),
}

/// What is asked of an exchange.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wish<'a> {
    /// Seconds, at least 1; `None`: an hour.
    pub life: Option<i64>,
    /// `None`: all that are for the target.
    pub scopes: Option<&'a [&'a str]>,
    pub target: Target,
}

impl Wish<'_> {
    /// A token of the key's own project with all its scopes, that lives so long.
    pub const fn of_project(life: i64) -> Self {
        Self { life: Some(life), scopes: None, target: Target::OwnProject }
    }
}

/// Why no token was made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExchangeRefused {
    /// The key, or the key or grant behind a token, is not good.
    #[error("{0}")]
    Key(Refused),
    /// The token that was to be exchanged is not good.
    #[error("{0}")]
    Token(TokenRefused),
    /// What it would be made of does not have this scope.
    #[error("The scope {0} is not among those that can be had here.")]
    Scope(String),
    #[error(
        "Scopes that begin with keyward: are for management, the others for the project: ask for them one after the other."
    )]
    MixedScopes,
    #[error("There is no such resource here, or not for this.")]
    Target,
    #[error("This token was exchanged too often. Exchange one that is nearer to the key.")]
    TooOften,
}

impl ExchangeRefused {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Key(refused) => refused.code(),
            Self::Token(refused) => refused.code(),
            Self::Scope(_) => "missing_scope",
            Self::MixedScopes => "mixed_scopes",
            Self::Target => "wrong_audience",
            Self::TooOften => "exchanged_too_often",
        }
    }
}
