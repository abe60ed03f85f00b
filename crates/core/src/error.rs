//! Errors of use cases.

use super::management_client::ManagementError;
use keyward_store::{self as store, write_queue::ChangeError};
use std::pin::Pin;

/// Validation error of one form field or one member of a JSON body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidField {
    pub name: &'static str,
    pub message: String,
}

impl InvalidField {
    pub fn new(name: &'static str, message: impl ToString) -> Self {
        Self { name, message: message.to_string() }
    }
}

/// Error of a use case. [`Error::describe`] has the kind, the code, and the messages of each variant.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The object does not exist, or the caller has no access to it. Both cases have the same response.
    #[error("not found")]
    NotFound,
    /// The caller has access to the object, but the caller's role does not allow the action.
    #[error("not allowed: {0}")]
    Forbidden(&'static str),
    /// The caller has access to the key, but an administrator stopped it for this reason.
    #[error("deactivated by an administrator: {reason}")]
    Stopped { reason: String },
    /// Allowed only with recent reauthentication: the password or the second factor, at most 15 minutes ago.
    #[error("recent authentication is required")]
    ReauthenticationRequired,
    /// All invalid fields.
    #[error("invalid input")]
    Invalid(Vec<InvalidField>),
    /// The state of the object does not allow the action. The message tells the user what to do.
    #[error("conflict: {0}")]
    Conflict(&'static str),
    /// An error that only management clients receive.
    #[error("management request denied: {0}")]
    Management(#[from] ManagementError),
    /// A wrong password or an unknown email address. The response does not reveal which.
    #[error("sign-in denied")]
    BadCredentials { tries_left: Option<u32> },
    /// Too many attempts. The next attempt is possible after this number of seconds.
    #[error("too many attempts; try again in {seconds} s")]
    Paused { seconds: i64 },
    /// The server is overloaded.
    #[error("busy")]
    Busy,
    /// A list query reached its time limit.
    #[error("the list query took too long")]
    TooLong,
    #[error(transparent)]
    Store(#[from] store::Error),
    /// A bug in Keyward. The message is only for the log.
    #[error("internal: {0}")]
    Internal(&'static str),
    /// A part of Keyward failed. `what` names it for the log, and the cause follows there.
    #[error("internal: {what}")]
    Failed {
        what: &'static str,
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl Error {
    /// Message of [`Self::Stopped`] for users.
    pub fn stopped_message(reason: &str) -> String {
        let end = if reason.ends_with(['.', '!', '?', '…']) { "" } else { "." };
        format!("An administrator deactivated this key: {reason}{end} Ask an administrator to activate it.")
    }

    /// Creates an internal error with its cause. The cause must not contain a secret: it is logged.
    pub fn failed(what: &'static str, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Failed { what, cause: cause.into() }
    }

    /// Creates an error for one invalid field.
    pub fn field(name: &'static str, message: impl ToString) -> Self {
        Self::Invalid(vec![InvalidField::new(name, message)])
    }
}

/// Runs a list query that uses [`store::Pool::acquire_list_reader`] and maps a reached time limit to
/// [`Error::TooLong`], on both engines.
///
/// Outside of this function, the statement time limit of PostgreSQL is a store error.
///
/// # Errors
/// The errors of `reading`.
pub fn read_list<'a, T: 'a>(
    reading: impl Future<Output = Result<T, Error>> + Send + 'a,
) -> Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>> {
    Box::pin(async move {
        reading.await.map_err(|error| match error {
            Error::Store(error) if error.is_time_limit() => Error::TooLong,
            error => error,
        })
    })
}

impl ChangeError for Error {
    fn as_store(&self) -> Option<&store::Error> {
        match self {
            Self::Store(error) => Some(error),
            _ => None,
        }
    }
}
