//! Upkeep of grants: those whose code has expired or whose program was removed end, and what is long over is forgotten.

use super::{Consent, ends::end_where};
use crate::{
    domain::time::DAY,
    service::{
        Error,
        actor::{Actor, Origin},
        upkeep::{ROWS, sweep},
    },
    store::{self, queue::Kept},
};

/// Grants ended in one round; the next round takes the rest.
const ROUND: i64 = 500;
/// How long a grant that is over is kept, with its codes. Seconds: 30 days. The log keeps what was done.
const KEPT: i64 = 30 * DAY;
/// How long a device's codes are kept when they have expired, so that it hears why. Seconds.
const DEVICES_KEPT: i64 = DAY;

impl Consent {
    /// One round of upkeep.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn sweep(&self) -> Result<(), Error> {
        let now = self.ground.now();
        let (left, removed) = {
            let mut reader = self.ground.pool.read().await?;
            let mut conn = reader.conn();
            let left = store::codes::left(&mut conn, now.micros(), ROUND).await?;
            (left, store::clients::removed_with_grants(&mut conn, now.micros(), ROUND).await?)
        };
        for client in removed {
            self.end_remaining(&Actor::System(Origin::default()), client.into()).await?;
        }
        let (ended, expired) = (now.plus_seconds(-KEPT).micros(), now.plus_seconds(-DEVICES_KEPT).micros());
        sweep(&self.ground, move |tx| Box::pin(store::grants::sweep(tx, ended, ROWS))).await?;
        sweep(&self.ground, move |tx| Box::pin(store::devices::sweep(tx, expired, ROWS))).await?;
        let write = self.ground.queue.write(move |tx| {
            let left: Vec<_> = left.iter().copied().map(Into::into).collect();
            Box::pin(async move {
                let keyward = Actor::System(Origin::default());
                let ends = end_where(tx, &keyward, &left, "grant.lapsed", "", now).await?;
                Ok::<_, Error>(ends.with(Kept::unrecorded(())))
            })
        });
        write.await
    }
}
