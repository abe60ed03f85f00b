//! Expired grants: a background job that revokes grants with an expired code or a removed client, and deletes old rows.

use super::{Consent, clients::REMOVED, ends::end_where};
use crate::{
    Error,
    actor::{Actor, Origin},
};
use keyward_core::sweep::{ROWS, Round, sweep};
use keyward_domain::{
    ids::{ClientId, GrantId},
    time::DAY,
};
use keyward_store::{self as store, Kind, queue::Kept};

/// Maximum grants revoked in one round. The next round takes the rest.
const ROUND: i64 = 500;
/// How long an ended grant is kept with its codes, in seconds: 30 days. The audit log keeps the events.
const KEPT: i64 = 30 * DAY;
/// How long expired device codes are kept, in seconds: until then a poll receives `expired_token`.
const DEVICES_KEPT: i64 = DAY;

impl Consent {
    /// Runs one round of the background job.
    ///
    /// # Errors
    /// The first error, if the database fails or a grant cannot be decoded. Each error was logged, and the next round
    /// tries again.
    pub async fn sweep(&self) -> Result<(), Error> {
        let now = self.ground.now();
        let (left, removed) = {
            let mut reader = self.ground.pool.read().await?;
            let mut conn = reader.conn();
            let left = store::codes::left(&mut conn, now.micros(), ROUND).await?;
            (left, store::clients::removed_with_grants(&mut conn, now.micros(), ROUND).await?)
        };
        let mut round = Round::default();
        for client in removed {
            round.item("grants of a removed program", client, self.end_removed(client.into())).await;
        }
        let (ended, expired) = (now.plus_seconds(-KEPT).micros(), now.plus_seconds(-DEVICES_KEPT).micros());
        let grants = sweep(&self.ground, move |tx| Box::pin(store::grants::sweep(tx, ended, ROWS)));
        round.step("grants that ended long ago", grants).await;
        let devices = sweep(&self.ground, move |tx| Box::pin(store::devices::sweep(tx, expired, ROWS)));
        round.step("codes of devices", devices).await;
        let left = left.into_iter().map(Into::into).collect();
        round.step("grants with an expired code", self.end_lapsed(left)).await;
        round.end()
    }

    /// Revokes the grants of a removed client.
    async fn end_removed(&self, client: ClientId) -> Result<(), Error> {
        match self.end_remaining(&Actor::System(Origin::default()), client).await {
            Err(error) if is_fault(&error) => {
                let now = self.ground.now().micros();
                let mut reader = self.ground.pool.read().await?;
                let held = store::grants::of_client(&mut reader.conn(), client.into(), now, ROUND).await?;
                drop(reader);
                let held = held.into_iter().map(|grant| grant.id.into()).collect();
                self.end_each(held, "grant.ended", REMOVED).await
            }
            result => result,
        }
    }

    /// Revokes grants with an expired code.
    async fn end_lapsed(&self, grants: Vec<GrantId>) -> Result<(), Error> {
        const ACTION: &str = "grant.lapsed";
        match self.end_together(grants.clone(), ACTION, "").await {
            Err(error) if is_fault(&error) => self.end_each(grants, ACTION, "").await,
            result => result,
        }
    }

    /// Revokes each grant in its own write, so that a corrupt row does not block the others.
    ///
    /// # Errors
    /// The first error, which was logged with its grant.
    async fn end_each(&self, grants: Vec<GrantId>, action: &'static str, why: &'static str) -> Result<(), Error> {
        let (mut first, mut failed) = (None, 0_u32);
        for grant in grants {
            if let Err(error) = self.end_together(vec![grant], action, why).await {
                failed += 1;
                first.get_or_insert((grant, error));
            }
        }
        let Some((grant, error)) = first else { return Ok(()) };
        tracing::error!(%error, %grant, failed, "consent.grants_not_ended: the next round tries again");
        Err(error)
    }

    /// Revokes grants in one write.
    async fn end_together(&self, grants: Vec<GrantId>, action: &'static str, why: &'static str) -> Result<(), Error> {
        let now = self.ground.now();
        let write = self.ground.queue.write(move |tx| {
            let grants = grants.clone();
            Box::pin(async move {
                let keyward = Actor::System(Origin::default());
                let ends = end_where(tx, &keyward, &grants, action, why, now).await?;
                Ok::<_, Error>(ends.with(Kept::unrecorded(())))
            })
        });
        write.await
    }
}

/// Whether an error comes from the data and not from the database: then other grants can still be revoked.
fn is_fault(error: &Error) -> bool {
    matches!(error, Error::Store(error) if error.kind() == Kind::Fault)
}
