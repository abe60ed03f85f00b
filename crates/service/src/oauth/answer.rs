//! Authorization response (RFC 6749 section 4.1.2): a redirect, or a message to the window that opened the page.

use super::{Denied, redirect::Redirect};
use crate::once::OneTimeCode;
use keyward_domain::{
    consent::{Answered, Message},
    sensitive::RevealedSecret,
};

/// The target of an authorization response, and the parameters of every response (RFC 6749 section 4.1.2, RFC 9207).
#[derive(Clone, Debug)]
pub(super) struct Addressee {
    pub redirect: Redirect,
    /// `response_mode=web_message`.
    pub by_message: bool,
    pub state: Option<String>,
    pub issuer: String,
}

impl Addressee {
    /// Returns the response that carries the code. No other response contains it.
    pub fn allowed(&self, code: &OneTimeCode) -> Answered {
        self.say(Ok(code))
    }

    /// Returns an error response.
    pub fn denied(&self, why: Refusal) -> Answered {
        self.say(Err(why))
    }

    fn say(&self, said: Result<&OneTimeCode, Refusal>) -> Answered {
        let (code, error) = (said.as_ref().ok().map(|code| code.expose()), said.as_ref().err());
        let words = error.map(|why| why.words());
        let error = error.map(|why| why.code());
        if self.by_message {
            return Answered::Post(Message {
                origin: self.redirect.origin(),
                // Exposed for sending: only this response may contain the code.
                code: code.map(|code| RevealedSecret::new(code.to_owned())),
                error: error.map(ToOwned::to_owned),
                error_description: words,
                state: self.state.clone(),
                iss: self.issuer.clone(),
            });
        }
        let mut pairs = Vec::with_capacity(4);
        pairs.extend(code.map(|code| ("code", code)));
        pairs.extend(error.map(|error| ("error", error)));
        pairs.extend(words.as_deref().map(|words| ("error_description", words)));
        pairs.extend(self.state.as_deref().map(|state| ("state", state)));
        pairs.push(("iss", &self.issuer));
        Answered::Leave(RevealedSecret::new(self.redirect.with(&pairs)))
    }
}

/// Why there is no code: an error of the token endpoint, or an error that only the authorization endpoint has (RFC 6749
/// section 4.1.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    As(Denied),
    UnsupportedResponseType,
}

impl Refusal {
    const fn code(self) -> &'static str {
        match self {
            Self::As(denied) => denied.code(),
            Self::UnsupportedResponseType => "unsupported_response_type",
        }
    }

    fn words(self) -> String {
        match self {
            Self::As(denied) => denied.to_string(),
            Self::UnsupportedResponseType => "Ask with response_type=code.".to_owned(),
        }
    }
}

impl From<Denied> for Refusal {
    fn from(denied: Denied) -> Self {
        Self::As(denied)
    }
}
