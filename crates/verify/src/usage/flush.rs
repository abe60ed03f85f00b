//! Writing what was noted: gathered, appended in order, merged.

use super::{Inner, Usage, notes};
use keyward_core::Error;
use keyward_domain::{ids::KeyId, time::Timestamp};
use keyward_store::{
    self as store,
    queue::Kept,
    usage::{CallsRow, Flush, InstantRow},
};
use serde::Serialize;
use std::{collections::VecDeque, sync::Arc, time::Duration};
use uuid::Uuid;

/// How often what was noted is written.
const EVERY: Duration = Duration::from_secs(1);
/// Keys in one flush of the database's: some ten kilobytes. One look at a key opens one of these a second.
const CHUNK: usize = 500;
/// Keys that are merged at once, within the second. More wait for one another: a page of the database is then written once for a
/// minute's flushes. Meanwhile the list's "last used" is up to a minute late; a key's page reads what waits too.
const FEW: usize = 2_000;
/// How long many may wait. Seconds.
const MERGED: i64 = 60;
/// How long the flushes of another process may wait before they are taken for those of one that has ended. Seconds.
const LEFT: i64 = 180;
/// Flushes merged in one change, of at most [`CHUNK`] keys each: some tens of milliseconds, then other changes take their turn.
const STEP: i64 = 4;

/// What was gathered, in order, until it is known to be kept.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    /// The number of the last flush.
    pub(super) seq: i64,
    pub(super) flushes: VecDeque<Gathered>,
    /// Keys in all of them.
    keys: usize,
    /// Of the calls that were not counted: how many the log has heard of.
    told: u64,
}

impl Waiting {
    fn add(&mut self, parts: &[(KeyId, Part)], writer: Uuid, now: Timestamp) {
        let Some(flush) = flush_of(parts, writer, self.seq + 1, now) else { return };
        self.seq += 1;
        self.keys += parts.len();
        let calls = parts.iter().flat_map(|(_, part)| &part.calls).map(|CallsRow(.., calls)| calls).sum();
        self.flushes.push_back(Gathered { flush: Arc::new(flush), keys: parts.len(), calls });
    }

    /// The first of them is kept.
    fn kept(&mut self) {
        self.keys -= self.flushes.pop_front().map_or(0, |kept| kept.keys);
    }
}

/// A flush, and how many keys are in it.
#[derive(Clone, Debug)]
pub(super) struct Gathered {
    pub(super) flush: Arc<Flush>,
    keys: usize,
    calls: i64,
}

/// What was appended and is not merged yet.
#[derive(Debug, Default)]
pub(super) struct Appended {
    keys: usize,
    since: Option<Timestamp>,
}

/// One key's part of a flush.
#[derive(Debug, Default)]
struct Part {
    calls: Vec<CallsRow>,
    used: Option<i64>,
    whole_at: Option<i64>,
}

impl Usage {
    /// Goes on with what earlier lives of this service saved of limits. Before the first call is answered.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn resume(&self) -> Result<(), Error> {
        let Inner { ground, limits, .. } = &*self.it;
        let put = ground.queue.write(|tx| {
            Box::pin(async move {
                store::usage::put_waiting_quotas(tx).await?;
                Ok::<_, Error>(Kept::unrecorded(()))
            })
        });
        put.await?;
        let now = ground.now();
        let mut reader = ground.pool.read().await?;
        for row in store::usage::quotas(&mut reader.conn(), now.micros()).await? {
            let limit = row.rate_limit.parse().map_err(|_| store::Error::Corrupt("rate limit of a key"))?;
            limits.load(row.key_id.into(), limit, Timestamp::from_micros(row.whole_at), now);
        }
        Ok(())
    }

    /// Writes what was noted until now. What the database does not take waits for the next flush.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn flush(&self) -> Result<(), Error> {
        let mut appended = self.it.appended.lock().await;
        let now = self.it.ground.now();
        self.gather(now);
        loop {
            let Some(Gathered { flush, keys, .. }) = self.waiting().flushes.front().cloned() else { break };
            self.append(flush).await?;
            // Only now: whoever is cut off above sends the same again, with the same number.
            self.waiting().kept();
            appended.keys += keys;
            appended.since.get_or_insert(now);
        }
        let Some(since) = appended.since else { return Ok(()) };
        if appended.keys <= FEW || now.seconds_since(since) >= MERGED {
            self.merge(now.plus_seconds(-LEFT)).await?;
            *appended = Appended::default();
        }
        Ok(())
    }

    /// Calls that the last flush could not write.
    pub fn unwritten_calls(&self) -> i64 {
        self.waiting().flushes.iter().map(|it| it.calls).sum()
    }

    /// Numbers what was noted, for the database to take. While it takes nothing the notes stay where they are, and are bounded there.
    fn gather(&self, now: Timestamp) {
        let mut waiting = self.waiting();
        if waiting.keys < notes::BOUND {
            for chunk in self.parts(now).chunks(CHUNK) {
                waiting.add(chunk, self.it.writer, now);
            }
        }
        let lost = self.lost();
        if lost > waiting.told {
            tracing::warn!(calls = lost - waiting.told, "usage.lost");
            waiting.told = lost;
        }
    }

    /// What was noted, a key each, in their order.
    fn parts(&self, now: Timestamp) -> Vec<(KeyId, Part)> {
        // In this order: what is written of a limit has every call that is counted.
        let notes = self.it.notes.take();
        let mut quotas = self.it.limits.changed(now);
        quotas.sort_unstable();
        let mut parts: Vec<(KeyId, Part)> = Vec::new();
        let mut part = |key: KeyId, put: &mut dyn FnMut(&mut Part)| match parts.last_mut() {
            Some((last, part)) if *last == key => put(part),
            _ => {
                let mut part = Part::default();
                put(&mut part);
                parts.push((key, part));
            }
        };
        let mut quotas = quotas.into_iter().peekable();
        for (key, hour, tally) in notes {
            while let Some((of, at)) = quotas.next_if(|(of, _)| *of <= key) {
                part(of, &mut |part| part.whole_at = Some(at));
            }
            part(key, &mut |part| {
                part.calls.extend(tally.calls().map(|(o, calls)| CallsRow(key.into(), hour, o.as_str().into(), calls)));
                part.used = part.used.max(tally.last_used());
            });
        }
        for (of, at) in quotas {
            part(of, &mut |part| part.whole_at = Some(at));
        }
        parts
    }

    async fn append(&self, flush: Arc<Flush>) -> Result<(), Error> {
        let write = self.it.ground.queue.write(move |tx| {
            let flush = flush.clone();
            Box::pin(async move {
                store::usage::append(tx, &flush).await?;
                Ok::<_, Error>(Kept::unrecorded(()))
            })
        });
        write.await
    }

    /// Takes this process's flushes, and those that others appended before that instant, to where they are read.
    async fn merge(&self, before: Timestamp) -> Result<(), Error> {
        let writer = self.it.writer;
        loop {
            let step = self.it.ground.queue.write(move |tx| {
                Box::pin(async move {
                    let taken = store::usage::merge(tx, writer, before.micros(), STEP).await?;
                    Ok::<_, Error>(Kept::unrecorded(taken))
                })
            });
            if step.await? == 0 {
                return Ok(());
            }
        }
    }

    /// Takes all that was appended to where it is read.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn settle(&self) -> Result<(), Error> {
        let mut appended = self.it.appended.lock().await;
        self.merge(self.it.ground.now()).await?;
        *appended = Appended::default();
        Ok(())
    }

    /// Flushes for as long as the process runs; first what earlier ones have left is settled.
    pub async fn run(self) {
        if let Err(error) = self.settle().await {
            tracing::error!(%error, "usage.merge_failed");
        }
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if let Err(error) = self.flush().await {
                tracing::error!(%error, "usage.flush_failed");
            }
        }
    }
}

/// Some keys' parts as one flush; `None` of none.
fn flush_of(parts: &[(KeyId, Part)], writer: Uuid, seq: i64, now: Timestamp) -> Option<Flush> {
    let ((first, _), (last, _)) = (parts.first()?, parts.last()?);
    let of = |instant: fn(&Part) -> Option<i64>| {
        parts.iter().filter_map(|(key, part)| Some(InstantRow((*key).into(), instant(part)?))).collect::<Vec<_>>()
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
