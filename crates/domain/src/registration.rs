//! Sign-in methods, registration, and error codes of a sign-in with the identity provider.

use serde::{Deserialize, Serialize};

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
        (Self::FlowExpired, "again", "This sign-in took too long, or was begun in another window. Begin again."),
        (
            Self::Denied,
            "denied",
            "You were not signed in, because it was not allowed there. Begin again if that was a mistake.",
        ),
        (Self::Disabled, "disabled", "Your account is switched off on this Keyward. Ask your administrator."),
        (
            Self::NoEmail,
            "no-email",
            "Your account there has no e-mail address that Keyward may see. Add one there, or ask your administrator to let \
             Keyward see it (the scope is email).",
        ),
        (Self::NotSetUp, "not-set-up", "This Keyward has no administrator yet. Set it up first."),
        (
            Self::LinkedToOtherUser,
            "other",
            "That account belongs to somebody else on this Keyward. Sign in with it, or link another one.",
        ),
        (
            Self::Provider,
            "provider",
            "Signing in there did not work just now. Try again in a moment; if it stays so, tell your administrator.",
        ),
        (
            Self::ReauthenticationRequired,
            "proof",
            "Confirm that it is you before you join an account: your last proof is over 15 minutes old.",
        ),
        (
            Self::EmailInUse,
            "taken",
            "There is an account with your e-mail address already. Sign in to it with its password, and join the two under \
             Settings → Security.",
        ),
        (
            Self::EmailNotVerified,
            "unconfirmed",
            "Your e-mail address is not confirmed there. Confirm it there, then sign in again.",
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
