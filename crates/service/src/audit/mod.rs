//! The audit log: read, signed, exported, checked.
//!
//! Every event carries the hash of the one before ([`keyward_store::audit`] says over what). That alone shows that somebody changed
//! one event; it does not stop whoever holds the database from changing an event and every hash after it. So the head is signed
//! with a key of its own ([`checkpoint`]), and each signature is said on standard output, where it is out of their reach.

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

/// Events read at a time.
const PAGE: i64 = 1_000;

/// The use cases of the audit log.
#[derive(Clone)]
pub struct Audit {
    ground: Ground,
    signer: Signer,
    say: Arc<OnceLock<Say>>,
    /// The last event that this process knows to be signed, with its hash: it must stay so, whatever the database says.
    signed: Arc<Mutex<Option<SignedHead>>>,
}

/// The number of an event that is signed, and its hash.
type SignedHead = (i64, Vec<u8>);

/// Hears of a checkpoint.
type Say = Box<dyn Fn(&Checkpoint) + Send + Sync>;

impl Audit {
    pub fn new(ground: Ground, signer: Signer) -> Self {
        Self { ground, signer, say: Arc::default(), signed: Arc::default() }
    }

    /// The public halves of the keys that sign checkpoints, as a JWK set: not those that sign access tokens.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn jwks(&self) -> Result<serde_json::Value, Error> {
        let keys = keys::of_database(&self.ground).await?;
        Ok(serde_json::json!({"keys": keys.iter().map(PublicKey::jwk).collect::<Vec<_>>()}))
    }
}

/// What a check of the chain found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chain {
    /// Every event follows from the one before; this many there are.
    Whole { events: i64 },
    /// The first event that does not.
    Broken { seq: i64 },
}

/// Checks the log with the keys that the database itself holds.
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

/// Checks the whole log of a database: the chain from the first event to the head, and every checkpoint, with these keys. `kept`:
/// checkpoints that were kept elsewhere, which the log must agree with too.
///
/// # Errors
/// If the database cannot be read.
pub async fn check(ground: &Ground, trusted: Vec<PublicKey>, kept: Vec<Checkpoint>) -> Result<Checked, Error> {
    use keyward_store as store;
    let mut reader = ground.pool.read().await?;
    let mut conn = reader.conn();
    // In this order: what is signed was in the log before, so a checkpoint beyond the head is none that came meanwhile.
    let signed = store::checkpoints::last(&mut conn).await?.map_or(0, |row| row.seq);
    let (last, head) = store::audit::head(&mut conn).await?;
    let mut checker = Checker::new(trusted, kept);
    loop {
        let from = checker.seq();
        let mut page = store::audit::after(&mut conn, from, PAGE).await?;
        // Events that came after the head was read are not judged.
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
