//! Mailer that stores messages for the test.

use async_trait::async_trait;
use keyward::service::mail::{EmailMessage, MailError, Mailer};
use std::sync::{
    Mutex,
    atomic::{AtomicBool, Ordering},
};

/// Starts without configuration, like a server without SMTP.
#[derive(Default)]
pub struct Outbox {
    set: AtomicBool,
    letters: Mutex<Vec<EmailMessage>>,
}

impl Outbox {
    /// Enables delivery.
    pub fn set_up(&self) {
        self.set.store(true, Ordering::SeqCst);
    }

    /// Returns and removes the messages sent so far.
    pub fn take(&self) -> Vec<EmailMessage> {
        std::mem::take(&mut *self.letters.lock().expect("no test panicked over it"))
    }
}

#[async_trait]
impl Mailer for Outbox {
    fn is_configured(&self) -> bool {
        self.set.load(Ordering::SeqCst)
    }

    async fn send(&self, letter: EmailMessage) -> Result<(), MailError> {
        if !self.is_configured() {
            return Err(MailError::new("not set"));
        }
        self.letters.lock().expect("no test panicked over it").push(letter);
        Ok(())
    }
}
