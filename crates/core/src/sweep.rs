//! Removes old rows in small writes, and runs the steps of a background job so that one failure does not stop the others.

use crate::{Error, Ground};
use keyward_store::{
    self as store, Tx,
    queue::{Kept, Writing},
};
use uuid::Uuid;

/// Rows that one write removes at most: some tens of milliseconds, then other writes take their turn.
pub const ROWS: i64 = 1_000;

/// Removes rows, at most [`ROWS`] in each write, until none is left. `step` says how many it removed.
pub async fn sweep<F>(ground: &Ground, step: F) -> Result<(), Error>
where
    F: for<'t> Fn(&'t mut Tx<'_>) -> Writing<'t, Result<u64, store::Error>> + Clone + Send + Sync + 'static,
{
    loop {
        let step = step.clone();
        let write = ground.queue.write(move |tx| {
            let removal = step(tx);
            Box::pin(async move { Ok::<_, Error>(Kept::unrecorded(removal.await?)) })
        });
        if write.await?.cast_signed() < ROWS {
            return Ok(());
        }
        ground.pause_writes().await;
    }
}

/// The first error of a round.
#[derive(Default)]
pub struct Round(Option<Error>);

impl Round {
    /// Runs a step, and logs its error. The later steps do not depend on it.
    pub async fn step<T>(&mut self, name: &'static str, work: impl Future<Output = Result<T, Error>>) {
        if let Err(error) = work.await {
            tracing::error!(step = name, %error, "upkeep.failed");
            self.0.get_or_insert(error);
        }
    }

    /// Runs a step for one item, and logs its error. The other items do not depend on it.
    pub async fn item<T>(&mut self, name: &'static str, id: Uuid, work: impl Future<Output = Result<T, Error>>) {
        if let Err(error) = work.await {
            tracing::error!(step = name, %id, %error, "upkeep.failed");
            self.0.get_or_insert(error);
        }
    }

    /// Ends the round.
    ///
    /// # Errors
    /// The first error of the round.
    pub fn end(self) -> Result<(), Error> {
        self.0.map_or(Ok(()), Err)
    }
}
