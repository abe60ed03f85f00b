//! Background job that fills the folded (case- and accent-insensitive) names of rows from an earlier release.
//!
//! Each write covers a bounded number of rows.

use super::{Context, Error};
use keyward_store::{self as store, write_queue::WriteOutcome};
use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

/// Rows of each kind in one write. A write takes some tens of milliseconds; then other writes run.
const STEP: i64 = 500;

/// Use case that fills folded names.
#[derive(Clone)]
pub struct Folding {
    context: Context,
    /// Last audit event whose name is known to be folded.
    seq: Arc<AtomicI64>,
}

impl Folding {
    pub fn new(context: Context) -> Self {
        Self { context, seq: Arc::default() }
    }

    /// Fills every missing folded name. Progress is kept if this stops early.
    ///
    /// # Errors
    /// If the database rejects a query.
    pub async fn fill(&self) -> Result<(), Error> {
        loop {
            let step = self.context.queue.write(|tx| {
                Box::pin(
                    async move { Ok::<_, Error>(WriteOutcome::unaudited(store::folding::fill_names(tx, STEP).await?)) },
                )
            });
            if step.await? == 0 {
                break;
            }
            self.context.pause_writes().await;
        }
        let head = store::audit::head(&mut self.context.pool.acquire_reader().await?.conn()).await?.0;
        loop {
            let after = self.seq.load(Ordering::Relaxed);
            if after >= head {
                return Ok(());
            }
            let (rows, looked) = {
                let mut reader = self.context.pool.acquire_reader().await?;
                store::folding::unfolded_events(&mut reader.conn(), after, head, STEP).await?
            };
            if !rows.is_empty() {
                let write = self.context.queue.write(move |tx| {
                    let rows = rows.clone();
                    Box::pin(async move {
                        store::folding::fold_events(tx, &rows).await?;
                        Ok::<_, Error>(WriteOutcome::unaudited(()))
                    })
                });
                write.await?;
                self.context.pause_writes().await;
            }
            self.seq.store(looked, Ordering::Relaxed);
        }
    }
}
