//! Audit log: reading, signing, export, and verification.
//!
//! Every event contains the hash of the previous one ([`keyward_store::audit`] defines its input). The chain alone
//! reveals a change of one event. It does not prevent an attacker with database access from changing an event and all
//! later hashes. Therefore the head is signed with a separate key ([`checkpoint`]), and each signature is printed to
//! standard output, which the attacker cannot change.

pub mod acting;
pub mod check;
pub mod checkpoint;
pub mod export;
pub mod file;
pub mod keys;
pub mod read;
mod sign;
mod words;

use super::{Error, Ground, signer::Signer};
use check::{Checked, Checker};
use checkpoint::Checkpoint;
use keys::PublicKey;
use std::sync::{Arc, Mutex, OnceLock};

/// Number of events per read.
const PAGE: i64 = 1_000;

/// Use cases of the audit log.
#[derive(Clone)]
pub struct Audit {
    ground: Ground,
    signer: Signer,
    say: Arc<OnceLock<Say>>,
    /// Last event that this process knows to be signed, and its hash. The database must continue to contain it.
    signed: Arc<Mutex<Option<SignedHead>>>,
}

/// Number and hash of a signed event.
type SignedHead = (i64, Vec<u8>);

/// Callback for a new checkpoint.
type Say = Box<dyn Fn(&Checkpoint) + Send + Sync>;

impl Audit {
    pub fn new(ground: Ground, signer: Signer) -> Self {
        Self { ground, signer, say: Arc::default(), signed: Arc::default() }
    }

    /// Returns the public keys of checkpoint signatures as a JWK set. Keys of access tokens are not included.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn jwks(&self) -> Result<serde_json::Value, Error> {
        let keys = keys::of_database(&self.ground).await?;
        Ok(serde_json::json!({"keys": keys.iter().map(PublicKey::jwk).collect::<Vec<_>>()}))
    }
}

/// Result of a chain verification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chain {
    /// Every event is consistent; `events` is their number.
    Whole { events: i64 },
    /// The first inconsistent event.
    Broken { seq: i64 },
}

/// Verifies the log with the keys in the database itself.
///
/// # Errors
/// If the database cannot be read.
pub async fn verify(ground: &Ground) -> Result<Chain, Error> {
    let checked = check(ground, keys::of_database(ground).await?, Vec::new()).await?;
    Ok(match checked.broken {
        None => Chain::Whole { events: checked.last },
        Some(broken) => Chain::Broken { seq: broken.seq },
    })
}

/// Verifies the whole log of a database with the given keys: the chain from the first event to the head, and every
/// checkpoint. `kept`: checkpoints stored outside the database, which must also match.
///
/// # Errors
/// If the database cannot be read.
pub async fn check(ground: &Ground, trusted: Vec<PublicKey>, kept: Vec<Checkpoint>) -> Result<Checked, Error> {
    use keyward_store as store;
    let mut reader = ground.pool.read().await?;
    let mut conn = reader.conn();
    // The order matters: a signed event was in the log before, so a checkpoint beyond the head cannot be a concurrent
    // one.
    let signed = store::checkpoints::last(&mut conn).await?.map_or(0, |row| row.seq);
    let (last, head) = store::audit::head(&mut conn).await?;
    let mut checker = Checker::new(trusted, kept);
    loop {
        let from = checker.seq();
        let mut page = store::audit::after(&mut conn, from, PAGE).await?;
        // Ignore events that were added after the head was read.
        page.retain(|event| event.seq <= last);
        let Some(to) = page.last().map(|event| event.seq) else { break };
        let checkpoints = store::checkpoints::between(&mut conn, from, to.min(signed)).await?;
        let mut checkpoints = checkpoints.into_iter().peekable();
        for event in page {
            let seq = event.seq;
            if !checker.event(&event) {
                return Ok(checker.done());
            }
            while let Some(row) = checkpoints.next_if(|row| row.seq <= seq) {
                if !checker.checkpoint(&row.token) {
                    return Ok(checker.done());
                }
            }
        }
    }
    checker.ends_at(last.max(signed));
    checker.head_is(&head);
    Ok(checker.done())
}
