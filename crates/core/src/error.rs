//! Why a use case refused.

use super::program::ProgramRefused;
use keyward_store::{self as store, queue::Refusal};
use std::pin::Pin;

/// What is wrong with one field of a form or one member of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    pub name: &'static str,
    pub message: String,
}

impl Field {
    pub fn new(name: &'static str, message: impl ToString) -> Self {
        Self { name, message: message.to_string() }
    }
}

/// Why a use case refused. The edge turns each into a status and words.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not there, or not theirs: the same answer.
    #[error("not found")]
    NotFound,
    /// Theirs, but their role does not allow it.
    #[error("not allowed: {0}")]
    Forbidden(&'static str),
    /// Theirs, but an administrator stopped it, for this reason.
    #[error("stopped by an administrator: {reason}")]
    Stopped { reason: String },
    /// Allowed, but only with a fresh proof of who they are: the password or the second factor, at most 15 minutes old.
    #[error("a fresh proof is needed")]
    StepUp,
    /// Every wrong field at once.
    #[error("invalid input")]
    Invalid(Vec<Field>),
    /// It cannot be done in the state that the thing is in; the words say what to do.
    #[error("conflict: {0}")]
    Conflict(&'static str),
    /// What only programs are told.
    #[error("refused to a program: {0}")]
    Program(#[from] ProgramRefused),
    /// A wrong password or an unknown address: nobody learns which.
    #[error("sign-in refused")]
    BadCredentials { tries_left: Option<u32> },
    /// Too many tries: again after this many seconds.
    #[error("paused for {seconds} s")]
    Paused { seconds: i64 },
    /// Too much to do now.
    #[error("busy")]
    Busy,
    /// A list that takes too long to read.
    #[error("the list took too long to read")]
    TooLong,
    #[error(transparent)]
    Store(#[from] store::Error),
    /// A fault that is ours: the words are for the log.
    #[error("internal: {0}")]
    Internal(&'static str),
}

impl Error {
    /// What a person reads of [`Self::Stopped`].
    pub fn stopped(reason: &str) -> String {
        let end = if reason.ends_with(['.', '!', '?', '…']) { "" } else { "." };
        format!("An administrator stopped this key: {reason}{end} Ask them to start it again.")
    }

    /// One wrong field.
    pub fn field(name: &'static str, message: impl ToString) -> Self {
        Self::Invalid(vec![Field::new(name, message)])
    }
}

/// Runs what reads a list with [`store::Pool::read_list`]: on both engines a statement that reached its time limit there is
/// [`Error::TooLong`]. Elsewhere the limit of a statement on PostgreSQL is an error of its kind.
///
/// # Errors
/// Those of `reading`.
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

impl Refusal for Error {
    fn as_store(&self) -> Option<&store::Error> {
        match self {
            Self::Store(error) => Some(error),
            _ => None,
        }
    }
}
