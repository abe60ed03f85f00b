//! What the ways in have in common: which there are, letters that go out behind the answer, and links that work once.

use super::{
    Accounts,
    throttle::{Guess, Throttle},
};
use crate::{Error, Field, actor::Origin, mail::Letter, once::OneTimeCode, policy};
use keyward_domain::{email::Email, entry::Ways, policy::SignUp, time::Timestamp};
use keyward_store::{self as store, Tx, links::LinkRow};
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Letters that are written at the same time, and that wait for that, at most.
const WRITTEN: usize = 8;
const WAITING: usize = 512;
/// Letters of all kinds that one address is sent an hour, at most: nobody fills somebody else's mailbox.
const AN_HOUR: i64 = 5;
const HOUR: i64 = 3_600;

/// What a link is for.
pub(super) const SIGN_UP: &str = "sign_up";
pub(super) const INVITATION: &str = "invitation";
pub(crate) const RESET: &str = "reset";
/// No link at all: somebody was told that they have an account, or a later invitation replaced this one. It counts like one.
pub(super) const TOLD: &str = "told";

/// What is said to a signed-in user who invites an address that was sent enough.
pub(crate) const SENT_ENOUGH: &str = "This address was sent five emails within an hour. Try again later.";

/// What is said of a link that opens nothing.
pub(super) const GONE: &str = "This link was used already, or it is too old. Ask for a new one.";
const PASSWORDS_OFF: &str = "Passwords are switched off on this Keyward. Use the button on the sign-in page.";

/// Who asked for letters, and how many are being written.
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

/// Whether this address was sent enough for an hour, by letters of all kinds. Counted in the transaction that inserts the next link
/// or invitation, which comes after those of all nodes: requests at the same time do not pass together.
pub(crate) async fn was_sent_enough(tx: &mut Tx<'_>, email: &str, now: Timestamp) -> Result<bool, Error> {
    store::queue::take_turns(tx).await?;
    Ok(store::links::count_since(tx, email, now.plus_seconds(-HOUR).micros()).await? >= AN_HOUR)
}

impl Accounts {
    /// The ways in.
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

    /// Whether passwords are taken at all.
    pub(super) fn takes_passwords(&self) -> Result<(), Error> {
        if self.config.sign_in.passwords { Ok(()) } else { Err(Error::Forbidden(PASSWORDS_OFF)) }
    }

    /// Whose letters these are.
    pub(super) fn product(&self) -> &str {
        self.config.name.as_deref().unwrap_or("Keyward")
    }

    /// Reads the address that a letter is asked for, and waits or refuses if too many were asked for: the same for every address,
    /// before it is looked for.
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

    /// Does what was asked for behind the answer, which so takes the same time whoever has an account.
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

    /// A new link: its code, and its row for so many seconds.
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

    /// The address of a page that takes a code.
    pub(super) fn address(&self, path: &str, code: &OneTimeCode) -> String {
        format!("{}{path}{}", self.config.public_url, code.expose())
    }

    /// Sends a letter, after what it tells of was written down. Whether it went out.
    pub(super) async fn post(&self, to: &Email, subject: String, text: String) -> bool {
        let letter = Letter { to: to.clone(), subject, text };
        let sent = self.ground.mail.send(letter).await;
        if let Err(error) = &sent {
            tracing::error!(%error, "mail.failed");
        }
        sent.is_ok()
    }
}
