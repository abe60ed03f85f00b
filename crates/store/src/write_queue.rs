//! The write queue: the only way for a node to change the database.
//!
//! A change is a closure. The queue takes a bounded batch of waiting changes, opens one transaction, and runs each
//! closure under a savepoint. Then it locks the head of the audit chain, appends the events and the change log entries,
//! and commits once. After the commit it notifies the listeners of this process, then it replies to the callers. A
//! failing closure rolls back its own savepoint only.
//!
//! The types ensure that no change is committed without an audit event. Only this module creates a [`Tx`], and a
//! closure that commits must return a [`WriteOutcome`]. [`WriteOutcome::audited`] builds one from a value and an event.
//! [`WriteOutcome::unaudited`] is for writes without an audit event, such as background jobs (session activity, usage
//! counters); one search lists its uses.

use super::{
    Engine, Error, Location, Pool, Reader, Tx,
    audit::{self, NewEvent},
    change_log::{self, Change},
    write_health::{WriteHealth, WriteTrouble},
};
use crate::log_limit::LogLimit;
use futures::FutureExt as _;
use sqlx::Connection as _;
use std::{
    future::Future,
    hash::{BuildHasher as _, Hasher as _, RandomState},
    panic::AssertUnwindSafe,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::{sleep, timeout},
};
use uuid::Uuid;

/// Capacity of the queue. Further callers wait until there is room.
const WAITING: usize = 1024;
/// Maximum number of changes in one transaction: enough to share a disk flush, few enough to keep the wait of the first
/// one short.
const BATCH: usize = 64;
/// Maximum number of retries of a batch after a transient error.
const RETRIES: u32 = 3;
/// Time limit for a batch on PostgreSQL. SQLite needs none: the process owns its write lock, and a statement cannot be
/// abandoned.
const BATCH_TIME: Duration = Duration::from_secs(20);
/// Interval between probes of whether the database accepts writes again after a lost batch.
const PROBE: Duration = Duration::from_secs(1);

/// A future that borrows the transaction.
pub type Writing<'t, T> = Pin<Box<dyn Future<Output = T> + Send + 't>>;

/// The outcome of a change: its value, its audit events, and its change log entries.
#[derive(Debug)]
pub struct WriteOutcome<T> {
    value: T,
    events: Vec<NewEvent>,
    changes: Vec<Change>,
}

impl<T> WriteOutcome<T> {
    /// Creates the outcome of a change with one audit event.
    pub fn audited(value: T, event: NewEvent) -> Self {
        Self { value, events: vec![event], changes: Vec::new() }
    }

    /// Adds another audit event.
    pub fn and_event(mut self, event: NewEvent) -> Self {
        self.events.push(event);
        self
    }

    /// Adds a change that other processes must receive.
    pub fn notify(mut self, change: Change) -> Self {
        self.changes.push(change);
        self
    }

    /// Returns the value of the change.
    pub fn value(&self) -> &T {
        &self.value
    }

    /// Replaces the value of the change.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> WriteOutcome<U> {
        WriteOutcome { value: f(self.value), events: self.events, changes: self.changes }
    }

    /// Creates the outcome of a write without an audit event: a background job or a no-op.
    pub fn unaudited(value: T) -> Self {
        Self { value, events: Vec::new(), changes: Vec::new() }
    }
}

/// An error type of changes. It can contain a store error.
pub trait ChangeError: From<Error> + Send + 'static {
    /// Returns the store error, if this is one.
    fn as_store(&self) -> Option<&Error>;
}

impl ChangeError for Error {
    fn as_store(&self) -> Option<&Error> {
        Some(self)
    }
}

/// The result of one closure inside the transaction.
enum Step {
    Commit(Vec<NewEvent>, Vec<Change>),
    Rollback,
    Retry,
    /// The database or its disk failed. The transaction was rolled back or cannot be trusted.
    Fail(Error),
}

/// A queued change, with its types erased.
trait Job: Send {
    fn run<'t>(&'t mut self, tx: &'t mut Tx<'_>, last_try: bool) -> Writing<'t, Step>;
    /// Replies to the caller. If `lost` is set, the batch was not committed for this reason, and results computed in it
    /// are invalid.
    fn reply(self: Box<Self>, lost: Option<&Error>);
}

struct QueuedChange<F, T, E> {
    change: F,
    outcome: Option<Result<T, E>>,
    reply: oneshot::Sender<Result<T, E>>,
}

impl<F, T, E> Job for QueuedChange<F, T, E>
where
    F: for<'t> FnMut(&'t mut Tx<'_>) -> Writing<'t, Result<WriteOutcome<T>, E>> + Send,
    T: Send,
    E: ChangeError,
{
    fn run<'t>(&'t mut self, tx: &'t mut Tx<'_>, last_try: bool) -> Writing<'t, Step> {
        Box::pin(async move {
            let outcome = AssertUnwindSafe((self.change)(tx)).catch_unwind().await;
            let (outcome, step) = match outcome {
                Ok(Ok(kept)) => (Ok(kept.value), Step::Commit(kept.events, kept.changes)),
                Ok(Err(e)) if !last_try && e.as_store().is_some_and(Error::is_transient) => (Err(e), Step::Retry),
                Ok(Err(e)) => {
                    let failed = e.as_store().filter(|it| it.ends_transaction()).map(Error::not_written);
                    (Err(e), failed.map_or(Step::Rollback, Step::Fail))
                }
                Err(_) => (Err(Error::Panicked.into()), Step::Rollback),
            };
            self.outcome = Some(outcome);
            step
        })
    }

    fn reply(self: Box<Self>, lost: Option<&Error>) {
        let answer = match (lost, self.outcome) {
            (None, Some(outcome)) => outcome,
            (lost, _) => Err(lost.map_or(Error::Closed, Error::not_written).into()),
        };
        // The caller may have gone, for example when its connection was closed. The change stays committed.
        let _ = self.reply.send(answer);
    }
}

/// The changes of a committed batch, for the listeners.
#[derive(Debug, Default)]
pub struct CommitNotice {
    pub changes: Vec<Change>,
    /// The inserted keys: ids, and digests of their secrets.
    pub created_keys: Vec<(Uuid, [u8; 32])>,
    /// The sequence number of the last change, if any. Also `None` if it is unknown whether the batch was committed.
    pub last: Option<i64>,
}

/// Receives every batch of this process, after its commit and before the callers receive their replies.
pub trait Listener: Send + Sync {
    fn on_commit(&self, batch: &CommitNotice);
}

type Listeners = Arc<Mutex<Vec<Arc<dyn Listener>>>>;

/// A handle to the queue; clones share it.
#[derive(Clone)]
pub struct Queue {
    jobs: mpsc::Sender<Box<dyn Job>>,
    /// The number of the last event that this process has appended; 0 before its first.
    head: watch::Receiver<i64>,
    listeners: Listeners,
    health: Arc<WriteHealth>,
}

impl std::fmt::Debug for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Queue")
    }
}

impl Queue {
    /// Returns the number of waiting changes.
    pub fn waiting(&self) -> usize {
        self.jobs.max_capacity() - self.jobs.capacity()
    }

    /// Returns why writes currently fail or stall, or `None` if they succeed.
    pub fn trouble(&self) -> Option<WriteTrouble> {
        self.health.trouble()
    }

    /// Returns the number of lost batches since the start of the process.
    pub fn lost_batches(&self) -> u64 {
        self.health.lost()
    }

    /// Starts the queue's task. The task ends when every handle is dropped, after the waiting changes are written.
    pub fn start(pool: Pool) -> (Self, tokio::task::JoinHandle<()>) {
        let (jobs, mut receiver) = mpsc::channel::<Box<dyn Job>>(WAITING);
        let (appended, head) = watch::channel(0);
        let listeners = Listeners::default();
        let health = Arc::new(WriteHealth::default());
        let (told, noted) = (listeners.clone(), health.clone());
        let task = tokio::spawn(async move {
            let mut batch = Vec::with_capacity(BATCH);
            loop {
                let received = receiver.recv_many(&mut batch, BATCH);
                let received = if noted.is_failing() {
                    // Readiness depends on the probe: a node that is not ready receives no requests, and would
                    // otherwise never detect that it can write again.
                    match timeout(PROBE, received).await {
                        Ok(received) => received,
                        Err(_) => {
                            noted.begin();
                            noted.end_probe(probe(&pool).await.as_ref().err());
                            continue;
                        }
                    }
                } else {
                    received.await
                };
                if received == 0 {
                    break;
                }
                let mut tries = 0;
                noted.begin();
                let lost = loop {
                    let mut done = CommitNotice::default();
                    let outcome = write(&pool, &mut batch, tries == RETRIES, &mut done).await;
                    // Also after an error: a batch on a broken connection may have been committed.
                    notify_listeners(&told, &done);
                    match outcome {
                        Ok(seq) => {
                            if let Some(seq) = seq {
                                appended.send_replace(seq);
                            }
                            break None;
                        }
                        // Only a new transaction releases the locks of the earlier changes of this one.
                        Err(error) if error.is_transient() && tries < RETRIES => {
                            tries += 1;
                            sleep(pause()).await;
                        }
                        Err(error) => {
                            static LIMIT: LogLimit = LogLimit::new();
                            if let Some(batches) = LIMIT.count() {
                                let advice = advice(&pool, &error);
                                tracing::error!(%error, advice, batches, changes = batch.len(), "store.batch_lost");
                            }
                            break Some(error);
                        }
                    }
                };
                noted.end(lost.as_ref());
                for job in batch.drain(..) {
                    job.reply(lost.as_ref());
                }
            }
        });
        (Self { jobs, head, listeners, health }, task)
    }

    /// Registers a listener for every future batch.
    pub fn subscribe(&self, listener: Arc<dyn Listener>) {
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner).push(listener);
    }

    /// Returns a watch on the number of the last event that this process has appended. Other processes append events
    /// too.
    pub fn head(&self) -> watch::Receiver<i64> {
        self.head.clone()
    }

    /// Runs a change and waits for its commit. The closure may run more than once, each time from the state before it.
    ///
    /// # Errors
    /// The error of the closure, or the store error if the batch could not be committed.
    pub async fn write<F, T, E>(&self, change: F) -> Result<T, E>
    where
        F: for<'t> FnMut(&'t mut Tx<'_>) -> Writing<'t, Result<WriteOutcome<T>, E>> + Send + 'static,
        T: Send + 'static,
        E: ChangeError,
    {
        let (reply, answer) = oneshot::channel();
        // Both errors say only that the queue has ended.
        self.jobs.send(Box::new(QueuedChange { change, outcome: None, reply })).await.map_err(|_| Error::Closed)?;
        answer.await.map_err(|_| Error::Closed)?
    }
}

fn notify_listeners(listeners: &Listeners, done: &CommitNotice) {
    if done.changes.is_empty() && done.created_keys.is_empty() {
        return;
    }
    let listeners = listeners.lock().unwrap_or_else(PoisonError::into_inner).clone();
    for listener in listeners {
        listener.on_commit(done);
    }
}

/// Returns a random pause of 10 to 50 ms before a batch is retried, so that nodes that conflicted do not conflict
/// again. The standard library's hasher is random enough for this, but not for secrets.
fn pause() -> Duration {
    Duration::from_millis(10 + RandomState::new().build_hasher().finish() % 41)
}

/// Returns the remedy for a lost batch, for the log. An error of SQLite does not name its file.
fn advice(pool: &Pool, error: &Error) -> Option<String> {
    match pool {
        Pool::Sqlite { file, .. } => super::advice(error, &Location::Sqlite(file.path().to_owned())),
        Pool::Postgres(_) => None,
    }
}

/// Runs one batch in one transaction. Returns the number of its last event, if it has any. Fills `done` with the notice
/// for listeners, even if the commit fails.
async fn write(
    pool: &Pool,
    batch: &mut [Box<dyn Job>],
    last_try: bool,
    done: &mut CommitNotice,
) -> Result<Option<i64>, Error> {
    let (seq, last) = transaction(pool, Work::Batch(batch, last_try, done)).await?;
    done.last = last;
    Ok(seq)
}

/// Runs work in one transaction. After an error the connection is closed, and the next transaction opens a new one: a
/// transaction that SQLite rolled back by itself (full disk), or that may still be open, would break all later
/// transactions.
async fn transaction(pool: &Pool, work: Work<'_>) -> Result<Numbers, Error> {
    match pool {
        Pool::Sqlite { write, file, .. } => {
            file.check()?;
            let mut conn = write.acquire().await?;
            let outcome = async {
                // IMMEDIATE, because a deferred transaction that upgrades to a write fails at once, regardless of the
                // busy timeout.
                let mut tx = conn.begin_with("BEGIN IMMEDIATE").await?;
                let value = work.run(&mut Tx::new(Engine::Sqlite(&mut tx))).await?;
                tx.commit().await?;
                Ok(value)
            };
            let outcome = outcome.await;
            if outcome.is_err() {
                file.clear_companions();
                drop(conn.detach());
            }
            outcome
        }
        Pool::Postgres(node) => {
            let mut conn = node.connection().await?;
            let outcome = node.unless_unavailable(async {
                let mut tx = conn.begin().await?;
                let value = work.run(&mut Tx::new(Engine::Postgres(&mut tx))).await?;
                tx.commit().await?;
                Ok(value)
            });
            let outcome = timeout(BATCH_TIME, outcome).await;
            let outcome = outcome.unwrap_or(Err(Error::TookTooLong(BATCH_TIME.as_secs())));
            if outcome.is_ok() {
                // Returns the connection within a time limit, even if the server stops responding now.
                drop(Reader::Postgres(conn));
            } else {
                drop(conn.detach());
            }
            outcome
        }
    }
}

/// Checks whether the database accepts writes: a write without effect, and a read of the head, which every change
/// needs. SQLite can write to a file with damaged pages as long as it does not read them.
async fn probe(pool: &Pool) -> Result<(), Error> {
    // Writes the first page even if the number stays the same.
    const PROBE_SQLITE: &str = "PRAGMA user_version = 0";
    const PROBE_POSTGRES: &str = "UPDATE head SET id = id WHERE id = 1";
    let sql = match pool {
        Pool::Sqlite { .. } => PROBE_SQLITE,
        Pool::Postgres(_) => PROBE_POSTGRES,
    };
    transaction(pool, Work::Probe(sql)).await.map(|_| ())
}

/// The numbers of the last event and of the last change, if any.
type Numbers = (Option<i64>, Option<i64>);

/// The work of one transaction.
enum Work<'w> {
    Batch(&'w mut [Box<dyn Job>], bool, &'w mut CommitNotice),
    Probe(&'static str),
}

impl Work<'_> {
    async fn run(self, tx: &mut Tx<'_>) -> Result<Numbers, Error> {
        match self {
            Self::Batch(batch, last_try, done) => run(tx, batch, last_try, done).await,
            Self::Probe(sql) => {
                statement(tx, sql).await?;
                audit::lock_head(tx).await.map(|_| (None, None))
            }
        }
    }
}

async fn run(
    tx: &mut Tx<'_>,
    batch: &mut [Box<dyn Job>],
    last_try: bool,
    done: &mut CommitNotice,
) -> Result<Numbers, Error> {
    let mut events = Vec::new();
    for job in batch {
        statement(tx, "SAVEPOINT change").await?;
        let step = job.run(tx, last_try).await;
        // Includes the keys of rolled-back changes, because an id in this list is only a hint.
        done.created_keys.append(&mut tx.created_keys);
        match step {
            Step::Commit(new_events, new_changes) => {
                events.extend(new_events);
                done.changes.extend(new_changes);
            }
            Step::Rollback => statement(tx, "ROLLBACK TO SAVEPOINT change").await?,
            Step::Retry => return Err(Error::Deadlock),
            Step::Fail(error) => return Err(error),
        }
        statement(tx, "RELEASE SAVEPOINT change").await?;
    }
    if events.is_empty() && done.changes.is_empty() {
        return Ok((None, None));
    }
    let any = !events.is_empty();
    let mut head = audit::lock_head(tx).await?;
    let at = events.iter().map(|event: &NewEvent| event.at).max().unwrap_or_default();
    for event in events {
        audit::append(tx, &mut head, event).await?;
    }
    for change in &done.changes {
        change_log::append(tx, &mut head, at, change).await?;
    }
    if !done.changes.is_empty() {
        change_log::notify(tx).await?;
    }
    audit::put_head(tx, &head).await?;
    Ok((any.then_some(head.audit_seq), Some(head.change_seq)))
}

async fn statement(tx: &mut Tx<'_>, sql: &'static str) -> Result<(), Error> {
    super::with_engine!(tx, c => { sqlx::query(sql).execute(c).await?; });
    Ok(())
}

/// Serializes this change with all others: waits until no other node is between locking the head and its commit, and
/// makes the others wait until this one has committed. For rare rules over many rows ("no user exists yet") that no
/// constraint can express.
///
/// # Errors
/// If the query fails.
pub async fn serialize_change(tx: &mut Tx<'_>) -> Result<(), Error> {
    audit::lock_head(tx).await.map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn pauses_are_short_and_differ() {
        let pauses: HashSet<_> = (0..1_000).map(|_| pause().as_millis()).collect();
        assert!(pauses.iter().all(|millis| (10..=50).contains(millis)), "{pauses:?}");
        assert!(pauses.len() > 20, "{pauses:?}");
    }
}
