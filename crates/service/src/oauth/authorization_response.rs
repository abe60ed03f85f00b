//! Authorization response (RFC 6749 section 4.1.2): a redirect, or a message to the window that opened the page.

use super::{Denied, redirect::Redirect};
use crate::one_time_tokens::OneTimeCode;
use keyward_domain::{
    consent::{ResponseDelivery, ResponseMessage},
    sensitive::RevealedSecret,
};

/// The target of an authorization response, and the parameters of every response (RFC 6749 section 4.1.2, RFC 9207).
#[derive(Clone, Debug)]
pub(super) struct RedirectTarget {
    pub redirect: Redirect,
    /// `response_mode=web_message`.
    pub by_message: bool,
    pub state: Option<String>,
    pub issuer: String,
}

impl RedirectTarget {
    /// Returns the response that carries the code. No other response contains it.
    pub fn code_response(&self, code: &OneTimeCode) -> ResponseDelivery {
        self.respond(Ok(code))
    }

    /// Returns an error response.
    pub fn error_response(&self, why: ResponseError) -> ResponseDelivery {
        self.respond(Err(why))
    }

    fn respond(&self, result: Result<&OneTimeCode, ResponseError>) -> ResponseDelivery {
        let (code, error) = (result.as_ref().ok().map(|code| code.expose()), result.as_ref().err());
        let words = error.map(|why| why.description());
        let error = error.map(|why| why.code());
        if self.by_message {
            return ResponseDelivery::PostMessage(ResponseMessage {
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
        ResponseDelivery::Redirect(RevealedSecret::new(self.redirect.with_parameters(&pairs)))
    }
}

/// Why there is no code: an error of the token endpoint, or an error that only the authorization endpoint has (RFC 6749
/// section 4.1.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ResponseError {
    Denied(Denied),
    UnsupportedResponseType,
}

impl ResponseError {
    const fn code(self) -> &'static str {
        match self {
            Self::Denied(denied) => denied.code(),
            Self::UnsupportedResponseType => "unsupported_response_type",
        }
    }

    fn description(self) -> String {
        match self {
            Self::Denied(denied) => denied.to_string(),
            Self::UnsupportedResponseType => "Use response_type=code.".to_owned(),
        }
    }
}

impl From<Denied> for ResponseError {
    fn from(denied: Denied) -> Self {
        Self::Denied(denied)
    }
}
