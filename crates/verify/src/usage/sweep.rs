//! Background job that deletes old usage data.

use super::{HOUR, Usage};
use keyward_core::{Error, sweep as upkeep};
use keyward_domain::time::DAY;
use keyward_store::{self as store, write_queue::WriteOutcome};

/// Retention of hourly counts, in days: a year, and a month to compare it with.
const RETENTION_DAYS: i64 = 400;
/// Retention of the ids of processes that no longer write, in seconds: much longer than a process retries a flush.
const WRITER_RETENTION: i64 = DAY;
/// Rows deleted in one write, and writes in one round. The next round deletes the rest.
const STEP: i64 = 1_000;
const ROUND: u32 = 50;

impl Usage {
    /// Deletes usage data past its retention.
    ///
    /// # Errors
    /// If the write fails.
    pub async fn sweep(&self) -> Result<(), Error> {
        let now = self.inner.context.now();
        let hour = now.plus_seconds(-RETENTION_DAYS * DAY).micros().div_euclid(HOUR);
        for _ in 0..ROUND {
            let step = self.inner.context.queue.write(move |tx| {
                Box::pin(async move {
                    Ok::<_, Error>(WriteOutcome::unaudited(store::usage::delete_before(tx, hour, STEP).await?))
                })
            });
            if step.await? == 0 {
                break;
            }
            self.inner.context.pause_writes().await;
        }
        let (now, before) = (now.micros(), now.plus_seconds(-WRITER_RETENTION).micros());
        upkeep::sweep(&self.inner.context, move |tx| Box::pin(store::usage::sweep(tx, now, before, upkeep::ROWS))).await
    }
}
