//! The in-memory set of revoked tokens, usually empty.
//!
//! The set is complete while changes are received and after all revoked tokens were read once. Otherwise the store is
//! queried. A revoked token stays revoked, so the set only grows, except for expired tokens; a late read therefore
//! undoes nothing.

use super::ParsedToken;
use keyward_store::{
    change_feed::ChangeEvent,
    change_log::{Change, Topic},
    write_queue::{CommitNotice, Listener},
};
use std::{
    collections::{HashMap, HashSet},
    sync::{
        PoisonError, RwLock,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
};
use uuid::Uuid;

#[derive(Debug, Default)]
pub struct RevokedSet {
    /// Token ids, each with the number of the sweep before which it was added.
    ids: RwLock<HashMap<Uuid, u64>>,
    count: AtomicUsize,
    sweeps: AtomicU64,
    complete: AtomicBool,
    /// The number of times that changes were missed.
    gaps: AtomicU64,
}

impl RevokedSet {
    /// Returns the change that announces a revoked token.
    pub fn change(jti: Uuid) -> Change {
        Change { topic: Topic::Token, id: jti }
    }

    /// Returns whether a token, or one that it was exchanged from, is revoked. Returns `None` if the set is incomplete
    /// and the store must be queried.
    pub fn lookup(&self, token: &ParsedToken) -> Option<bool> {
        if !self.complete.load(Ordering::Acquire) {
            return None;
        }
        if self.count.load(Ordering::Acquire) == 0 {
            return Some(false);
        }
        let ids = self.ids.read().unwrap_or_else(PoisonError::into_inner);
        Some(ids.contains_key(&token.jti) || token.via.iter().any(|jti| ids.contains_key(jti)))
    }

    fn add(&self, new: impl Iterator<Item = Uuid>) {
        let mut ids = self.ids.write().unwrap_or_else(PoisonError::into_inner);
        let sweep = self.sweeps.load(Ordering::Acquire);
        for jti in new {
            ids.insert(jti, sweep);
        }
        self.count.store(ids.len(), Ordering::Release);
    }

    /// Applies changes of other processes.
    pub fn apply(&self, changes: &[ChangeEvent]) {
        if changes.iter().any(|change| change.topic == Some(Topic::Token)) {
            self.add(changes.iter().filter(|change| change.topic == Some(Topic::Token)).map(|change| change.id));
        }
    }

    /// Marks the set as incomplete after missed changes, until all revoked tokens are read again.
    pub fn mark_incomplete(&self) {
        self.complete.store(false, Ordering::Release);
        self.gaps.fetch_add(1, Ordering::AcqRel);
    }

    /// Begins a read of all revoked tokens. Must be called before the query.
    pub fn begin_load(&self) -> PendingLoad {
        PendingLoad { missed: self.gaps.load(Ordering::Acquire), sweep: self.sweeps.fetch_add(1, Ordering::AcqRel) }
    }

    /// Completes the set with all revoked tokens of the store. Removes those that were present before the read and are
    /// not among them, because they have expired.
    pub fn complete_load(&self, all: &HashSet<Uuid>, reading: PendingLoad) {
        self.add(all.iter().copied());
        let mut ids = self.ids.write().unwrap_or_else(PoisonError::into_inner);
        ids.retain(|jti, sweep| *sweep > reading.sweep || all.contains(jti));
        self.count.store(ids.len(), Ordering::Release);
        drop(ids);
        self.complete.store(true, Ordering::SeqCst);
        // Changes were missed meanwhile, and this read may not include them. The next read will.
        if self.gaps.load(Ordering::SeqCst) != reading.missed {
            self.complete.store(false, Ordering::SeqCst);
        }
    }
}

/// A read of all revoked tokens in progress.
#[derive(Clone, Copy, Debug)]
pub struct PendingLoad {
    missed: u64,
    sweep: u64,
}

impl Listener for RevokedSet {
    fn on_commit(&self, batch: &CommitNotice) {
        if batch.changes.iter().any(|change| change.topic == Topic::Token) {
            self.add(batch.changes.iter().filter(|change| change.topic == Topic::Token).map(|change| change.id));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokens::{Audience, Subject};

    fn token(jti: u128, via: &[u128]) -> ParsedToken {
        ParsedToken {
            jti: Uuid::from_u128(jti),
            via: via.iter().map(|jti| Uuid::from_u128(*jti)).collect(),
            subject: Subject::Key(Uuid::nil().into()),
            audience: Audience::Management,
            issued_at: 0,
            expires_at: 1,
            scopes: "".into(),
        }
    }

    fn change_event(jti: u128) -> ChangeEvent {
        ChangeEvent { seq: 1, topic: Some(Topic::Token), id: Uuid::from_u128(jti), digest: None }
    }

    #[test]
    fn what_was_revoked_stays_so_until_the_store_has_forgotten_it() {
        let revoked = RevokedSet::default();
        assert_eq!(revoked.lookup(&token(1, &[])), None, "nothing was read");
        let reading = revoked.begin_load();
        revoked.apply(&[change_event(2)]);
        revoked.complete_load(&[Uuid::from_u128(1)].into(), reading);
        for (jti, via, is_revoked) in [(1, &[][..], true), (2, &[], true), (3, &[], false), (4, &[3, 1], true)] {
            assert_eq!(
                revoked.lookup(&token(jti, via)),
                Some(is_revoked),
                "{jti}: a revocation received meanwhile stays"
            );
        }
        revoked.complete_load(&HashSet::new(), revoked.begin_load());
        assert_eq!(revoked.lookup(&token(1, &[])), Some(false));
        assert_eq!(revoked.lookup(&token(2, &[])), Some(false));
    }

    #[test]
    fn a_reading_during_which_changes_were_missed_is_none() {
        let revoked = RevokedSet::default();
        let reading = revoked.begin_load();
        revoked.mark_incomplete();
        revoked.complete_load(&HashSet::new(), reading);
        assert_eq!(revoked.lookup(&token(1, &[])), None);
        revoked.complete_load(&HashSet::new(), revoked.begin_load());
        assert_eq!(revoked.lookup(&token(1, &[])), Some(false));
    }
}
