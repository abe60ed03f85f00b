//! What keeps an account its owner's: sessions, the second factor, proofs of who somebody is.

use super::{
    sensitive::RevealedSecret,
    time::{Moment, Timestamp},
};
use serde::{Deserialize, Serialize};

/// How a person proves again who they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    #[default]
    Password,
    /// A code of their second factor, or a recovery code.
    Code,
    /// They have neither here: only by signing in again.
    SignIn,
    /// As [`Self::SignIn`], but the provider does not report when they authenticated, so that signing in again does not help.
    NotReported {
        /// Whether they could set a password here.
        passwords: bool,
    },
}

impl Proof {
    /// Whether it is typed into a form. If not, the user has to leave the page.
    pub const fn is_typed(self) -> bool {
        matches!(self, Self::Password | Self::Code)
    }
}

/// Where signing in with a password led.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Entrance {
    /// They are signed in.
    In,
    /// The second factor is asked for next.
    Code,
}

/// What a person's page of security shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Security {
    /// Those who sign in with another account have none.
    pub has_password: bool,
    pub second_factor: Option<SecondFactorState>,
    /// Whether the policy asks a second factor of this person.
    pub asked: bool,
    pub sessions: Vec<SessionView>,
    /// What the provider is called that people sign in with, if there is one.
    pub provider: Option<String>,
    /// Whether an account there is joined to this one.
    pub linked: bool,
    pub now: Timestamp,
}

/// A second factor that is on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecondFactorState {
    pub since: Moment,
    /// How many recovery codes are left.
    pub codes_left: u32,
}

/// One session of a person's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionView {
    /// SHA-256 of its id, in hexadecimal: names it, and opens nothing.
    pub handle: String,
    /// "Firefox on Windows".
    pub device: String,
    /// The address that it began from.
    pub ip: Option<String>,
    pub since: Moment,
    pub seen: Moment,
    /// The one that asks.
    pub here: bool,
}

/// What is shown to somebody who turns their second factor on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enrolment {
    /// The secret in base32, in groups, to be typed.
    pub text: RevealedSecret,
    /// The QR code's dark squares as an SVG path, one unit each.
    pub path: RevealedSecret,
    /// How many squares it is wide and high.
    pub size: u32,
    /// Whether the policy asks it of this person.
    pub asked: bool,
    /// The secret, sealed: the form carries it until a code has confirmed it.
    pub sealed: String,
}

/// Recovery codes, on their one way out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecoveryCodes {
    pub codes: Vec<RevealedSecret>,
}
