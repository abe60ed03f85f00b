//! The write queue: the node's one way to change the database.
//!
//! A change is a closure. The queue takes what waits (a bounded batch), opens one transaction, runs each closure under a
//! savepoint, then takes the head of the audit chain, appends every event and notes every change, and commits once. Only then
//! is anybody answered. A closure that fails rolls back its savepoint alone.
//!
//! By construction no change goes without its event: a [`Tx`] is to be had only here, and a closure that keeps what it did must
//! return a [`Kept`], which [`Kept::with`] makes of a value and an event. [`Kept::unrecorded`] is for upkeep that is nobody's
//! deed (sessions seen, usage counted), and its uses can be listed with one search.

use super::{
    Conn, Error, Pool, Tx,
    audit::{self, NewEvent},
    changes::{self, Change},
};
use futures::FutureExt as _;
use std::{future::Future, panic::AssertUnwindSafe, pin::Pin};
use tokio::sync::{mpsc, oneshot, watch};

/// Changes that may wait before the next caller has to.
const WAITING: usize = 1024;
/// Changes in one transaction: enough to share a disk flush, few enough that the first is not kept waiting.
const BATCH: usize = 64;
/// How often a batch is run again when the database says that it may well succeed now.
const RETRIES: u32 = 3;

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
}

/// A change in the queue, whatever its types.
trait Job: Send {
    fn run<'t>(&'t mut self, tx: &'t mut Tx<'_>, last_try: bool) -> Writing<'t, Step>;
    /// Answers the caller. Not committed: nothing of the batch was kept, so no answer that was found in it holds.
    fn answer(self: Box<Self>, committed: bool);
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
                Ok(Err(e)) => (Err(e), Step::Undo),
                Err(_) => (Err(Error::Closed.into()), Step::Undo),
            };
            self.outcome = Some(outcome);
            step
        })
    }

    fn answer(self: Box<Self>, committed: bool) {
        let answer = match self.outcome {
            Some(outcome) if committed => outcome,
            _ => Err(Error::Closed.into()),
        };
        // The caller may have gone: its connection was closed. What was kept stays kept.
        let _ = self.reply.send(answer);
    }
}

/// A handle to the queue; clones share it.
#[derive(Clone)]
pub struct Queue {
    jobs: mpsc::Sender<Box<dyn Job>>,
    /// The number of the last event that this process has appended; 0 before its first.
    head: watch::Receiver<i64>,
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

    /// Starts the queue's task. It ends when every handle is gone, after what waited has been written.
    pub fn start(pool: Pool) -> (Self, tokio::task::JoinHandle<()>) {
        let (jobs, mut receiver) = mpsc::channel::<Box<dyn Job>>(WAITING);
        let (appended, head) = watch::channel(0);
        let task = tokio::spawn(async move {
            let mut batch = Vec::with_capacity(BATCH);
            while receiver.recv_many(&mut batch, BATCH).await > 0 {
                let mut tries = 0;
                let committed = loop {
                    match write(&pool, &mut batch, tries == RETRIES).await {
                        Ok(seq) => {
                            if let Some(seq) = seq {
                                appended.send_replace(seq);
                            }
                            break true;
                        }
                        // Only a new transaction gives back what the earlier changes of this one hold.
                        Err(error) if error.is_transient() && tries < RETRIES => tries += 1,
                        Err(error) => {
                            tracing::error!(%error, changes = batch.len(), "store.batch_lost");
                            break false;
                        }
                    }
                };
                for job in batch.drain(..) {
                    job.answer(committed);
                }
            }
        });
        (Self { jobs, head }, task)
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

/// One batch in one transaction: the number of its last event, if it has one.
async fn write(pool: &Pool, batch: &mut [Box<dyn Job>], last_try: bool) -> Result<Option<i64>, Error> {
    Ok(match pool {
        Pool::Sqlite { write, .. } => {
            // IMMEDIATE: a deferred transaction that upgrades fails at once, whatever the busy timeout.
            let mut tx = write.begin_with("BEGIN IMMEDIATE").await?;
            let seq = run(&mut Tx(Conn::Sqlite(&mut tx)), batch, last_try).await?;
            tx.commit().await?;
            seq
        }
        Pool::Postgres(pool) => {
            let mut tx = pool.begin().await?;
            let seq = run(&mut Tx(Conn::Postgres(&mut tx)), batch, last_try).await?;
            tx.commit().await?;
            seq
        }
    })
}

async fn run(tx: &mut Tx<'_>, batch: &mut [Box<dyn Job>], last_try: bool) -> Result<Option<i64>, Error> {
    let (mut events, mut changes) = (Vec::new(), Vec::new());
    for job in batch {
        statement(tx, "SAVEPOINT change").await?;
        match job.run(tx, last_try).await {
            Step::Keep(new_events, new_changes) => {
                events.extend(new_events);
                changes.extend(new_changes);
            }
            Step::Undo => statement(tx, "ROLLBACK TO SAVEPOINT change").await?,
            Step::Again => return Err(Error::Again),
        }
        statement(tx, "RELEASE SAVEPOINT change").await?;
    }
    if events.is_empty() && changes.is_empty() {
        return Ok(None);
    }
    let any = !events.is_empty();
    let mut head = audit::take_head(tx).await?;
    let at = events.iter().map(|event: &NewEvent| event.at).max().unwrap_or_default();
    for event in events {
        audit::append(tx, &mut head, event).await?;
    }
    for change in &changes {
        changes::note(tx, &mut head, at, change).await?;
    }
    audit::put_head(tx, &head).await?;
    Ok(any.then_some(head.audit_seq))
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
