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

/// Error of sending an email. The message and the cause are for the log; neither contains the text of the email.
#[derive(Debug, thiserror::Error)]
#[error("the email was not sent: {message}")]
pub struct MailError {
    message: String,
    #[source]
    cause: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl MailError {
    /// Creates an error without a cause.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), cause: None }
    }

    /// Creates an error with its cause.
    pub fn caused_by(message: impl Into<String>, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { message: message.into(), cause: Some(cause.into()) }
    }
}

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
        Err(MailError::new("no mail server is configured"))
    }
}
