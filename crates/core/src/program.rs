//! A program that manages keys: who it is, and why it is refused.

use super::{Error, Field, actor::Origin};
use keyward_domain::ids::{KeyId, ProjectId};

/// The scope with which a program sees its project and the keys in it.
pub const READ: &str = "keyward:keys.read";
/// The scope with which it makes, edits, stops and starts them.
pub const WRITE: &str = "keyward:keys.write";

/// A program, by a token for management that a key of this project was exchanged for. What its key may do is read where a change is
/// made: it may have lost it since the request began.
#[derive(Clone, Debug)]
pub struct Program {
    pub key: KeyId,
    /// The key's.
    pub name: String,
    /// The one project that there is for it.
    pub project: ProjectId,
    /// What its token may do; a key can do more than a token that was made from it.
    pub scopes: Vec<String>,
    pub origin: Origin,
}

impl Program {
    /// Whether this is its project: any other is not there.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub fn in_project(&self, project: ProjectId) -> Result<(), Error> {
        if project == self.project { Ok(()) } else { Err(Error::NotFound) }
    }
}

/// Why a program is refused where a person would not be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProgramRefused {
    /// Its key has ceased to be good, or to have the scope, since the request began.
    #[error("The key behind this token may not do this any more.")]
    Ended,
    /// The key was changed since the program looked at it.
    #[error("This key was changed meanwhile. Read it again, and send the request with its new ETag.")]
    Stale,
    /// The idempotency key has made this key before.
    #[error(
        "This idempotency key has made its key already, and a secret is shown only in the answer that made it. If you did not get \
         it, delete that key and create another, with another idempotency key."
    )]
    Repeated(KeyId),
    /// The idempotency key was sent before, with something else.
    #[error("This idempotency key was sent before, with another body. Send another one.")]
    Reused,
    /// A key would reach further than the one behind the token.
    #[error("A program gives no key more than it has itself: see errors.")]
    Wider(Vec<Field>),
}
