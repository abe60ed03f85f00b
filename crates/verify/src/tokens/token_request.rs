//! The token request, and the reasons for its denial.

use super::{Audience, TokenDenyReason};
use crate::verify::DenyReason;

/// Default lifetime of a token from `/authentication/token`, in seconds: a day.
pub const DAY_LIFE: i64 = 86_400;
/// Default lifetime of a token from `/oauth/token`, in seconds: an hour.
pub const HOUR_LIFE: i64 = 3_600;

/// The requested audience of a token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Target {
    /// The audience of the requested scopes. Without requested scopes, the project, unless the source has management
    /// scopes only. If the source is a token, its audience.
    #[default]
    ByScopes,
    /// The project that the key belongs to.
    OwnProject,
    /// Exactly this audience (RFC 8707).
    Exactly(Audience),
}

/// A request for a token.
#[derive(Clone, Copy, Debug, Default)]
pub struct TokenParameters<'a> {
    /// Lifetime in seconds, at least 1; `None`: an hour.
    pub life: Option<i64>,
    /// `None`: all scopes that belong to the audience.
    pub scopes: Option<&'a [&'a str]>,
    pub target: Target,
}

impl TokenParameters<'_> {
    /// Creates a request for a token of the key's own project with all its scopes and this lifetime, in seconds.
    pub const fn for_own_project(life: i64) -> Self {
        Self { life: Some(life), scopes: None, target: Target::OwnProject }
    }
}

/// The reason why no token was issued.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExchangeDenyReason {
    /// The key, or the key or grant of a token, was denied.
    #[error("{0}")]
    Key(DenyReason),
    /// The presented token was denied.
    #[error("{0}")]
    Token(TokenDenyReason),
    /// The source does not have this scope.
    #[error("The key, token, or grant does not have the scope {0}.")]
    Scope(String),
    #[error(
        "Scopes that start with keyward: need a token of their own. Request them separately from the other scopes."
    )]
    MixedScopes,
    #[error("The resource is unknown or is not allowed for this grant.")]
    Target,
    #[error("This token was exchanged too many times. Exchange the key or an earlier token instead.")]
    TooOften,
}

impl ExchangeDenyReason {
    /// Returns the stable reason code.
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
