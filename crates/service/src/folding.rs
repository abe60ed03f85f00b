//! Folds the names of rows that a previous release wrote, a bounded number in each write.

use super::{Error, Ground};
use keyward_store::{self as store, queue::Kept};
use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

/// Rows of each kind in one write: some tens of milliseconds, then other writes take their turn.
const STEP: i64 = 500;

/// Fills folded names.
#[derive(Clone)]
pub struct Folding {
    ground: Ground,
    /// As far as the log is known to be folded.
    seq: Arc<AtomicI64>,
}

impl Folding {
    pub fn new(ground: Ground) -> Self {
        Self { ground, seq: Arc::default() }
    }

    /// Fills every folded name that is missing. What is filled stays filled when this ends early.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn fill(&self) -> Result<(), Error> {
        loop {
            let step = self.ground.queue.write(|tx| {
                Box::pin(async move { Ok::<_, Error>(Kept::unrecorded(store::folding::fill_names(tx, STEP).await?)) })
            });
            if step.await? == 0 {
                break;
            }
            self.ground.pause_writes().await;
        }
        let head = store::audit::head(&mut self.ground.pool.read().await?.conn()).await?.0;
        loop {
            let after = self.seq.load(Ordering::Relaxed);
            if after >= head {
                return Ok(());
            }
            let (rows, looked) = {
                let mut reader = self.ground.pool.read().await?;
                store::folding::unfolded_events(&mut reader.conn(), after, head, STEP).await?
            };
            if !rows.is_empty() {
                let write = self.ground.queue.write(move |tx| {
                    let rows = rows.clone();
                    Box::pin(async move {
                        store::folding::fold_events(tx, &rows).await?;
                        Ok::<_, Error>(Kept::unrecorded(()))
                    })
                });
                write.await?;
                self.ground.pause_writes().await;
            }
            self.seq.store(looked, Ordering::Relaxed);
        }
    }
}
