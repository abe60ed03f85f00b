//! Forgetting what is old.

use super::{HOUR, Usage};
use keyward_core::{Error, sweep as upkeep};
use keyward_domain::time::DAY;
use keyward_store::{self as store, queue::Kept};

/// How long calls are kept by the hour: a year and a month to compare it with. Days.
const KEPT: i64 = 400;
/// How long a process that writes nothing is remembered: far longer than it tries a flush again. Seconds.
const REMEMBERED: i64 = DAY;
/// Rows forgotten in one change, and changes in one round; the next round takes the rest.
const STEP: i64 = 1_000;
const ROUND: u32 = 50;

impl Usage {
    /// Forgets what is older than it is kept.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn sweep(&self) -> Result<(), Error> {
        let now = self.it.ground.now();
        let hour = now.plus_seconds(-KEPT * DAY).micros().div_euclid(HOUR);
        for _ in 0..ROUND {
            let step = self.it.ground.queue.write(move |tx| {
                Box::pin(async move { Ok::<_, Error>(Kept::unrecorded(store::usage::forget(tx, hour, STEP).await?)) })
            });
            if step.await? == 0 {
                break;
            }
            self.it.ground.pause_writes().await;
        }
        let (now, before) = (now.micros(), now.plus_seconds(-REMEMBERED).micros());
        upkeep::sweep(&self.it.ground, move |tx| Box::pin(store::usage::sweep(tx, now, before, upkeep::ROWS))).await
    }
}
