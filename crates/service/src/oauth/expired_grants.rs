//! Expired grants: a background job that revokes grants with an expired code or a removed client, and deletes old rows.

use super::{Consent, clients::REMOVED, grant_revocation::revoke_grants};
use crate::{
    Error,
    actor::{Actor, Origin},
};
use keyward_core::sweep::{JobRun, ROWS, sweep};
use keyward_domain::{
    error_chain::ErrorChain,
    ids::{ClientId, GrantId},
    time::DAY,
};
use keyward_store::{
    self as store, Kind,
    write_queue::{WriteOutcome, serialize_change},
};

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
    #[tracing::instrument(name = "oauth.sweep", skip_all)]
    pub async fn sweep(&self) -> Result<(), Error> {
        let now = self.context.now();
        let (left, removed) = {
            let mut reader = self.context.pool.acquire_reader().await?;
            let mut conn = reader.conn();
            let left = store::authorization_codes::list_unredeemed_grants(&mut conn, now.micros(), ROUND).await?;
            (left, store::oauth_clients::removed_with_grants(&mut conn, now.micros(), ROUND).await?)
        };
        let mut round = JobRun::default();
        for client in removed {
            round.item("grants of a removed application", client, self.revoke_of_removed_client(client.into())).await;
        }
        let (ended, expired) = (now.plus_seconds(-KEPT).micros(), now.plus_seconds(-DEVICES_KEPT).micros());
        let grants = sweep(&self.context, move |tx| Box::pin(store::grants::sweep(tx, ended, ROWS)));
        round.step("old grants", grants).await;
        let devices = sweep(&self.context, move |tx| Box::pin(store::device_codes::sweep(tx, expired, ROWS)));
        round.step("expired device codes", devices).await;
        let left = left.into_iter().map(Into::into).collect();
        round.step("grants with an expired code", self.revoke_expired(left)).await;
        round.end()
    }

    /// Revokes the grants of a removed client.
    async fn revoke_of_removed_client(&self, client: ClientId) -> Result<(), Error> {
        match self.revoke_remaining(&Actor::System(Origin::default()), client).await {
            Err(error) if is_fault(&error) => {
                let now = self.context.now().micros();
                let mut reader = self.context.pool.acquire_reader().await?;
                let held = store::grants::list_by_client(&mut reader.conn(), client.into(), now, ROUND).await?;
                drop(reader);
                let held = held.into_iter().map(|grant| grant.id.into()).collect();
                self.revoke_each(held, "grant.ended", REMOVED).await
            }
            result => result,
        }
    }

    /// Revokes grants with an expired code.
    async fn revoke_expired(&self, grants: Vec<GrantId>) -> Result<(), Error> {
        const ACTION: &str = "grant.lapsed";
        match self.revoke_in_one_write(grants.clone(), ACTION, "").await {
            Err(error) if is_fault(&error) => self.revoke_each(grants, ACTION, "").await,
            result => result,
        }
    }

    /// Revokes each grant in its own write, so that a corrupt row does not block the others.
    ///
    /// # Errors
    /// The first error, which was logged with its grant.
    async fn revoke_each(&self, grants: Vec<GrantId>, action: &'static str, why: &'static str) -> Result<(), Error> {
        let (mut first, mut failed) = (None, 0_u32);
        for grant in grants {
            if let Err(error) = self.revoke_in_one_write(vec![grant], action, why).await {
                failed += 1;
                first.get_or_insert((grant, error));
            }
        }
        let Some((grant, error)) = first else { return Ok(()) };
        tracing::error!(error = %ErrorChain(&error), %grant, failed, "consent.grants_not_ended: the next run retries");
        Err(error)
    }

    /// Revokes grants in one write.
    async fn revoke_in_one_write(
        &self,
        grants: Vec<GrantId>,
        action: &'static str,
        why: &'static str,
    ) -> Result<(), Error> {
        let now = self.context.now();
        let write = self.context.queue.write(move |tx| {
            let grants = grants.clone();
            Box::pin(async move {
                serialize_change(tx).await?;
                let keyward = Actor::System(Origin::default());
                let ends = revoke_grants(tx, &keyward, &grants, action, why, now).await?;
                Ok::<_, Error>(ends.append_to(WriteOutcome::unaudited(())))
            })
        });
        write.await
    }
}

/// Whether an error comes from the data and not from the database: then other grants can still be revoked.
fn is_fault(error: &Error) -> bool {
    matches!(error, Error::Store(error) if error.kind() == Kind::Fault)
}
