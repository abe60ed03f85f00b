//! Chain verification, event by event, for logs from a database and from a file.

use super::{checkpoint::Checkpoint, keys::PublicKey};
use keyward_domain::time::Timestamp;
use keyward_store::audit::EventRow;
use std::{collections::BTreeMap, fmt};

/// Kind of inconsistency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The event does not match its own hash.
    Changed,
    /// The event does not contain the hash of the previous event.
    Unlinked,
    /// The event does not exist.
    Missing,
    /// The log ends too early: an event with this number existed.
    Truncated { expected: i64 },
    /// The last event is not the one that the head of the log names.
    Head,
    /// The chain is consistent, but the checkpoint of this event signs another hash: the events were rewritten after
    /// signing.
    Rewritten { checkpoint: i64 },
    /// A checkpoint is invalid or in the wrong place.
    Misplaced { checkpoint: i64 },
    /// The checkpoint of this event is not signed with a trusted key.
    Untrusted { checkpoint: i64 },
    /// A checkpoint was removed: the next one names it.
    CheckpointMissing { checkpoint: i64, named_by: i64 },
}

/// First inconsistent event, with the reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inconsistency {
    pub seq: i64,
    pub fault: Fault,
}

impl fmt::Display for Inconsistency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seq = self.seq;
        write!(f, "the audit log is not intact from event {seq} on: ")?;
        match self.fault {
            Fault::Changed => write!(f, "the event does not match its own hash, so it was changed"),
            Fault::Unlinked => write!(f, "the event does not follow from the previous event"),
            Fault::Missing => write!(f, "the event is missing"),
            Fault::Truncated { expected } => write!(f, "events up to {expected} existed and are missing now"),
            Fault::Head => write!(f, "the head of the log does not match event {}", seq - 1),
            Fault::Rewritten { checkpoint } => write!(
                f,
                "the checkpoint of event {checkpoint} was signed for a different log; events {seq} to {checkpoint} and \
                 their hashes were rewritten after the signature"
            ),
            Fault::Misplaced { checkpoint } => {
                write!(f, "the stored checkpoint of event {checkpoint} does not belong to this event")
            }
            Fault::Untrusted { checkpoint } => write!(
                f,
                "the checkpoint of event {checkpoint} is not signed with the trusted key; it is forged, or the key is a different one"
            ),
            Fault::CheckpointMissing { checkpoint, named_by } => {
                write!(
                    f,
                    "the checkpoint of event {checkpoint} is missing; the checkpoint of event {named_by} refers to it"
                )
            }
        }
    }
}

/// Result of a verification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerificationResult {
    /// First event that was checked.
    pub first: i64,
    /// Last consistent event; `first - 1` if there is none.
    pub last: i64,
    /// Time at which the last consistent event was written.
    pub last_at: Option<Timestamp>,
    /// Last valid checkpoint. It covers all events from `first` to its own.
    pub signed: Option<Checkpoint>,
    /// Number of valid checkpoints.
    pub checkpoints: u64,
    pub inconsistency: Option<Inconsistency>,
}

impl VerificationResult {
    /// Returns the number of consistent events.
    pub fn events(&self) -> i64 {
        self.last + 1 - self.first
    }

    /// Returns the number of events after the last checkpoint. They are chained, but no signature excludes that they
    /// were rewritten.
    pub fn unsigned(&self) -> i64 {
        self.last - self.signed.as_ref().map_or(self.first - 1, |it| it.seq)
    }
}

/// Verifier that takes events and checkpoints in order. After the first fault, stop.
pub struct ChainVerifier {
    trusted: Vec<PublicKey>,
    /// Checkpoints stored outside the log, by event.
    external: BTreeMap<i64, Vec<Checkpoint>>,
    hash: Vec<u8>,
    /// Event of the last checkpoint in the log itself. Before the first checkpoint: the number before the first event.
    stored: i64,
    checked: VerificationResult,
}

impl ChainVerifier {
    /// Starts at the first event of the log.
    pub fn new(trusted: Vec<PublicKey>, kept: Vec<Checkpoint>) -> Self {
        Self::from(1, vec![0; 32], trusted, kept)
    }

    /// Starts at a later event, after the event with this hash.
    pub fn from(first: i64, hash: Vec<u8>, trusted: Vec<PublicKey>, kept: Vec<Checkpoint>) -> Self {
        let mut by_event = BTreeMap::<_, Vec<_>>::new();
        for checkpoint in kept.into_iter().filter(|it| it.seq >= first) {
            by_event.entry(checkpoint.seq).or_default().push(checkpoint);
        }
        let checked = VerificationResult {
            first,
            last: first - 1,
            last_at: None,
            signed: None,
            checkpoints: 0,
            inconsistency: None,
        };
        Self { trusted, external: by_event, hash, stored: first - 1, checked }
    }

    /// Starts after this checkpoint, which is trusted.
    pub fn from_checkpoint(checkpoint: Checkpoint, trusted: Vec<PublicKey>) -> Self {
        let mut checker = Self::from(checkpoint.seq + 1, checkpoint.head.clone(), trusted, Vec::new());
        checker.checked.signed = Some(checkpoint);
        checker
    }

    /// Returns the last consistent event.
    pub fn seq(&self) -> i64 {
        self.checked.last
    }

    /// Returns the first event that no checkpoint covers yet.
    fn first_uncovered(&self) -> i64 {
        self.checked.signed.as_ref().map_or(self.checked.first, |it| it.seq + 1)
    }

    fn fail(&mut self, seq: i64, fault: Fault) -> bool {
        self.checked.inconsistency.get_or_insert(Inconsistency { seq, fault });
        false
    }

    /// Checks the next event. Returns `false` if it is inconsistent.
    pub fn check_event(&mut self, event: &EventRow) -> bool {
        let due = self.checked.last + 1;
        if event.seq != due {
            return self.fail(due, if event.seq > due { Fault::Missing } else { Fault::Unlinked });
        }
        if event.prev != self.hash {
            return self.fail(due, Fault::Unlinked);
        }
        if event.digest() != event.hash {
            return self.fail(due, Fault::Changed);
        }
        self.checked.last = due;
        self.checked.last_at = Some(Timestamp::from_micros(event.at));
        self.hash.clone_from(&event.hash);
        // External checkpoints are checked independently of each other, because the database of the node that signed
        // one may be gone.
        for checkpoint in self.external.remove(&due).unwrap_or_default() {
            if !self.verify_checkpoint(checkpoint) {
                return false;
            }
        }
        true
    }

    /// Checks the checkpoint of the last event. Returns `false` if it is invalid.
    pub fn check_checkpoint(&mut self, token: &str) -> bool {
        let (last, open) = (self.checked.last, self.first_uncovered());
        let Some(checkpoint) = Checkpoint::parse(token).filter(|it| it.seq == last) else {
            return self.fail(open, Fault::Misplaced { checkpoint: last });
        };
        let after = checkpoint.after;
        let missing = after > self.stored;
        if !self.verify_checkpoint(checkpoint) {
            return false;
        }
        self.stored = last;
        !missing || self.fail(after, Fault::CheckpointMissing { checkpoint: after, named_by: last })
    }

    fn verify_checkpoint(&mut self, checkpoint: Checkpoint) -> bool {
        let (seq, open) = (checkpoint.seq, self.first_uncovered());
        if checkpoint.is_hash_only() {
            return checkpoint.head == self.hash || self.fail(open, Fault::Rewritten { checkpoint: seq });
        }
        if checkpoint.is_signed_by(&self.trusted).is_none() {
            return self.fail(open, Fault::Untrusted { checkpoint: seq });
        }
        if checkpoint.head != self.hash {
            return self.fail(open, Fault::Rewritten { checkpoint: seq });
        }
        self.checked.checkpoints += 1;
        self.checked.signed = Some(checkpoint);
        true
    }

    /// Checks the end of the log. Event `expected` and the events of all external checkpoints are known to have
    /// existed.
    pub fn check_end(&mut self, expected: i64) {
        let is_trusted = |it: &Checkpoint| it.is_hash_only() || it.is_signed_by(&self.trusted).is_some();
        let kept: Vec<_> = self.external.values().flatten().filter(|it| is_trusted(it)).collect();
        let expected = kept.iter().map(|it| it.seq).max().unwrap_or(0).max(expected);
        let untrusted = self.external.values().flatten().find(|it| !is_trusted(it)).map(|it| it.seq);
        if self.checked.last < expected {
            self.fail(self.checked.last + 1, Fault::Truncated { expected });
        }
        if let Some(checkpoint) = untrusted {
            self.fail(self.first_uncovered(), Fault::Untrusted { checkpoint });
        }
    }

    /// Checks that the head of the log has this hash.
    pub fn check_head(&mut self, hash: &[u8]) {
        if self.hash != hash {
            self.fail(self.checked.last + 1, Fault::Head);
        }
    }

    /// Returns the hash of the last consistent event.
    pub fn hash(&self) -> &[u8] {
        &self.hash
    }

    /// Returns the result.
    pub fn into_result(self) -> VerificationResult {
        self.checked
    }
}
