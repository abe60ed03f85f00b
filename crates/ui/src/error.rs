//! Error types that the server sends to the browser.
//!
//! They do not depend on sqlx or axum.

use leptos::server_fn::{
    codec::JsonEncoding,
    error::{FromServerFnError, ServerFnErrorErr},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Kind of an error. The page selects its reaction by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// There is no session, or it has ended.
    SignedOut,
    /// The user is signed in, but the action is not allowed.
    Forbidden,
    /// Allowed only with recent reauthentication. The form is rendered again with a reauthentication field.
    StepUp,
    /// The object does not exist, or the user has no access to it. Both cases have the same response.
    NotFound,
    /// The object changed in the meantime, or the form was already submitted.
    Conflict,
    /// The input is invalid. `fields` contains the field errors.
    Invalid,
    /// The request body is malformed.
    Broken,
    /// The request body is too long.
    TooLarge,
    /// Too many attempts.
    TooMany,
    /// The server is overloaded.
    Busy,
    /// The database has no disk space left.
    Full,
    /// There was no response, or it could not be parsed.
    Unreachable,
    /// A bug in Keyward.
    Internal,
}

impl ErrorKind {
    /// The HTTP status of a response with this error.
    pub const fn status(self) -> u16 {
        match self {
            Self::Broken => 400,
            Self::SignedOut => 401,
            Self::Forbidden | Self::StepUp => 403,
            Self::NotFound => 404,
            Self::Conflict => 409,
            Self::TooLarge => 413,
            Self::Invalid => 422,
            Self::TooMany => 429,
            Self::Busy | Self::Unreachable => 503,
            Self::Full => 507,
            Self::Internal => 500,
        }
    }
}

/// Validation error of one form field, identified by the name of its input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    pub field: String,
    pub message: String,
}

/// An error for display: what happened and what to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct AppError {
    pub kind: ErrorKind,
    pub message: String,
    pub fields: Vec<FieldError>,
}

impl AppError {
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), fields: Vec::new() }
    }

    /// Creates the error of an invalid form, with all field errors.
    pub fn invalid(fields: Vec<FieldError>) -> Self {
        let message = "Some fields are invalid. Correct them and try again.".into();
        Self { kind: ErrorKind::Invalid, message, fields }
    }

    /// Returns the message of a field, if it is invalid.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|e| e.field == name).map(|e| e.message.as_str())
    }
}

impl FromServerFnError for AppError {
    type Encoder = JsonEncoding;

    /// Converts errors of Leptos itself: network errors, or arguments that no page of Keyward sends.
    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        match error {
            ServerFnErrorErr::Request(_) | ServerFnErrorErr::Response(_) => {
                Self::new(ErrorKind::Unreachable, "Keyward did not respond. Check your connection and try again.")
            }
            // `Deserialization`: a body that is too long or is not valid text.
            ServerFnErrorErr::Args(_) | ServerFnErrorErr::MissingArg(_) | ServerFnErrorErr::Deserialization(_) => {
                Self::new(ErrorKind::Invalid, "The form could not be read. Reload the page and try again.")
            }
            _ => Self::new(ErrorKind::Internal, "An internal error occurred. Try again in a moment."),
        }
    }
}

/// A rejected form submission. The page gets it as context and renders the form again with the submitted values (except
/// passwords) and the field errors.
#[derive(Clone, Debug)]
pub struct RejectedForm {
    /// Path to which the form was posted.
    pub path: String,
    pub error: AppError,
    /// Submitted values by the name of the input.
    pub values: BTreeMap<String, Vec<String>>,
    /// Whether this is a saved draft and not a denied form: the draft is restored after its user signed in or set up a
    /// second factor.
    pub is_draft: bool,
}
