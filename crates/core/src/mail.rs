//! Mailer interface. Emails are sent only after the commit of the change that they report.

use async_trait::async_trait;
use keyward_domain::email::Email;

/// A plain-text email to one address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmailMessage {
    pub to: Email,
    pub subject: String,
    pub text: String,
}

/// Error of sending an email. The message is for the log.
#[derive(Debug, thiserror::Error)]
#[error("the email was not sent: {0}")]
pub struct MailError(pub String);

/// Sends emails.
#[async_trait]
pub trait Mailer: Send + Sync {
    /// Whether email is configured. If not, pages show links for copying instead.
    fn is_configured(&self) -> bool;

    /// Sends an email.
    ///
    /// # Errors
    /// If the SMTP server did not accept it.
    async fn send(&self, email: EmailMessage) -> Result<(), MailError>;
}

/// Mailer for instances without email. Sending always fails.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoMail;

#[async_trait]
impl Mailer for NoMail {
    fn is_configured(&self) -> bool {
        false
    }

    async fn send(&self, _: EmailMessage) -> Result<(), MailError> {
        Err(MailError("no mail server is configured".to_owned()))
    }
}
