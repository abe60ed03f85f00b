//! What a browser may learn of a failure.
//!
//! Never here: sqlx, axum.

use leptos::server_fn::{
    codec::JsonEncoding,
    error::{FromServerFnError, ServerFnErrorErr},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The kind of a failure: what the page does next depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// Nobody is signed in, or the session has ended.
    SignedOut,
    /// Signed in, but not allowed.
    Forbidden,
    /// Allowed, but only with a fresh proof of who they are: the form is drawn again and asks for it.
    StepUp,
    /// Not there, or not theirs: the same answer.
    NotFound,
    /// It was changed meanwhile, or it was sent before.
    Conflict,
    /// What was typed is wrong; `fields` says where.
    Invalid,
    /// The body of the request is broken.
    Broken,
    /// The body of the request is too long.
    TooLarge,
    /// Too many tries.
    TooMany,
    /// The server cannot take it now.
    Busy,
    /// There is no space left for the database.
    Full,
    /// The server did not answer, or not in words that we know.
    Unreachable,
    /// A fault of ours.
    Internal,
}

impl ErrorKind {
    /// The HTTP status of an answer that says so.
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

/// What is wrong with one field of a form, by the name of its input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    pub field: String,
    pub message: String,
}

/// A failure as a person may read it: what happened and what to do.
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

    /// A form that was refused: every wrong field at once.
    pub fn invalid(fields: Vec<FieldError>) -> Self {
        let message = "Some of this cannot be saved. See the fields below.".into();
        Self { kind: ErrorKind::Invalid, message, fields }
    }

    /// What is wrong with this field, if anything.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|e| e.field == name).map(|e| e.message.as_str())
    }
}

impl FromServerFnError for AppError {
    type Encoder = JsonEncoding;

    /// What Leptos itself reports: the network, or arguments that no page of ours sends.
    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        match error {
            ServerFnErrorErr::Request(_) | ServerFnErrorErr::Response(_) => {
                Self::new(ErrorKind::Unreachable, "Keyward did not answer. Check your connection and try again.")
            }
            // `Deserialization`: a body that is too long, or is no text.
            ServerFnErrorErr::Args(_) | ServerFnErrorErr::MissingArg(_) | ServerFnErrorErr::Deserialization(_) => {
                Self::new(ErrorKind::Invalid, "This form could not be read. Load the page again and retry.")
            }
            _ => Self::new(ErrorKind::Internal, "Something went wrong on our side. Try again in a moment."),
        }
    }
}

/// A form that was sent without JavaScript and refused: given to the page as context, so that it is drawn again with what was
/// typed (but for passwords) and the errors beside the fields.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// The path that the form was posted to.
    pub path: String,
    pub error: AppError,
    /// What was typed, by the name of the input.
    pub values: BTreeMap<String, Vec<String>>,
    /// Nothing was refused: this is a draft that comes back after its user signed in or set up a second factor.
    pub is_draft: bool,
}
