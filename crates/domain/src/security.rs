//! Account security: sessions, the second factor, and reauthentication.

use super::{
    sensitive::RevealedSecret,
    time::{Moment, Timestamp},
};
use serde::{Deserialize, Serialize};

/// Maximum age of the last authentication for actions that require recent reauthentication, in seconds.
pub const REAUTHENTICATION_MAX_AGE: i64 = 15 * 60;
/// Lifetime of a form draft, in seconds: values that a user submitted after the session had expired.
pub const DRAFT_LIFETIME: i64 = 3_600;
/// Interval between two sign-in attempts of one address on one account after too many failures, in seconds.
pub const SIGN_IN_PAUSE: i64 = 60;

/// Reauthentication method of a user.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReauthenticationMethod {
    #[default]
    Password,
    /// A code of the second factor, or a recovery code.
    Code,
    /// The user has neither on this instance and must sign in again.
    SignIn,
    /// As [`Self::SignIn`], but the provider does not report the time of authentication, so signing in again does not
    /// help.
    NotReported {
        /// Whether the user could set a password on this instance.
        passwords: bool,
    },
}

impl ReauthenticationMethod {
    /// Whether the user enters it in a form. If not, the user has to leave the page.
    pub const fn is_form_field(self) -> bool {
        matches!(self, Self::Password | Self::Code)
    }
}

/// Result of a sign-in with a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignInStep {
    /// The user is signed in.
    In,
    /// The second factor is required next.
    Code,
}

/// Data of the user's security page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Security {
    /// False for users who only sign in with the identity provider.
    pub has_password: bool,
    pub second_factor: Option<SecondFactorState>,
    /// Whether the policy requires a second factor of this user.
    pub is_second_factor_required: bool,
    pub sessions: Vec<SessionView>,
    /// Display name of the identity provider, if one is configured.
    pub provider: Option<String>,
    /// Whether a provider account is linked to this one.
    pub linked: bool,
    pub now: Timestamp,
}

/// State of an enabled second factor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecondFactorState {
    pub since: Moment,
    /// Number of unused recovery codes.
    pub codes_left: u32,
}

/// One session of a user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionView {
    /// SHA-256 of the session id, in hexadecimal. It identifies the session but does not authenticate.
    pub handle: String,
    /// "Firefox on Windows".
    pub device: String,
    /// Client address at the start of the session.
    pub ip: Option<String>,
    pub since: Moment,
    pub seen: Moment,
    /// Whether this is the session of the request.
    pub here: bool,
}

/// Data shown while a user enables the second factor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecondFactorEnrollment {
    /// The secret in base32, in groups, for manual entry.
    pub text: RevealedSecret,
    /// Dark modules of the QR code as an SVG path, one unit each.
    pub path: RevealedSecret,
    /// Width and height of the QR code in modules.
    pub size: u32,
    /// Whether the policy requires a second factor of this user.
    pub is_second_factor_required: bool,
    /// The encrypted secret. The form carries it until a code confirms it.
    pub sealed: String,
}

/// New recovery codes. They are shown only once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecoveryCodes {
    pub codes: Vec<RevealedSecret>,
}
