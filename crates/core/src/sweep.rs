//! Deletion of old rows in small writes, and error isolation between the steps of a background job.

use crate::{Context, Error};
use keyward_domain::error_chain::ErrorChain;
use keyward_store::{
    self as store, Tx,
    write_queue::{WriteOutcome, Writing},
};
use uuid::Uuid;

/// Maximum number of rows that one write removes. Such a write takes some tens of milliseconds; then other writes run.
pub const ROWS: i64 = 1_000;

/// Removes rows, at most [`ROWS`] per write, until none is left. `step` returns the number of removed rows.
pub async fn sweep<F>(context: &Context, step: F) -> Result<(), Error>
where
    F: for<'t> Fn(&'t mut Tx<'_>) -> Writing<'t, Result<u64, store::Error>> + Clone + Send + Sync + 'static,
{
    loop {
        let step = step.clone();
        let write = context.queue.write(move |tx| {
            let removal = step(tx);
            Box::pin(async move { Ok::<_, Error>(WriteOutcome::unaudited(removal.await?)) })
        });
        if write.await?.cast_signed() < ROWS {
            return Ok(());
        }
        context.pause_writes().await;
    }
}

/// One run of a background job. Keeps the first error.
#[derive(Default)]
pub struct JobRun(Option<Error>);

impl JobRun {
    /// Runs a step and logs its error. Later steps do not depend on it.
    pub async fn step<T>(&mut self, name: &'static str, work: impl Future<Output = Result<T, Error>>) {
        if let Err(error) = work.await {
            tracing::error!(step = name, error = %ErrorChain(&error), "upkeep.failed");
            self.0.get_or_insert(error);
        }
    }

    /// Runs a step for one item and logs its error. Other items do not depend on it.
    pub async fn item<T>(&mut self, name: &'static str, id: Uuid, work: impl Future<Output = Result<T, Error>>) {
        if let Err(error) = work.await {
            tracing::error!(step = name, %id, error = %ErrorChain(&error), "upkeep.failed");
            self.0.get_or_insert(error);
        }
    }

    /// Ends the run.
    ///
    /// # Errors
    /// The first error of the run.
    pub fn end(self) -> Result<(), Error> {
        self.0.map_or(Ok(()), Err)
    }
}
