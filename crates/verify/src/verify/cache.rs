//! What this process knows of keys without asking the store, and whether that can be believed.
//!
//! It is believed only while the changes of other processes are heard ([`crate::hearing`]): whoever has heard nothing for
//! [`DEAF_AFTER`] asks the store instead, and where nobody listens (commands, many tests) the store is always asked.

use super::{
    budget::Budget,
    facts::Facts,
    known::{Index, Known},
    marks::Ticket,
    resident::Resident,
    shard::Whose,
    terms::Shared,
};
use keyward_core::{clock::Clock, random::Random};
use keyward_domain::ids::KeyId;
use keyward_store::{
    self as store,
    facts::FactsRow,
    feed::Heard,
    queue::{Committed, Listener},
};
use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};
use tokio::sync::Notify;

/// For how long what is in memory is believed after the changes of others were last heard, in microseconds: 2 s.
pub const DEAF_AFTER: u64 = 2_000_000;
/// Nobody has listened yet.
const NEVER: u64 = u64::MAX;
/// Shards of the facts, and marks for keys and for projects.
const SHARDS: usize = 64;
const STRIPES: usize = 1 << 15;
/// Own batches that were not heard back yet and are remembered; of older ones the keys are read once more.
const OWN: usize = 10_000;

/// How often the cache was asked, since the start, and what it holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Decisions made of facts in memory.
    pub hits: u64,
    /// Look-ups in the store.
    pub look_ups: u64,
    /// Well-formed secrets of no key, answered from memory.
    pub unknown: u64,
    /// Keys whose facts are in memory.
    pub resident: usize,
    /// Keys that are known to be there.
    pub known: usize,
    /// Whether all keys are known.
    pub complete: bool,
    /// Whether the changes of others are heard.
    pub hearing: bool,
}

/// What memory says of a secret.
pub(super) enum Remembered {
    Facts(Facts),
    /// No key has it.
    Nobody,
    /// Only the store can say.
    Ask,
}

pub(crate) struct Cache {
    resident: Resident,
    index: Index,
    shared: Shared,
    budget: Budget,
    clock: Arc<dyn Clock>,
    heard: AtomicU64,
    complete: AtomicBool,
    /// How often it was found that changes had been missed.
    missed: AtomicU64,
    load: Notify,
    own: Mutex<VecDeque<(i64, i64)>>,
    hits: AtomicU64,
    look_ups: AtomicU64,
    unknown: AtomicU64,
}

impl Cache {
    /// Room for the facts of `most` keys.
    pub fn new(most: usize, clock: Arc<dyn Clock>, random: &dyn Random) -> Self {
        let mut seed = [0; 8];
        random.fill(&mut seed);
        Self {
            resident: Resident::new(most, SHARDS, STRIPES, u64::from_ne_bytes(seed)),
            index: Index::default(),
            shared: Shared::default(),
            budget: Budget::default(),
            clock,
            heard: AtomicU64::new(NEVER),
            complete: AtomicBool::new(false),
            missed: AtomicU64::new(0),
            load: Notify::new(),
            own: Mutex::default(),
            hits: AtomicU64::new(0),
            look_ups: AtomicU64::new(0),
            unknown: AtomicU64::new(0),
        }
    }

    /// Whether memory can be believed now.
    pub(super) fn is_believed(&self) -> bool {
        let heard = self.heard.load(Ordering::Acquire);
        heard != NEVER && self.clock.steady().saturating_sub(heard) <= DEAF_AFTER
    }

    /// What memory says of a digest. That it says nobody costs nothing; that it does not know costs one look-up of the budget.
    pub(super) fn digest(&self, digest: &[u8; 32]) -> Remembered {
        if !self.is_believed() {
            return Remembered::Ask;
        }
        match self.index.find(digest) {
            Known::At(place) => self.found(self.resident.find(place, Whose::Digest(digest))),
            Known::Clash => Remembered::Ask,
            Known::Absent if !self.complete.load(Ordering::Acquire) => Remembered::Ask,
            Known::Absent if self.budget.spend(self.clock.steady()) => Remembered::Ask,
            Known::Absent => {
                self.unknown.fetch_add(1, Ordering::Relaxed);
                Remembered::Nobody
            }
        }
    }

    /// What memory says of a key.
    pub(super) fn key(&self, id: KeyId) -> Remembered {
        if !self.is_believed() {
            return Remembered::Ask;
        }
        self.found(self.resident.find(self.resident.place(id), Whose::Key(id)))
    }

    fn found(&self, facts: Option<Facts>) -> Remembered {
        facts.map_or(Remembered::Ask, |facts| {
            self.hits.fetch_add(1, Ordering::Relaxed);
            Remembered::Facts(facts)
        })
    }

    /// To be taken before the store is asked; `None`: what it says is not to be kept.
    pub(super) fn ticket(&self) -> Option<Ticket> {
        self.look_ups.fetch_add(1, Ordering::Relaxed);
        // Whoever does not hear would not hear either that it is outdated.
        (self.heard.load(Ordering::Acquire) != NEVER).then(|| self.resident.ticket())
    }

    /// Keeps what the store said.
    ///
    /// # Errors
    /// [`store::Error::Corrupt`] if a column holds what the code never writes.
    pub(super) fn keep(&self, row: &FactsRow, read: Option<Ticket>) -> Result<Facts, store::Error> {
        let (digest, facts) = (row.digest()?, Facts::read(row, &self.shared)?);
        if let Some(read) = read {
            self.index.learn(&digest, self.resident.place(facts.key));
            self.resident.put(&digest, &facts, read);
        }
        Ok(facts)
    }

    /// The store has no key with this digest: it is not looked for there again.
    pub(super) fn nobody(&self, digest: &[u8; 32]) {
        if let Known::At(place) = self.index.find(digest) {
            self.index.unlearn(digest, place);
        }
    }

    /// Keeps a page of keys, as far as there is room.
    pub fn fill(&self, page: &[FactsRow], read: Ticket) {
        for row in page {
            let kept = row.digest().and_then(|digest| {
                self.index.learn(&digest, self.resident.place(row.id.into()));
                if !self.resident.is_full() {
                    self.resident.put(&digest, &Facts::read(row, &self.shared)?, read);
                }
                Ok(())
            });
            if let Err(error) = kept {
                tracing::error!(%error, key.id = %row.id, "verify.unreadable_key");
            }
        }
    }

    /// As [`Cache::ticket`], for a page of keys.
    pub fn page_ticket(&self) -> Ticket {
        self.resident.ticket()
    }

    /// The changes of others were heard, as they were at this instant of the steady clock.
    pub fn heard_at(&self, steady: u64) {
        self.heard.store(steady, Ordering::Release);
    }

    /// Others changed this.
    pub fn heard(&self, changes: &[Heard]) {
        for change in changes {
            if self.is_own(change.seq) {
                continue;
            }
            let digest = change.digest.as_deref().and_then(|digest| digest.try_into().ok());
            self.changed(&change.topic, change.id, digest);
        }
    }

    /// Changes were missed, or whoever listens has only begun: nothing that is in memory can be believed, and there may be keys that are not known.
    pub fn missed(&self) {
        self.complete.store(false, Ordering::Release);
        self.missed.fetch_add(1, Ordering::AcqRel);
        self.resident.everything_changed();
        self.load.notify_one();
    }

    fn changed(&self, topic: &str, id: uuid::Uuid, digest: Option<&[u8; 32]>) {
        match topic {
            "key" => {
                let new = digest.is_some_and(|digest| self.index.learn(digest, self.resident.place(id.into())));
                // Of a key that is new nothing is in memory: its marks, which it shares with others, need not be touched.
                if !(new && self.complete.load(Ordering::Acquire)) {
                    self.resident.key_changed(id.into());
                }
            }
            "grant" => self.resident.key_changed(id.into()),
            "project" => self.resident.project_changed(id.into()),
            "policy" => {
                self.resident.everything_changed();
                self.load.notify_one();
            }
            _ => {}
        }
    }

    /// Whether a change was this process's own, of which it was told at the commit.
    fn is_own(&self, seq: i64) -> bool {
        let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        while own.front().is_some_and(|(_, last)| *last < seq) {
            own.pop_front();
        }
        own.front().is_some_and(|(first, _)| *first <= seq)
    }

    /// Until all keys are to be loaded.
    pub async fn to_load(&self) {
        self.load.notified().await;
    }

    /// That all keys are to be loaded once more.
    pub fn load_again(&self) {
        self.load.notify_one();
    }

    /// How often changes were missed until now.
    pub fn times_missed(&self) -> u64 {
        self.missed.load(Ordering::Acquire)
    }

    /// All keys were loaded; `missed`: how often changes had been missed when that began.
    pub fn loaded(&self, missed: u64) {
        self.complete.store(true, Ordering::SeqCst);
        // Missed meanwhile: the next round finds what this one may not have seen.
        if self.times_missed() != missed {
            self.complete.store(false, Ordering::SeqCst);
        }
    }

    pub fn counts(&self) -> Counts {
        Counts {
            hits: self.hits.load(Ordering::Relaxed),
            look_ups: self.look_ups.load(Ordering::Relaxed),
            unknown: self.unknown.load(Ordering::Relaxed),
            resident: self.resident.count(),
            known: self.index.count(),
            complete: self.complete.load(Ordering::Relaxed),
            hearing: self.is_believed(),
        }
    }
}

impl Listener for Cache {
    fn committed(&self, batch: &Committed) {
        if self.heard.load(Ordering::Acquire) == NEVER {
            return;
        }
        for (id, digest) in &batch.made {
            self.index.learn(digest, self.resident.place((*id).into()));
        }
        for change in &batch.changes {
            // Of a key that this batch made nothing can be in memory.
            if change.topic != "key" || !batch.made.iter().any(|(id, _)| *id == change.id) {
                self.changed(change.topic, change.id, None);
            }
        }
        if let Some(last) = batch.last.filter(|_| !batch.changes.is_empty()) {
            let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
            if own.len() == OWN {
                own.pop_front();
            }
            own.push_back((last - batch.changes.len() as i64 + 1, last));
        }
    }
}
