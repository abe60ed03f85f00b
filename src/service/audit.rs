//! Checking the audit log.

use super::{Error, Ground};
use crate::store;

/// Events read at a time.
const PAGE: i64 = 1_000;

/// What a check of the chain found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chain {
    /// Every event follows from the one before; this many there are.
    Whole { events: i64 },
    /// The first event that does not.
    Broken { seq: i64 },
}

/// Follows the chain from the first event to the head.
///
/// # Errors
/// If the database cannot be read.
pub async fn verify(ground: &Ground) -> Result<Chain, Error> {
    let mut reader = ground.pool.read().await?;
    let (last, head) = store::audit::head(&mut reader.conn()).await?;
    let (mut seq, mut hash) = (0, vec![0; 32]);
    loop {
        let page = store::audit::after(&mut reader.conn(), seq, PAGE).await?;
        // Events that came after the head was read are not judged.
        let mut page = page.into_iter().filter(|event| event.seq <= last).peekable();
        if page.peek().is_none() {
            break;
        }
        for event in page {
            if event.seq != seq + 1 || event.prev != hash || event.digest() != event.hash {
                return Ok(Chain::Broken { seq: seq + 1 });
            }
            seq = event.seq;
            hash = event.hash;
        }
    }
    if seq == last && hash == head { Ok(Chain::Whole { events: seq }) } else { Ok(Chain::Broken { seq: seq + 1 }) }
}
