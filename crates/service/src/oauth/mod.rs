//! OAuth clients, grants, and codes (RFC 6749 section 4.1 with RFC 7636, RFC 8252, and RFC 9207; RFC 8628). One
//! concept per file.
//!
//! ```text
//! authorization request (parsed anew at each use)  -> consent page -> allow: grant + code -> redeem -> token contents
//! device authorization (device code and user code) -> consent page -> allow: grant        -> redeem -> token contents
//! ```
//!
//! Creating, redeeming, and revoking a grant take the same cross-node lock as a change of members. Roles and grants that
//! such a transaction reads therefore stay as they are until its commit.

mod authorization_request;
mod authorization_response;
mod client_authorization;
mod clients;
mod codes;
mod device_authorization;
mod device_verification;
mod expired_grants;
mod grant_consent;
mod grant_revocation;
mod grants;
mod pkce;
mod redirect;
mod user_code;

pub use codes::{CodeRedemption, Redeemed};
pub use device_authorization::{DeviceAuthorization, INTERVAL};
pub(crate) use grant_revocation::{narrow_to_role, revoke_user_grants};

use super::{Context, accounts::throttle::Throttle, limits::AddressLimit};
use keyward_config::PublicUrl;
use keyward_domain::time::format_duration;
use std::sync::Arc;

/// Why a client gets no token: an error code of RFC 6749 section 5.2, RFC 8628 section 3.5, or RFC 8707 section 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    #[error("{0}")]
    InvalidRequest(&'static str),
    #[error("No application is registered with this client_id.")]
    InvalidClient,
    #[error("{0}")]
    InvalidGrant(&'static str),
    #[error("This application is not allowed to use this grant type.")]
    UnauthorizedClient,
    #[error("{0}")]
    InvalidScope(&'static str),
    #[error("{0}")]
    InvalidTarget(&'static str),
    #[error("The user has not responded yet. Poll again.")]
    AuthorizationPending,
    #[error("Polling too fast. Increase the interval by 5 seconds.")]
    SlowDown,
    /// One address has started too many device authorizations.
    #[error("Too many device authorizations from this address. Try again in {}.", format_duration(*.0))]
    TooManyFromAddress(i64),
    /// Too many device authorizations of the client are pending. Anyone who knows the `client_id` can start one.
    #[error("Too many device authorizations of this application are pending. Try again in a minute.")]
    Crowded,
    #[error("The user denied the request.")]
    AccessDenied,
    #[error("The device code has expired. Start a new device authorization.")]
    ExpiredToken,
}

impl Denied {
    /// The error code for the `error` parameter.
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

/// The use cases of consent. Clones share the throttle and the address limit.
#[derive(Clone)]
pub struct Consent {
    context: Context,
    /// The public URL: the value of `iss`, and the prefix of every `resource`.
    issuer: Arc<str>,
    throttle: Arc<Throttle>,
    /// Limits device authorizations per client address.
    device_limit: Arc<AddressLimit>,
}

impl Consent {
    pub fn new(context: Context, issuer: &PublicUrl) -> Self {
        let begins = Arc::new(AddressLimit::new(device_authorization::per_address()));
        Self { context, issuer: issuer.to_string().into(), throttle: Arc::default(), device_limit: begins }
    }
}
