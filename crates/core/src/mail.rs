//! Mail, as a parameter. It is sent after the commit of what it tells of, never before.

use async_trait::async_trait;
use keyward_domain::email::Email;

/// A letter of plain text to one address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    pub to: Email,
    pub subject: String,
    pub text: String,
}

/// Why a letter did not go out. The words are for the log.
#[derive(Debug, thiserror::Error)]
#[error("the letter did not go out: {0}")]
pub struct MailError(pub String);

/// Sends letters.
#[async_trait]
pub trait Mailer: Send + Sync {
    /// Whether letters go anywhere. Without mail a link is shown to be copied instead.
    fn is_set(&self) -> bool;

    /// Hands a letter over.
    ///
    /// # Errors
    /// If the server for outgoing mail did not take it.
    async fn send(&self, letter: Letter) -> Result<(), MailError>;
}

/// No mail was set up.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoMail;

#[async_trait]
impl Mailer for NoMail {
    fn is_set(&self) -> bool {
        false
    }

    async fn send(&self, _: Letter) -> Result<(), MailError> {
        Err(MailError("no server for outgoing mail was set".to_owned()))
    }
}
