//! Shared parts of sign-in and registration: the available methods, emails sent in the background, and one-time links.

use super::{
    Accounts,
    throttle::{Guess, Throttle},
};
use crate::{Error, InvalidField, actor::Origin, mail::EmailMessage, one_time_tokens::OneTimeCode, policy};
use keyward_domain::{
    email::Email, error_chain::ErrorChain, policy::SignUp, registration::SignInMethods, time::Timestamp,
};
use keyward_store::{self as store, Tx, email_links::LinkRow};
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::Instrument as _;

/// Maximum number of emails that are prepared at the same time, and that wait for it.
const PREPARING_MAX: usize = 8;
const WAITING_MAX: usize = 512;
/// Maximum number of emails of all kinds to one address per hour. It prevents flooding of another person's mailbox.
const EMAILS_PER_HOUR: i64 = 5;
const HOUR: i64 = 3_600;

/// Purposes of one-time links.
pub(super) const SIGN_UP: &str = "sign_up";
pub(super) const INVITATION: &str = "invitation";
pub(crate) const RESET: &str = "reset";
/// A row without a usable link: the user was told that they have an account, or a later invitation replaced this one.
/// It counts toward the hourly limit.
pub(super) const NOTICE: &str = "told";

/// Message for a signed-in user who invites an address that has reached the hourly limit.
pub(crate) const EMAIL_LIMIT_REACHED: &str =
    "This address has received the maximum number of emails for one hour. Try again later.";

/// Message for a link that is invalid, used, or expired.
pub(super) const INVALID_LINK: &str = "This link is no longer valid. Request a new one.";
const PASSWORDS_OFF: &str = "Password sign-in is disabled. Use the button on the sign-in page.";

/// Limits requests for emails, and emails in preparation.
pub(super) struct AccountMailer {
    throttle: Throttle,
    waiting: Arc<Semaphore>,
    written: Arc<Semaphore>,
}

impl Default for AccountMailer {
    fn default() -> Self {
        Self {
            throttle: Throttle::default(),
            waiting: Arc::new(Semaphore::new(WAITING_MAX)),
            written: Arc::new(Semaphore::new(PREPARING_MAX)),
        }
    }
}

/// Returns whether this address has reached the hourly limit for emails of all kinds.
///
/// It counts inside the transaction that inserts the next link or invitation, and waits for the transactions of all
/// nodes, so that concurrent requests cannot exceed the limit together.
pub(crate) async fn has_reached_email_limit(tx: &mut Tx<'_>, email: &str, now: Timestamp) -> Result<bool, Error> {
    store::write_queue::serialize_change(tx).await?;
    Ok(store::email_links::count_since(tx, email, now.plus_seconds(-HOUR).micros()).await? >= EMAILS_PER_HOUR)
}

impl Accounts {
    /// Returns the available sign-in methods.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn sign_in_methods(&self) -> Result<SignInMethods, Error> {
        let mut reader = self.context.pool.acquire_reader().await?;
        let policy = policy::load(&mut reader.conn()).await?;
        let mail = self.context.mail.is_configured();
        let passwords = self.config.sign_in.passwords;
        Ok(SignInMethods {
            passwords,
            provider: self.config.sign_in.oidc.as_ref().map(|oidc| oidc.name.clone()),
            sign_up: passwords && mail && policy.sign_up == SignUp::Open,
            mail,
        })
    }

    /// Checks that passwords are enabled.
    pub(super) fn require_passwords_enabled(&self) -> Result<(), Error> {
        if self.config.sign_in.passwords { Ok(()) } else { Err(Error::Forbidden(PASSWORDS_OFF)) }
    }

    /// Returns the product name that emails use.
    pub(super) fn product(&self) -> &str {
        self.config.name.as_deref().unwrap_or("Keyward")
    }

    /// Parses the address for a requested email and applies the limits. The limits are the same for every address and
    /// apply before the account is looked up.
    pub(super) async fn admit_email_request(
        &self,
        what: &str,
        email: &str,
        origin: &Origin,
    ) -> Result<(Email, OwnedSemaphorePermit), Error> {
        let email: Email = email.parse().map_err(|e| Error::Invalid(vec![InvalidField::new("email", e)]))?;
        let account = format!("{what} {email}");
        self.mailer.throttle.admit(Guess::Request, &account, origin.ip, self.context.now()).await?;
        // The semaphore is never closed, so it has no free permit.
        let turn = self.mailer.waiting.clone().try_acquire_owned().map_err(|_| Error::Busy)?;
        Ok((email, turn))
    }

    /// Runs work in the background. The response does not wait for it, so its time does not reveal whether an account
    /// exists.
    pub(super) fn run_in_background(
        &self,
        turn: OwnedSemaphorePermit,
        work: impl Future<Output = Result<(), Error>> + Send + 'static,
    ) {
        let written = self.mailer.written.clone();
        // In the span of the request, so that a failure has its id.
        let write = async move {
            let Ok(_writing) = written.acquire_owned().await else { return };
            if let Err(error) = work.await {
                tracing::error!(error = %ErrorChain(&error), "letter.failed");
            }
            drop(turn);
        };
        tokio::spawn(write.in_current_span());
    }

    /// Creates a one-time link: its code, and its row, valid for `life` seconds.
    pub(super) fn new_link(&self, purpose: &str, email: &Email, life: i64) -> (OneTimeCode, LinkRow) {
        let now = self.context.now();
        let row = LinkRow {
            purpose: purpose.to_owned(),
            email: Some(email.to_string()),
            user_id: None,
            next: None,
            created_at: now.micros(),
            expires_at: now.plus_seconds(life).micros(),
        };
        (OneTimeCode::generate(&*self.context.random), row)
    }

    /// Returns the URL of a page that accepts a code.
    pub(super) fn link_url(&self, path: &str, code: &OneTimeCode) -> String {
        format!("{}{path}{}", self.config.public_url, code.expose())
    }

    /// Sends an email; call it after the related change is committed. Returns whether the email was sent.
    pub(super) async fn send_email(&self, to: &Email, subject: String, text: String) -> bool {
        let email = EmailMessage { to: to.clone(), subject, text };
        let sent = self.context.mail.send(email).await;
        if let Err(error) = &sent {
            tracing::error!(error = %ErrorChain(error), "mail.failed");
        }
        sent.is_ok()
    }
}
