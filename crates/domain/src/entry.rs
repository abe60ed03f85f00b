//! How people come in: which ways there are, and what a link opens.

use serde::{Deserialize, Serialize};

/// The ways in that the sign-in page shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ways {
    /// By password; with it go the new password and the first start.
    pub passwords: bool,
    /// With an account elsewhere: what the provider is called.
    pub provider: Option<String>,
    /// Anybody may make an account, for there is mail to confirm their address with.
    pub sign_up: bool,
    /// Letters go out.
    pub mail: bool,
}

/// Whom a link lets make an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome {
    /// The address that the account gets: the link came to it.
    pub email: String,
}

/// Why a sign-in with an account elsewhere came to nothing: a word in the address of the sign-in page, and its sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotIn {
    Again,
    Denied,
    Disabled,
    NoEmail,
    NotSetUp,
    Other,
    Provider,
    Proof,
    Taken,
    Unconfirmed,
}

impl NotIn {
    const ALL: [(Self, &'static str, &'static str); 10] = [
        (Self::Again, "again", "This sign-in took too long, or was begun in another window. Begin again."),
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
            Self::Other,
            "other",
            "That account belongs to somebody else on this Keyward. Sign in with it, or link another one.",
        ),
        (
            Self::Provider,
            "provider",
            "Signing in there did not work just now. Try again in a moment; if it stays so, tell your administrator.",
        ),
        (
            Self::Proof,
            "proof",
            "Confirm that it is you before you join an account: your last proof is over 15 minutes old.",
        ),
        (
            Self::Taken,
            "taken",
            "There is an account with your e-mail address already. Sign in to it with its password, and join the two under \
             Settings → Security.",
        ),
        (
            Self::Unconfirmed,
            "unconfirmed",
            "Your e-mail address is not confirmed there. Confirm it there, then sign in again.",
        ),
    ];

    /// As the address says it.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(it, ..)| *it == self).map_or("", |(_, word, _)| word)
    }

    /// The sentence for a word in an address; none for a word that is not ours.
    pub fn sentence(word: &str) -> Option<&'static str> {
        Self::ALL.iter().find(|(_, it, _)| *it == word).map(|(.., sentence)| *sentence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_has_its_sentence() {
        for (it, word, sentence) in NotIn::ALL {
            assert_eq!((it.as_str(), NotIn::sentence(word)), (word, Some(sentence)));
        }
        assert_eq!(NotIn::sentence("<script>"), None);
    }
}
