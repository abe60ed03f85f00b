//! Management clients: programs that manage keys with a management token, and their errors.

use super::{Error, InvalidField, actor::Origin};
use keyward_domain::ids::{KeyId, ProjectId, SubjectId};

/// Scope to read the project and its keys.
pub const READ_SCOPE: &str = "keyward:keys.read";
/// Scope to create, edit, stop, and start the project's keys.
pub const WRITE_SCOPE: &str = "keyward:keys.write";

/// A management client, authenticated by a management token that was issued for a key or a grant of this project. A
/// client with a grant can only read.
///
/// Every change reads the permissions of the key again inside its transaction, because the key can lose them during
/// the request.
#[derive(Clone, Debug)]
pub struct ManagementClient {
    pub subject: SubjectId,
    /// Name of the key, or of the grant's application.
    pub name: String,
    /// The only project that the program can access.
    pub project: ProjectId,
    /// Scopes of the token. The key can have more scopes than a token issued from it.
    pub scopes: Vec<String>,
    pub origin: Origin,
}

impl ManagementClient {
    /// Checks that `project` is the program's project. Other projects do not exist for it.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub fn check_project(&self, project: ProjectId) -> Result<(), Error> {
        if project == self.project { Ok(()) } else { Err(Error::NotFound) }
    }
}

/// Errors that only management clients receive.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ManagementError {
    /// The key became invalid or lost the scope during the request.
    #[error("The key of this token no longer has access.")]
    AccessLost,
    /// The key changed since the program read it.
    #[error("This key was changed elsewhere. Read it again and repeat the request with its new ETag.")]
    Stale,
    /// A request with this idempotency key already created this key.
    #[error(
        "This idempotency key was already used to create a key, and the secret cannot be shown again. If you did not save the \
         secret, delete that key and create another one with a new idempotency key."
    )]
    AlreadyCreated(KeyId),
    /// The idempotency key was already used with a different body.
    #[error("This idempotency key was already used with a different body. Use a new one.")]
    Reused,
    /// The requested key would have more privileges than the key behind the token.
    #[error("A client cannot grant more than its own key allows: see errors.")]
    ExceedsPrivileges(Vec<InvalidField>),
}
