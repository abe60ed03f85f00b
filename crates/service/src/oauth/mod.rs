//! Consent: which programs a project knows, what people allow them, and the codes by which a program comes to its token
//! (RFC 6749 section 4.1 with RFC 7636, RFC 8252, RFC 9207; RFC 8628). One thing a file.
//!
//! ```text
//! request (read, never trusted) -> page -> allow: grant + code -> redeem -> what a token is made of
//! device  (two codes)           -> page -> allow: grant        -> redeem -> the same
//! ```
//!
//! Whoever makes or ends a grant takes turns with whoever changes members, on every node: what was read of roles then holds until
//! the commit.

mod allow;
mod answer;
mod clients;
mod codes;
mod devices;
mod ends;
mod grants;
mod left;
mod may;
mod pkce;
mod redirect;
mod request;
mod typed;
mod user_code;

pub use codes::{Coming, Redeemed};
pub use devices::{Begun, INTERVAL};
pub(crate) use ends::{end_of_person, follow_role};

use super::{Ground, accounts::throttle::Throttle, limits::AddressLimit};
use keyward_config::PublicUrl;
use std::sync::Arc;

/// Why a program gets no token, as RFC 6749 section 5.2, RFC 8628 section 3.5 and RFC 8707 section 2 name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    #[error("{0}")]
    InvalidRequest(&'static str),
    #[error("No program is registered under this client_id.")]
    InvalidClient,
    #[error("{0}")]
    InvalidGrant(&'static str),
    #[error("This program may not ask in this way.")]
    UnauthorizedClient,
    #[error("{0}")]
    InvalidScope(&'static str),
    #[error("{0}")]
    InvalidTarget(&'static str),
    #[error("Nobody has answered yet. Ask again.")]
    AuthorizationPending,
    #[error("Ask more slowly.")]
    SlowDown,
    /// One address has started too many devices.
    #[error("Too many devices began at this address. Try again in {0} seconds.")]
    TooManyFromAddress(i64),
    /// Too many devices of the program wait: anybody who knows its id can begin.
    #[error("Too many devices of this program wait for an answer. Try again in a minute.")]
    Crowded,
    #[error("The person did not allow it.")]
    AccessDenied,
    #[error("The code has expired. Begin again.")]
    ExpiredToken,
}

impl Denied {
    /// The word for `error`.
    pub const fn code(self) -> &'static str {
        match self {
            Self::InvalidRequest(_) => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant(_) => "invalid_grant",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::InvalidScope(_) => "invalid_scope",
            Self::InvalidTarget(_) => "invalid_target",
            Self::AuthorizationPending => "authorization_pending",
            Self::SlowDown => "slow_down",
            Self::TooManyFromAddress(_) | Self::Crowded => "temporarily_unavailable",
            Self::AccessDenied => "access_denied",
            Self::ExpiredToken => "expired_token",
        }
    }
}

/// The use cases of consent; clones share what slows guesses down.
#[derive(Clone)]
pub struct Consent {
    ground: Ground,
    /// The public URL: `iss`, and the beginning of every `resource`.
    issuer: Arc<str>,
    throttle: Arc<Throttle>,
    /// Of devices that begin.
    begins: Arc<AddressLimit>,
}

impl Consent {
    pub fn new(ground: Ground, issuer: &PublicUrl) -> Self {
        let begins = Arc::new(AddressLimit::new(devices::per_address()));
        Self { ground, issuer: issuer.to_string().into(), throttle: Arc::default(), begins }
    }
}
