//! Purging of deleted keys whose restore period of seven days is over: a background job. Their audit events stay.

use super::Keys;
use crate::{
    Error,
    actor::{Actor, Origin},
};
use keyward_domain::{ids::SubjectId, key::RESTORE_DAYS, time::DAY};
use keyward_store::{
    self as store,
    change_log::{Change, Topic},
    write_queue::WriteOutcome,
};

/// Maximum keys purged in one round. The next round takes the rest.
const ROUND: i64 = 500;

impl Keys {
    /// Purges keys that are due, and returns their number.
    ///
    /// # Errors
    /// If the database fails.
    #[tracing::instrument(name = "keys.purge", skip_all)]
    pub async fn purge(&self) -> Result<usize, Error> {
        let now = self.context.now();
        let before = now.plus_seconds(-RESTORE_DAYS * DAY).micros();
        let due = {
            let mut reader = self.context.pool.acquire_reader().await?;
            store::keys::list_to_purge(&mut reader.conn(), before, ROUND).await?
        };
        let mut ended = 0;
        for row in due {
            let gone = self.context.queue.write(move |tx| {
                let row = row.clone();
                Box::pin(async move {
                    if !store::keys::purge(tx, row.id, before).await? {
                        return Ok(WriteOutcome::unaudited(0));
                    }
                    let deleted_at = row.deleted_at.unwrap_or(now.micros());
                    store::revoked_tokens::cut_off(tx, SubjectId::Key(row.id.into()), deleted_at).await?;
                    let event = Actor::System(Origin::default())
                        .event(now, "key.purged", format!("key:{}", row.id), &row.name)
                        .in_project(row.project_id.into());
                    Ok::<_, Error>(WriteOutcome::audited(1, event).notify(Change { topic: Topic::Key, id: row.id }))
                })
            });
            ended += gone.await?;
        }
        Ok(ended)
    }
}
