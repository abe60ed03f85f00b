//! Sign-in methods, registration, and error codes of a sign-in with the identity provider.

use super::time::DAY;
use serde::{Deserialize, Serialize};

/// Minimum length of a password, in characters.
pub const PASSWORD_MIN: u16 = 12;
/// Maximum length of a password, in characters.
pub const PASSWORD_MAX: u16 = 256;
/// Lifetime of a password reset link, in seconds.
pub const RESET_LINK_LIFETIME: i64 = 3_600;
/// Lifetime of a link that confirms an email address, in seconds.
pub const SIGN_UP_LINK_LIFETIME: i64 = DAY;
/// Lifetime of an invitation to the instance or to a project, in seconds.
pub const INVITATION_LIFETIME: i64 = 7 * DAY;

/// Returns the hint of a field for a new password.
pub fn password_hint() -> String {
    format!("At least {PASSWORD_MIN} characters. You can use a sentence.")
}

/// Sign-in methods that the sign-in page shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignInMethods {
    /// Sign-in with a password. Password reset and the initial setup depend on it.
    pub passwords: bool,
    /// Display name of the identity provider, if one is configured.
    pub provider: Option<String>,
    /// Anybody may register, because email is configured and can confirm addresses.
    pub sign_up: bool,
    /// Whether the server can send email.
    pub mail: bool,
}

/// Data of a registration that started from a one-time link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegistrationPrefill {
    /// Email address of the new account: the address to which the link was sent.
    pub email: String,
}

/// Error of a sign-in with the identity provider: a code in the URL of the sign-in page, with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignInError {
    FlowExpired,
    Denied,
    Disabled,
    NoEmail,
    NotSetUp,
    LinkedToOtherUser,
    Provider,
    ReauthenticationRequired,
    EmailInUse,
    EmailNotVerified,
}

impl SignInError {
    const ALL: [(Self, &'static str, &'static str); 10] = [
        (Self::FlowExpired, "again", "The sign-in expired or was started in another window. Sign in again."),
        (
            Self::Denied,
            "denied",
            "You are not signed in, because access was denied at the identity provider. Try again if this was a mistake.",
        ),
        (Self::Disabled, "disabled", "Your account is disabled. Ask an administrator."),
        (
            Self::NoEmail,
            "no-email",
            "The identity provider did not send an email address. Add one to your account there, or ask an administrator to \
             allow the scope email.",
        ),
        (Self::NotSetUp, "not-set-up", "Keyward is not set up yet. Create the first administrator account."),
        (
            Self::LinkedToOtherUser,
            "other",
            "That account is already linked to another user. Sign in with it, or link a different account.",
        ),
        (
            Self::Provider,
            "provider",
            "Sign-in failed. Try again in a moment, or contact an administrator if it fails again.",
        ),
        (Self::ReauthenticationRequired, "proof", "To link an account, confirm your identity first."),
        (
            Self::EmailInUse,
            "taken",
            "An account with your email address already exists. Sign in with its password, then link your account under \
             Settings > Security.",
        ),
        (
            Self::EmailNotVerified,
            "unconfirmed",
            "Your email address is not confirmed at the identity provider. Confirm it there, then sign in again.",
        ),
    ];

    /// The code in the URL.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(it, ..)| *it == self).map_or("", |(_, word, _)| word)
    }

    /// Returns the message of a code from the URL, or `None` for an unknown code.
    pub fn message(word: &str) -> Option<&'static str> {
        Self::ALL.iter().find(|(_, it, _)| *it == word).map(|(.., sentence)| *sentence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_has_its_sentence() {
        for (it, word, sentence) in SignInError::ALL {
            assert_eq!((it.as_str(), SignInError::message(word)), (word, Some(sentence)));
        }
        assert_eq!(SignInError::message("<script>"), None);
    }
}
