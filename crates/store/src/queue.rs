//! The write queue: the node's one way to change the database.
//!
//! A change is a closure. The queue takes what waits (a bounded batch), opens one transaction, runs each closure under a
//! savepoint, then takes the head of the audit chain, appends every event and notes every change, and commits once. Only then
//! are the listeners of this process told, and then the callers answered. A closure that fails rolls back its savepoint alone.
//!
//! By construction no change goes without its event: a [`Tx`] is to be had only here, and a closure that keeps what it did must
//! return a [`Kept`], which [`Kept::with`] makes of a value and an event. [`Kept::unrecorded`] is for upkeep that is nobody's
//! deed (sessions seen, usage counted), and its uses can be listed with one search.

use super::{
    Conn, Error, Location, Pool, Reader, Tx,
    audit::{self, NewEvent},
    changes::{self, Change},
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

/// Changes that may wait before the next caller has to.
const WAITING: usize = 1024;
/// Changes in one transaction: enough to share a disk flush, few enough that the first is not kept waiting.
const BATCH: usize = 64;
/// How often a batch is run again when the database says that it may well succeed now.
const RETRIES: u32 = 3;
/// How long a batch may take on PostgreSQL. On SQLite the write lock is this process's own, and a statement cannot be left.
const BATCH_TIME: Duration = Duration::from_secs(20);
/// How often it is tried, after a batch was lost, whether the database takes writes again.
const PROBE: Duration = Duration::from_secs(1);

/// A future that borrows the transaction.
pub type Writing<'t, T> = Pin<Box<dyn Future<Output = T> + Send + 't>>;

/// What a change leaves behind: its value, its audit events, and what others must hear of.
#[derive(Debug)]
pub struct Kept<T> {
    value: T,
    events: Vec<NewEvent>,
    changes: Vec<Change>,
}

impl<T> Kept<T> {
    /// A change and its event.
    pub fn with(value: T, event: NewEvent) -> Self {
        Self { value, events: vec![event], changes: Vec::new() }
    }

    /// One more event of the same change.
    pub fn and(mut self, event: NewEvent) -> Self {
        self.events.push(event);
        self
    }

    /// Something that other processes must hear of.
    pub fn heard(mut self, change: Change) -> Self {
        self.changes.push(change);
        self
    }

    /// What the change gives back.
    pub fn value(&self) -> &T {
        &self.value
    }

    /// The same change with something else to give back.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Kept<U> {
        Kept { value: f(self.value), events: self.events, changes: self.changes }
    }

    /// Upkeep that is nobody's deed, or a change that turned out to be none.
    pub fn unrecorded(value: T) -> Self {
        Self { value, events: Vec::new(), changes: Vec::new() }
    }
}

/// An error that a change can fail with: it can hold the store's own.
pub trait Refusal: From<Error> + Send + 'static {
    /// The store's error, if it is one.
    fn as_store(&self) -> Option<&Error>;
}

impl Refusal for Error {
    fn as_store(&self) -> Option<&Error> {
        Some(self)
    }
}

/// What became of one closure inside the transaction.
enum Step {
    Keep(Vec<NewEvent>, Vec<Change>),
    Undo,
    Again,
    /// The database or its disk failed: the transaction is gone, or cannot be trusted.
    Fail(Error),
}

/// A change in the queue, whatever its types.
trait Job: Send {
    fn run<'t>(&'t mut self, tx: &'t mut Tx<'_>, last_try: bool) -> Writing<'t, Step>;
    /// Answers the caller. `lost`: nothing of the batch was kept, for this reason, so no answer that was found in it holds.
    fn answer(self: Box<Self>, lost: Option<&Error>);
}

struct Waiting<F, T, E> {
    change: F,
    outcome: Option<Result<T, E>>,
    reply: oneshot::Sender<Result<T, E>>,
}

impl<F, T, E> Job for Waiting<F, T, E>
where
    F: for<'t> FnMut(&'t mut Tx<'_>) -> Writing<'t, Result<Kept<T>, E>> + Send,
    T: Send,
    E: Refusal,
{
    fn run<'t>(&'t mut self, tx: &'t mut Tx<'_>, last_try: bool) -> Writing<'t, Step> {
        Box::pin(async move {
            let outcome = AssertUnwindSafe((self.change)(tx)).catch_unwind().await;
            let (outcome, step) = match outcome {
                Ok(Ok(kept)) => (Ok(kept.value), Step::Keep(kept.events, kept.changes)),
                Ok(Err(e)) if !last_try && e.as_store().is_some_and(Error::is_transient) => (Err(e), Step::Again),
                Ok(Err(e)) => {
                    let failed = e.as_store().filter(|it| it.ends_transaction()).map(Error::not_written);
                    (Err(e), failed.map_or(Step::Undo, Step::Fail))
                }
                Err(_) => (Err(Error::Panicked.into()), Step::Undo),
            };
            self.outcome = Some(outcome);
            step
        })
    }

    fn answer(self: Box<Self>, lost: Option<&Error>) {
        let answer = match (lost, self.outcome) {
            (None, Some(outcome)) => outcome,
            (lost, _) => Err(lost.map_or(Error::Closed, Error::not_written).into()),
        };
        // The caller may have gone: its connection was closed. What was kept stays kept.
        let _ = self.reply.send(answer);
    }
}

/// What a batch did that others must hear of.
#[derive(Debug, Default)]
pub struct Committed {
    pub changes: Vec<Change>,
    /// The keys that were made: ids, and digests of their secrets.
    pub made: Vec<(Uuid, [u8; 32])>,
    /// The number of the last of the changes; `None`: nobody knows whether the batch was committed.
    pub last: Option<i64>,
}

/// Hears of every batch of this process: after its commit, and before anybody is answered.
pub trait Listener: Send + Sync {
    fn committed(&self, batch: &Committed);
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
    /// Changes that wait for their turn.
    pub fn waiting(&self) -> usize {
        self.jobs.max_capacity() - self.jobs.capacity()
    }

    /// Why writes fail now, or do not end; `None`: they succeed.
    pub fn trouble(&self) -> Option<WriteTrouble> {
        self.health.trouble()
    }

    /// Batches that were lost since the start.
    pub fn lost_batches(&self) -> u64 {
        self.health.lost()
    }

    /// Starts the queue's task. It ends when every handle is gone, after what waited has been written.
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
                    // Readiness depends on it: a node that is sent no requests would never find out that it can write again.
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
                    let mut done = Committed::default();
                    let outcome = write(&pool, &mut batch, tries == RETRIES, &mut done).await;
                    // Also when it failed: a connection that broke may have committed.
                    tell(&told, &done);
                    match outcome {
                        Ok(seq) => {
                            if let Some(seq) = seq {
                                appended.send_replace(seq);
                            }
                            break None;
                        }
                        // Only a new transaction gives back what the earlier changes of this one hold.
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
                    job.answer(lost.as_ref());
                }
            }
        });
        (Self { jobs, head, listeners, health }, task)
    }

    /// Tells this listener of every batch from now on.
    pub fn tell(&self, listener: Arc<dyn Listener>) {
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner).push(listener);
    }

    /// The number of the last event that this process has appended, to be watched; other processes append too.
    pub fn head(&self) -> watch::Receiver<i64> {
        self.head.clone()
    }

    /// Runs a change and waits until it is kept. It may be run more than once, each time from the state before it.
    ///
    /// # Errors
    /// What the closure refused with; or the store's error if the batch could not be committed.
    pub async fn write<F, T, E>(&self, change: F) -> Result<T, E>
    where
        F: for<'t> FnMut(&'t mut Tx<'_>) -> Writing<'t, Result<Kept<T>, E>> + Send + 'static,
        T: Send + 'static,
        E: Refusal,
    {
        let (reply, answer) = oneshot::channel();
        self.jobs.send(Box::new(Waiting { change, outcome: None, reply })).await.map_err(|_| Error::Closed)?;
        answer.await.map_err(|_| Error::Closed)?
    }
}

fn tell(listeners: &Listeners, done: &Committed) {
    if done.changes.is_empty() && done.made.is_empty() {
        return;
    }
    let listeners = listeners.lock().unwrap_or_else(PoisonError::into_inner).clone();
    for listener in listeners {
        listener.committed(done);
    }
}

/// A pause before a batch is run again, in milliseconds 10 to 50: random, so that nodes that got into each other's way do not meet
/// again at once. The hasher of the standard library is random enough for that, not for secrets.
fn pause() -> Duration {
    Duration::from_millis(10 + RandomState::new().build_hasher().finish() % 41)
}

/// What to do about a lost batch, for the log: an error of SQLite does not name its file.
fn advice(pool: &Pool, error: &Error) -> Option<String> {
    match pool {
        Pool::Sqlite { file, .. } => super::advice(error, &Location::Sqlite(file.path().to_owned())),
        Pool::Postgres(_) => None,
    }
}

/// One batch in one transaction: the number of its last event, if it has one. `done`: what others must hear of, committed or not.
async fn write(
    pool: &Pool,
    batch: &mut [Box<dyn Job>],
    last_try: bool,
    done: &mut Committed,
) -> Result<Option<i64>, Error> {
    let (seq, last) = transaction(pool, Work::Batch(batch, last_try, done)).await?;
    done.last = last;
    Ok(seq)
}

/// Runs something in one transaction. After an error the connection is closed, and another one opened for the next: a transaction
/// that SQLite has rolled back by itself (a full disk), or that may still be open, spoils it for all that come after.
async fn transaction(pool: &Pool, work: Work<'_>) -> Result<Numbers, Error> {
    match pool {
        Pool::Sqlite { write, file, .. } => {
            file.check()?;
            let mut conn = write.acquire().await?;
            let outcome = async {
                // IMMEDIATE: a deferred transaction that upgrades fails at once, whatever the busy timeout.
                let mut tx = conn.begin_with("BEGIN IMMEDIATE").await?;
                let value = work.run(&mut Tx::new(Conn::Sqlite(&mut tx))).await?;
                tx.commit().await?;
                Ok(value)
            };
            let outcome = outcome.await;
            if outcome.is_err() {
                file.forget();
                drop(conn.detach());
            }
            outcome
        }
        Pool::Postgres(node) => {
            let mut conn = node.connection().await?;
            let outcome = node.unless_unavailable(async {
                let mut tx = conn.begin().await?;
                let value = work.run(&mut Tx::new(Conn::Postgres(&mut tx))).await?;
                tx.commit().await?;
                Ok(value)
            });
            let outcome = timeout(BATCH_TIME, outcome).await;
            let outcome = outcome.unwrap_or(Err(Error::TookTooLong(BATCH_TIME.as_secs())));
            if outcome.is_ok() {
                // In bounded time, also if the server falls silent now.
                drop(Reader::Postgres(conn));
            } else {
                drop(conn.detach());
            }
            outcome
        }
    }
}

/// Whether the database takes writes: one that changes nothing, and a read of the head, which every change needs. SQLite writes
/// where pages are damaged, as long as it need not read them.
async fn probe(pool: &Pool) -> Result<(), Error> {
    let sql = match pool {
        // It writes the first page, also where it leaves the number as it is.
        Pool::Sqlite { .. } => "PRAGMA user_version = 0",
        Pool::Postgres(_) => "UPDATE head SET id = id WHERE id = 1",
    };
    transaction(pool, Work::Probe(sql)).await.map(|_| ())
}

/// The numbers of the last event and of the last change, where there are any.
type Numbers = (Option<i64>, Option<i64>);

/// What is done in a transaction.
enum Work<'w> {
    Batch(&'w mut [Box<dyn Job>], bool, &'w mut Committed),
    Probe(&'static str),
}

impl Work<'_> {
    async fn run(self, tx: &mut Tx<'_>) -> Result<Numbers, Error> {
        match self {
            Self::Batch(batch, last_try, done) => run(tx, batch, last_try, done).await,
            Self::Probe(sql) => {
                statement(tx, sql).await?;
                audit::take_head(tx).await.map(|_| (None, None))
            }
        }
    }
}

async fn run(
    tx: &mut Tx<'_>,
    batch: &mut [Box<dyn Job>],
    last_try: bool,
    done: &mut Committed,
) -> Result<Numbers, Error> {
    let mut events = Vec::new();
    for job in batch {
        statement(tx, "SAVEPOINT change").await?;
        let step = job.run(tx, last_try).await;
        // Of a change that is undone too: that a key might be there is only a hint.
        done.made.append(&mut tx.made);
        match step {
            Step::Keep(new_events, new_changes) => {
                events.extend(new_events);
                done.changes.extend(new_changes);
            }
            Step::Undo => statement(tx, "ROLLBACK TO SAVEPOINT change").await?,
            Step::Again => return Err(Error::Again),
            Step::Fail(error) => return Err(error),
        }
        statement(tx, "RELEASE SAVEPOINT change").await?;
    }
    if events.is_empty() && done.changes.is_empty() {
        return Ok((None, None));
    }
    let any = !events.is_empty();
    let mut head = audit::take_head(tx).await?;
    let at = events.iter().map(|event: &NewEvent| event.at).max().unwrap_or_default();
    for event in events {
        audit::append(tx, &mut head, event).await?;
    }
    for change in &done.changes {
        changes::note(tx, &mut head, at, change).await?;
    }
    if !done.changes.is_empty() {
        changes::ring(tx).await?;
    }
    audit::put_head(tx, &head).await?;
    Ok((any.then_some(head.audit_seq), Some(head.change_seq)))
}

async fn statement(tx: &mut Tx<'_>, sql: &'static str) -> Result<(), Error> {
    super::on!(tx, c => { sqlx::query(sql).execute(c).await?; });
    Ok(())
}

/// Makes this change wait until no other node is between its head and its commit, and the others until this one has committed:
/// for the rare rule over many rows ("nobody is there yet") that no constraint can hold.
///
/// # Errors
/// If the database refuses.
pub async fn take_turns(tx: &mut Tx<'_>) -> Result<(), Error> {
    audit::take_head(tx).await.map(|_| ())
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
