//! Checkpoint signing: every minute with new events, and every 1,000 events.
//!
//! Two checkpoints are never more than [`EVERY`] events apart. If more events arrive at once, intermediate events are
//! signed too. A checkpoint is signed as soon as this process has appended the thousandth event, and within one second
//! if other processes did (another node, the command line).
//!
//! Events are verified before they are signed: from the last checkpoint on, and against what this process has signed
//! before. A log that was changed outside Keyward gets no signature. A change before a restart that includes the
//! checkpoints is visible only in the printed lines.

use super::{Audit, checkpoint::Checkpoint, keys::PublicKey, verify_chain::ChainVerifier};
use crate::Error;
use keyward_domain::error_chain::ErrorChain;
use keyward_store::{self as store, checkpoints::CheckpointRow, write_queue::WriteOutcome};
use std::{sync::PoisonError, time::Duration};
use tokio::time::{MissedTickBehavior, interval};

/// Number of events after which a checkpoint is due at once.
pub const EVERY: i64 = 1_000;
/// Interval at which any new events are signed.
const MINUTE: Duration = Duration::from_secs(60);
/// Delay before a retry when the database rejects a query.
const RETRY_DELAY: Duration = Duration::from_secs(5);
/// Interval at which events of other processes are polled.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

impl Audit {
    /// Signs unsigned events in steps of [`EVERY`]; with `whole`, up to the last event. Returns the new checkpoints,
    /// and the last signed event.
    ///
    /// # Errors
    /// If the database rejects a query; [`Error::Internal`] if the log is inconsistent. In that case nothing more is
    /// signed.
    #[tracing::instrument(name = "audit.sign", skip_all)]
    pub async fn sign(&self, whole: bool) -> Result<(Vec<Checkpoint>, i64), Error> {
        let mut made = Vec::new();
        loop {
            let (last, head) = {
                let mut reader = self.context.pool.acquire_reader().await?;
                let mut conn = reader.conn();
                let last = store::checkpoints::last(&mut conn).await?;
                (last, store::audit::head(&mut conn).await?.0)
            };
            let signed = last.as_ref().map_or(0, |row| row.seq);
            self.check_signed_events(signed, head).await?;
            if head - signed < if whole { 1 } else { EVERY } {
                return Ok((made, signed));
            }
            let checkpoint = self.prepare(last).await?;
            if self.insert_checkpoint(&checkpoint).await? {
                self.remember(&checkpoint);
                if let Some(say) = self.on_checkpoint.get() {
                    say(&checkpoint);
                }
                made.push(checkpoint);
            }
        }
    }

    /// Checks that the events that this process knows to be signed are unchanged. An attacker who removed the last
    /// checkpoints and rewrote the events gets no signature. (After a restart only the printed checkpoints reveal this:
    /// see `--checkpoints`.)
    async fn check_signed_events(&self, signed: i64, head: i64) -> Result<(), Error> {
        const SHORTER: Error =
            Error::Internal("the audit log is shorter than its signed part; run: keyward audit verify");
        if head < signed {
            tracing::error!(head, signed, "audit.broken");
            return Err(SHORTER);
        }
        let known = self.last_signed.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some((seq, hash)) = known else { return Ok(()) };
        let mut reader = self.context.pool.acquire_reader().await?;
        let event = store::audit::after(&mut reader.conn(), seq - 1, 1).await?.into_iter().next();
        if signed < seq || event.is_none_or(|event| event.seq != seq || event.hash != hash) {
            tracing::error!(seq, "audit.broken");
            return Err(Error::Internal("the signed part of the audit log has changed; run: keyward audit verify"));
        }
        Ok(())
    }

    fn remember(&self, checkpoint: &Checkpoint) {
        let mut known = self.last_signed.lock().unwrap_or_else(PoisonError::into_inner);
        *known = Some((checkpoint.seq, checkpoint.head.clone()));
    }

    fn public_key(&self) -> PublicKey {
        PublicKey { kid: Some(self.signer.kid.clone()), bytes: self.signer.public }
    }

    /// Verifies the events after the last checkpoint, at most [`EVERY`], and signs the last one.
    async fn prepare(&self, last: Option<CheckpointRow>) -> Result<Checkpoint, Error> {
        const FORGED: Error = Error::Internal("the last checkpoint of the audit log is not signed with its key");
        // Trust only this process's key: an attacker with database access could add a key there.
        let trusted = vec![self.public_key()];
        let mut checker = match last {
            None => ChainVerifier::new(trusted, Vec::new()),
            Some(row) => {
                let checkpoint = Checkpoint::parse(&row.token).filter(|it| it.seq == row.seq).ok_or(FORGED)?;
                checkpoint.is_signed_by(&trusted).ok_or(FORGED)?;
                self.remember(&checkpoint);
                ChainVerifier::from_checkpoint(checkpoint, trusted)
            }
        };
        let after = checker.seq();
        let mut reader = self.context.pool.acquire_reader().await?;
        for event in store::audit::after(&mut reader.conn(), after, EVERY).await? {
            if !checker.check_event(&event) {
                tracing::error!(seq = event.seq, "audit.broken");
                return Err(Error::Internal("the audit log is not intact; run: keyward audit verify"));
            }
        }
        if checker.seq() == after {
            return Err(Error::Internal("the head of the audit log refers to missing events"));
        }
        Ok(Checkpoint::sign(&self.signer, checker.seq(), checker.hash(), after, self.context.now()))
    }

    /// Stores a checkpoint. Returns `false` if another node has signed meanwhile, so that `after` is no longer the last
    /// one.
    async fn insert_checkpoint(&self, checkpoint: &Checkpoint) -> Result<bool, Error> {
        let (after, at) = (checkpoint.after, self.context.now().micros());
        let row = CheckpointRow { seq: checkpoint.seq, at, token: checkpoint.token.clone() };
        let write = self.context.queue.write(move |tx| {
            let row = row.clone();
            Box::pin(async move {
                // Serialized across nodes, so that `after` is the previous checkpoint.
                store::write_queue::serialize_change(tx).await?;
                let last = store::checkpoints::last(tx).await?.map_or(0, |row| row.seq);
                let kept = last == after && store::checkpoints::insert(tx, &row).await?;
                Ok::<_, Error>(WriteOutcome::unaudited(kept))
            })
        });
        write.await
    }

    /// Sets the callback for every checkpoint of this process, called after it is stored. Only the first call has an
    /// effect.
    pub fn set_checkpoint_callback(&self, say: impl Fn(&Checkpoint) + Send + Sync + 'static) {
        let _ = self.on_checkpoint.set(Box::new(say));
    }

    /// Signs checkpoints while the process runs.
    pub async fn run(self) {
        let mut head = self.context.queue.head();
        let (mut minute, mut look) = (interval(MINUTE), interval(POLL_INTERVAL));
        minute.set_missed_tick_behavior(MissedTickBehavior::Delay);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // `is_owed`: the last signing up to the head failed and must be repeated.
        let (mut due, mut is_owed) = (EVERY, false);
        loop {
            let whole = tokio::select! {
                _ = minute.tick() => true,
                _ = look.tick() => false,
                _ = head.wait_for(|seq| *seq >= due) => false,
            };
            let whole = whole || is_owed;
            match self.sign(whole).await {
                Ok((_, signed)) => (due, is_owed) = (signed + EVERY, false),
                Err(error) => {
                    is_owed = whole;
                    tracing::error!(error = %ErrorChain(&error), "audit.unsigned");
                    // Do not retry at the next event. An inconsistent log stays inconsistent; one report per minute is
                    // enough.
                    let pause = if matches!(error, Error::Store(_)) { RETRY_DELAY } else { MINUTE };
                    tokio::time::sleep(pause).await;
                }
            }
        }
    }
}
