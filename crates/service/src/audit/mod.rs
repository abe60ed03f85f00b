//! Audit log: reading, signing, export, and verification.
//!
//! Every event contains the hash of the previous one ([`keyward_store::audit`] defines its input). The chain alone
//! reveals a change of one event. It does not prevent an attacker with database access from changing an event and all
//! later hashes. Therefore the head is signed with a separate key ([`checkpoint`]), and each signature is printed to
//! standard output, which the attacker cannot change.

pub mod acting_role;
pub mod checkpoint;
pub mod export;
pub mod jsonl_export;
pub mod keys;
mod messages;
pub mod read;
mod sign;
pub mod verify_chain;

use super::{Context, Error, signer::Signer};
use checkpoint::Checkpoint;
use keys::PublicKey;
use std::sync::{Arc, Mutex, OnceLock};
use verify_chain::{ChainVerifier, VerificationResult};

/// Number of events per read.
const PAGE: i64 = 1_000;

/// Use cases of the audit log.
#[derive(Clone)]
pub struct Audit {
    context: Context,
    signer: Signer,
    on_checkpoint: Arc<OnceLock<CheckpointCallback>>,
    /// Last event that this process knows to be signed, and its hash. The database must continue to contain it.
    last_signed: Arc<Mutex<Option<SignedHead>>>,
}

/// Number and hash of a signed event.
type SignedHead = (i64, Vec<u8>);

/// Callback for a new checkpoint.
type CheckpointCallback = Box<dyn Fn(&Checkpoint) + Send + Sync>;

impl Audit {
    pub fn new(context: Context, signer: Signer) -> Self {
        Self { context, signer, on_checkpoint: Arc::default(), last_signed: Arc::default() }
    }

    /// Returns the public keys of checkpoint signatures as a JWK set. Keys of access tokens are not included.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn jwks(&self) -> Result<serde_json::Value, Error> {
        let keys = keys::list_from_database(&self.context).await?;
        Ok(serde_json::json!({"keys": keys.iter().map(PublicKey::jwk).collect::<Vec<_>>()}))
    }
}

/// Result of a chain verification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chain {
    /// Every event is consistent; `events` is their number.
    Intact { events: i64 },
    /// The first inconsistent event.
    Broken { seq: i64 },
}

/// Verifies the log with the keys in the database itself.
///
/// # Errors
/// If the database cannot be read.
pub async fn verify(context: &Context) -> Result<Chain, Error> {
    let checked = verify_with(context, keys::list_from_database(context).await?, Vec::new()).await?;
    Ok(match checked.inconsistency {
        None => Chain::Intact { events: checked.last },
        Some(broken) => Chain::Broken { seq: broken.seq },
    })
}

/// Verifies the whole log of a database with the given keys: the chain from the first event to the head, and every
/// checkpoint. `kept`: checkpoints stored outside the database, which must also match.
///
/// # Errors
/// If the database cannot be read.
pub async fn verify_with(
    context: &Context,
    trusted: Vec<PublicKey>,
    kept: Vec<Checkpoint>,
) -> Result<VerificationResult, Error> {
    use keyward_store as store;
    let mut reader = context.pool.acquire_reader().await?;
    let mut conn = reader.conn();
    // The order matters: a signed event was in the log before, so a checkpoint beyond the head cannot be a concurrent
    // one.
    let signed = store::checkpoints::last(&mut conn).await?.map_or(0, |row| row.seq);
    let (last, head) = store::audit::head(&mut conn).await?;
    let mut checker = ChainVerifier::new(trusted, kept);
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
            if !checker.check_event(&event) {
                return Ok(checker.into_result());
            }
            while let Some(row) = checkpoints.next_if(|row| row.seq <= seq) {
                if !checker.check_checkpoint(&row.token) {
                    return Ok(checker.into_result());
                }
            }
        }
    }
    checker.check_end(last.max(signed));
    checker.check_head(&head);
    Ok(checker.into_result())
}
