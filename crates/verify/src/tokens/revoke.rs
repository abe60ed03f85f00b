//! Token revocation (RFC 7009): the token and all tokens exchanged from it are denied from the next request on.

use super::{ParsedToken, RevokedSet, Tokens};
use keyward_core::{
    Error,
    actor::{Actor, Origin},
};
use keyward_domain::time::{DAY, Timestamp};
use keyward_store::{self as store, write_queue::WriteOutcome};
use std::collections::HashSet;

/// The action of the audit event.
const ACTION: &str = "token.revoked";
/// Maximum number of tokens of one subject that can be revoked individually within a day, because each is an entry of a
/// list that every resource server fetches.
const MOST: i64 = 1_000;

/// [`MOST`] tokens of the same subject were revoked within a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("1,000 tokens of this key were revoked within a day. Deactivate the key to block all of its tokens.")]
pub struct TooManyRevocations {
    /// Seconds until another token can be revoked.
    pub seconds: i64,
}

impl Tokens {
    /// Revokes a token on behalf of the holder of its key or of the token itself. Does not depend on the current state
    /// of the key or grant, because that state may change. If the key or grant no longer exists, there is nothing to
    /// revoke.
    ///
    /// # Errors
    /// The inner error if too many tokens of this subject were revoked, so that they should be revoked together; the
    /// outer one if the write fails.
    pub async fn revoke(&self, token: &ParsedToken, origin: &Origin) -> Result<Result<(), TooManyRevocations>, Error> {
        let Some(facts) = self.verify.find_snapshot(token.subject.id()).await? else { return Ok(Ok(())) };
        let context = self.ring.context();
        let (now, jti, expires) = (context.now(), token.jti, Timestamp::from_seconds(token.expires_at));
        let target = token.subject.id().to_string();
        let mut event = Actor::System(origin.clone())
            .event(now, ACTION, target.clone(), &facts.name)
            .with_acting_role("program")
            .in_project(facts.project)
            .with_detail(serde_json::json!({"jti": jti, "expires_at": expires.micros()}));
        event.actor = token.subject.client_id();
        event.actor_name = facts.name.to_string();
        let write = context.queue.write(move |tx| {
            let (event, target) = (event.clone(), target.clone());
            Box::pin(async move {
                if store::revoked_tokens::is_revoked(tx, jti).await? {
                    return Ok(WriteOutcome::unaudited(Ok(())));
                }
                let oldest = store::audit::nth_newest(tx, &target, ACTION, MOST).await?.map(Timestamp::from_micros);
                let seconds = oldest.map(|at| at.plus_seconds(DAY).seconds() - now.seconds());
                if let Some(seconds) = seconds.filter(|it| *it > 0) {
                    return Ok(WriteOutcome::unaudited(Err(TooManyRevocations { seconds })));
                }
                if !store::revoked_tokens::revoke(tx, jti, expires.micros()).await? {
                    // Another node revoked it first.
                    return Ok(WriteOutcome::unaudited(Ok(())));
                }
                Ok::<_, Error>(WriteOutcome::audited(Ok(()), event).notify(RevokedSet::change(jti)))
            })
        });
        write.await
    }

    /// Returns whether a token, or one that it was exchanged from, is revoked.
    ///
    /// # Errors
    /// [`Error::Busy`] if a query is necessary and does not finish in time.
    pub(super) async fn is_revoked(&self, token: &ParsedToken) -> Result<bool, Error> {
        if self.verify.is_cache_fresh()
            && let Some(known) = self.revoked.lookup(token)
        {
            return Ok(known);
        }
        // On the heap: the future of a lookup has kilobytes, which every request would otherwise move around.
        Box::pin(self.is_revoked_in_store(token)).await
    }

    async fn is_revoked_in_store(&self, token: &ParsedToken) -> Result<bool, Error> {
        let lookup = self.verify.run_lookup(async {
            let mut reader = self.ring.context().pool.acquire_reader().await?;
            for jti in std::iter::once(&token.jti).chain(&*token.via) {
                if store::revoked_tokens::is_revoked(&mut reader.conn(), *jti).await? {
                    return Ok(true);
                }
            }
            Ok(false)
        });
        lookup.await
    }

    /// Reads all revoked tokens: once after changes are received, and periodically to remove expired ones.
    ///
    /// # Errors
    /// If the query fails.
    pub async fn load_revoked(&self) -> Result<(), store::Error> {
        let reading = self.revoked.begin_load();
        let context = self.ring.context();
        let mut reader = context.pool.acquire_reader().await?;
        let all = store::revoked_tokens::list_unexpired(&mut reader.conn(), context.now().micros()).await?;
        let all: HashSet<_> = all.into_iter().map(|row| row.jti).collect();
        self.revoked.complete_load(&all, reading);
        Ok(())
    }
}
