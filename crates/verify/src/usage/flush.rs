//! Usage flush: gathers the counts in memory, appends them in order, and merges them.

use super::{Inner, Usage, notes};
use keyward_core::Error;
use keyward_domain::{error_chain::ErrorChain, ids::SubjectId, time::Timestamp};
use keyward_store::{
    self as store,
    usage::{CallsRow, Flush, InstantRow},
    write_queue::WriteOutcome,
};
use serde::Serialize;
use std::{collections::VecDeque, sync::Arc, time::Duration};
use uuid::Uuid;

/// Interval between flushes.
const EVERY: Duration = Duration::from_secs(1);
/// Maximum number of keys in one stored flush: some ten kilobytes. A query for one key parses one stored flush for each
/// second.
const CHUNK: usize = 500;
/// Maximum number of keys that are merged immediately. More keys wait, so that a database page is written once for a
/// minute's flushes. Meanwhile the "last used" column of the key list is up to a minute late; the page of a key
/// includes waiting flushes.
const FEW: usize = 2_000;
/// Maximum wait of a merge of many keys, in seconds.
const MERGE_INTERVAL: i64 = 60;
/// Age at which the flushes of another process are treated as those of an ended process and merged, in seconds.
const ABANDONED_AFTER: i64 = 180;
/// Flushes merged in one write, each with at most [`CHUNK`] keys: some tens of milliseconds, after which other writes
/// get their turn.
const STEP: i64 = 4;

/// Gathered flushes, in order, until their commit is confirmed.
#[derive(Debug, Default)]
pub(super) struct PendingFlushes {
    /// The number of the last flush.
    pub(super) seq: i64,
    pub(super) flushes: VecDeque<PendingFlush>,
    /// Number of keys in all flushes.
    keys: usize,
    /// Number of lost calls that were already logged.
    logged_lost: u64,
}

impl PendingFlushes {
    fn add(&mut self, parts: &[(SubjectId, KeyCounts)], writer: Uuid, now: Timestamp) {
        let Some(flush) = build_flush(parts, writer, self.seq + 1, now) else { return };
        self.seq += 1;
        self.keys += parts.len();
        let calls = parts.iter().flat_map(|(_, part)| &part.calls).map(|CallsRow(.., calls)| calls).sum();
        self.flushes.push_back(PendingFlush { flush: Arc::new(flush), keys: parts.len(), calls });
    }

    /// Removes the first flush after its commit.
    fn remove_first(&mut self) {
        self.keys -= self.flushes.pop_front().map_or(0, |kept| kept.keys);
    }
}

/// A flush with its number of keys and calls.
#[derive(Clone, Debug)]
pub(super) struct PendingFlush {
    pub(super) flush: Arc<Flush>,
    keys: usize,
    calls: i64,
}

/// Flushes that are appended but not merged yet.
#[derive(Debug, Default)]
pub(super) struct Appended {
    keys: usize,
    since: Option<Timestamp>,
}

/// The counts of one key or grant in a flush.
#[derive(Debug, Default)]
struct KeyCounts {
    calls: Vec<CallsRow>,
    used: Option<i64>,
    whole_at: Option<i64>,
}

impl Usage {
    /// Restores the rate limit quotas that earlier processes saved. Must run before the first call is handled.
    ///
    /// # Errors
    /// If the database cannot be read or written.
    pub async fn restore_quotas(&self) -> Result<(), Error> {
        let Inner { context, limits, .. } = &*self.inner;
        let put = context.queue.write(|tx| {
            Box::pin(async move {
                store::usage::put_waiting_quotas(tx).await?;
                Ok::<_, Error>(WriteOutcome::unaudited(()))
            })
        });
        put.await?;
        let now = context.now();
        let mut reader = context.pool.acquire_reader().await?;
        for row in store::usage::quotas(&mut reader.conn(), now.micros()).await? {
            let limit = row.rate_limit.parse().map_err(|_| store::Error::Corrupt("rate limit of a key"))?;
            limits.restore(row.key_id.into(), limit, Timestamp::from_micros(row.whole_at), now);
        }
        Ok(())
    }

    /// Writes the current counts. Counts that the database does not accept wait for the next flush.
    ///
    /// # Errors
    /// If the write fails.
    pub async fn flush(&self) -> Result<(), Error> {
        let mut appended = self.inner.appended.lock().await;
        let now = self.inner.context.now();
        self.gather(now);
        loop {
            let Some(PendingFlush { flush, keys, .. }) = self.waiting().flushes.front().cloned() else { break };
            self.append(flush).await?;
            // Removed only now: if the write above is interrupted, the same flush is sent again with the same number.
            self.waiting().remove_first();
            appended.keys += keys;
            appended.since.get_or_insert(now);
        }
        let Some(since) = appended.since else { return Ok(()) };
        if appended.keys <= FEW || now.seconds_since(since) >= MERGE_INTERVAL {
            self.merge(now.plus_seconds(-ABANDONED_AFTER)).await?;
            *appended = Appended::default();
        }
        Ok(())
    }

    /// Returns the number of calls that the last flush could not write.
    pub fn unwritten_calls(&self) -> i64 {
        self.waiting().flushes.iter().map(|it| it.calls).sum()
    }

    /// Moves the counts into numbered flushes. While the database accepts no writes, the counts stay in memory, where
    /// they are bounded.
    fn gather(&self, now: Timestamp) {
        let mut waiting = self.waiting();
        if waiting.keys < notes::BOUND {
            for chunk in self.collect_counts(now).chunks(CHUNK) {
                waiting.add(chunk, self.inner.writer, now);
            }
        }
        let lost = self.lost_calls();
        if lost > waiting.logged_lost {
            tracing::warn!(calls = lost - waiting.logged_lost, "usage.lost");
            waiting.logged_lost = lost;
        }
    }

    /// Returns the counts of each key and grant, in the order of ids.
    fn collect_counts(&self, now: Timestamp) -> Vec<(SubjectId, KeyCounts)> {
        // In this order, so that the saved quotas include every counted call.
        let notes = self.inner.notes.drain();
        let mut quotas = self.inner.limits.changed(now);
        quotas.sort_unstable();
        let mut parts: Vec<(SubjectId, KeyCounts)> = Vec::new();
        let mut part = |subject: SubjectId, put: &mut dyn FnMut(&mut KeyCounts)| match parts.last_mut() {
            Some((last, part)) if *last == subject => put(part),
            _ => {
                let mut part = KeyCounts::default();
                put(&mut part);
                parts.push((subject, part));
            }
        };
        let mut quotas = quotas.into_iter().peekable();
        for (subject, hour, tally) in notes {
            let id = Uuid::from(subject);
            while let Some((of, at)) = quotas.next_if(|(of, _)| Uuid::from(*of) <= id) {
                part(of.into(), &mut |part| part.whole_at = Some(at));
            }
            part(subject, &mut |part| {
                part.calls.extend(tally.calls().map(|(o, calls)| CallsRow(id, hour, o.as_str().into(), calls)));
                part.used = part.used.max(tally.last_used());
            });
        }
        for (of, at) in quotas {
            part(of.into(), &mut |part| part.whole_at = Some(at));
        }
        parts
    }

    async fn append(&self, flush: Arc<Flush>) -> Result<(), Error> {
        let write = self.inner.context.queue.write(move |tx| {
            let flush = flush.clone();
            Box::pin(async move {
                store::usage::append(tx, &flush).await?;
                Ok::<_, Error>(WriteOutcome::unaudited(()))
            })
        });
        write.await
    }

    /// Merges this process's flushes, and those that other processes appended before `before`.
    async fn merge(&self, before: Timestamp) -> Result<(), Error> {
        let writer = self.inner.writer;
        loop {
            let step = self.inner.context.queue.write(move |tx| {
                Box::pin(async move {
                    let taken = store::usage::merge(tx, writer, before.micros(), STEP).await?;
                    Ok::<_, Error>(WriteOutcome::unaudited(taken))
                })
            });
            if step.await? == 0 {
                return Ok(());
            }
        }
    }

    /// Merges all appended flushes.
    ///
    /// # Errors
    /// If the write fails.
    pub async fn merge_all(&self) -> Result<(), Error> {
        let mut appended = self.inner.appended.lock().await;
        self.merge(self.inner.context.now()).await?;
        *appended = Appended::default();
        Ok(())
    }

    /// Flushes periodically until the process ends. First merges the flushes that earlier processes left behind.
    pub async fn run(self) {
        if let Err(error) = self.merge_all().await {
            tracing::error!(error = %ErrorChain(&error), "usage.merge_failed");
        }
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if let Err(error) = self.flush().await {
                tracing::error!(error = %ErrorChain(&error), "usage.flush_failed");
            }
        }
    }
}

/// Builds one flush from the counts of some keys and grants. Returns `None` if there are none.
fn build_flush(parts: &[(SubjectId, KeyCounts)], writer: Uuid, seq: i64, now: Timestamp) -> Option<Flush> {
    let ((first, _), (last, _)) = (parts.first()?, parts.last()?);
    let of = |instant: fn(&KeyCounts) -> Option<i64>| {
        parts
            .iter()
            .filter_map(|(subject, part)| Some(InstantRow((*subject).into(), instant(part)?)))
            .collect::<Vec<_>>()
    };
    let calls: Vec<_> = parts.iter().flat_map(|(_, part)| &part.calls).collect();
    let quotas = of(|part| part.whole_at);
    Some(Flush {
        writer,
        seq,
        at: now.micros(),
        first_key: (*first).into(),
        last_key: (*last).into(),
        calls: json(&calls),
        used: json(&of(|part| part.used)),
        quotas: (!quotas.is_empty()).then(|| json(&quotas)),
    })
}

#[expect(clippy::expect_used, reason = "ids, numbers and words are always JSON")]
fn json(rows: &impl Serialize) -> String {
    serde_json::to_string(rows).expect("JSON")
}
