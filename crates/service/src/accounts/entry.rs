//! Shared parts of sign-in and registration: the available methods, emails sent in the background, and one-time links.

use super::{
    Accounts,
    throttle::{Guess, Throttle},
};
use crate::{Error, Field, actor::Origin, mail::Letter, once::OneTimeCode, policy};
use keyward_domain::{email::Email, entry::Ways, policy::SignUp, time::Timestamp};
use keyward_store::{self as store, Tx, links::LinkRow};
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Maximum number of emails that are prepared at the same time, and that wait for it.
const WRITTEN: usize = 8;
const WAITING: usize = 512;
/// Maximum number of emails of all kinds to one address per hour. It prevents flooding of another person's mailbox.
const AN_HOUR: i64 = 5;
const HOUR: i64 = 3_600;

/// Purposes of one-time links.
pub(super) const SIGN_UP: &str = "sign_up";
pub(super) const INVITATION: &str = "invitation";
pub(crate) const RESET: &str = "reset";
/// A row without a usable link: the user was told that they have an account, or a later invitation replaced this one.
/// It counts toward the hourly limit.
pub(super) const TOLD: &str = "told";

/// Message for a signed-in user who invites an address that has reached the hourly limit.
pub(crate) const SENT_ENOUGH: &str = "This address was sent five emails within an hour. Try again later.";

/// Message for a link that is invalid, used, or expired.
pub(super) const GONE: &str = "This link was used already, or it is too old. Ask for a new one.";
const PASSWORDS_OFF: &str = "Passwords are switched off on this Keyward. Use the button on the sign-in page.";

/// Limits requests for emails, and emails in preparation.
pub(super) struct Letters {
    throttle: Throttle,
    waiting: Arc<Semaphore>,
    written: Arc<Semaphore>,
}

impl Default for Letters {
    fn default() -> Self {
        Self {
            throttle: Throttle::default(),
            waiting: Arc::new(Semaphore::new(WAITING)),
            written: Arc::new(Semaphore::new(WRITTEN)),
        }
    }
}

/// Returns whether this address has reached the hourly limit for emails of all kinds.
///
/// It counts inside the transaction that inserts the next link or invitation, and waits for the transactions of all
/// nodes, so that concurrent requests cannot exceed the limit together.
pub(crate) async fn was_sent_enough(tx: &mut Tx<'_>, email: &str, now: Timestamp) -> Result<bool, Error> {
    store::queue::take_turns(tx).await?;
    Ok(store::links::count_since(tx, email, now.plus_seconds(-HOUR).micros()).await? >= AN_HOUR)
}

impl Accounts {
    /// Returns the available sign-in methods.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn ways(&self) -> Result<Ways, Error> {
        let mut reader = self.ground.pool.read().await?;
        let policy = policy::read(&mut reader.conn()).await?;
        let mail = self.ground.mail.is_set();
        let passwords = self.config.sign_in.passwords;
        Ok(Ways {
            passwords,
            provider: self.config.sign_in.oidc.as_ref().map(|oidc| oidc.name.clone()),
            sign_up: passwords && mail && policy.sign_up == SignUp::Open,
            mail,
        })
    }

    /// Checks that passwords are enabled.
    pub(super) fn takes_passwords(&self) -> Result<(), Error> {
        if self.config.sign_in.passwords { Ok(()) } else { Err(Error::Forbidden(PASSWORDS_OFF)) }
    }

    /// Returns the product name that emails use.
    pub(super) fn product(&self) -> &str {
        self.config.name.as_deref().unwrap_or("Keyward")
    }

    /// Parses the address for a requested email and applies the limits. The limits are the same for every address and
    /// apply before the account is looked up.
    pub(super) async fn ask_for_letter(
        &self,
        what: &str,
        email: &str,
        origin: &Origin,
    ) -> Result<(Email, OwnedSemaphorePermit), Error> {
        let email: Email = email.parse().map_err(|e| Error::Invalid(vec![Field::new("email", e)]))?;
        let account = format!("{what} {email}");
        self.letters.throttle.admit(Guess::Request, &account, origin.ip, self.ground.now()).await?;
        let turn = self.letters.waiting.clone().try_acquire_owned().map_err(|_| Error::Busy)?;
        Ok((email, turn))
    }

    /// Runs work in the background. The response does not wait for it, so its time does not reveal whether an account
    /// exists.
    pub(super) fn later(
        &self,
        turn: OwnedSemaphorePermit,
        work: impl Future<Output = Result<(), Error>> + Send + 'static,
    ) {
        let written = self.letters.written.clone();
        tokio::spawn(async move {
            let Ok(_writing) = written.acquire_owned().await else { return };
            if let Err(error) = work.await {
                tracing::error!(%error, "letter.failed");
            }
            drop(turn);
        });
    }

    /// Creates a one-time link: its code, and its row, valid for `life` seconds.
    pub(super) fn link(&self, purpose: &str, email: &Email, life: i64) -> (OneTimeCode, LinkRow) {
        let now = self.ground.now();
        let row = LinkRow {
            purpose: purpose.to_owned(),
            email: Some(email.to_string()),
            user_id: None,
            next: None,
            created_at: now.micros(),
            expires_at: now.plus_seconds(life).micros(),
        };
        (OneTimeCode::generate(&*self.ground.random), row)
    }

    /// Returns the URL of a page that accepts a code.
    pub(super) fn address(&self, path: &str, code: &OneTimeCode) -> String {
        format!("{}{path}{}", self.config.public_url, code.expose())
    }

    /// Sends an email; call it after the related change is committed. Returns whether the email was sent.
    pub(super) async fn post(&self, to: &Email, subject: String, text: String) -> bool {
        let letter = Letter { to: to.clone(), subject, text };
        let sent = self.ground.mail.send(letter).await;
        if let Err(error) = &sent {
            tracing::error!(%error, "mail.failed");
        }
        sent.is_ok()
    }
}
