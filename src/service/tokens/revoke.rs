//! Revoking a token (RFC 7009): from the next request on it is refused, with all that were exchanged from it.

use super::{Holder, Known, Revoked, Tokens};
use crate::{
    domain::time::Timestamp,
    service::{
        Error,
        actor::{Actor, Origin},
        verify::Facts,
    },
    store::{self, queue::Kept},
};
use std::collections::HashSet;

impl Tokens {
    /// Revokes a token, for whoever holds the key that it is of, or the token itself. `facts`: of its key or grant, for the log.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn revoke(&self, token: &Known, facts: &Facts, origin: &Origin) -> Result<(), Error> {
        let ground = self.ring.ground();
        let (now, jti, expires) = (ground.now(), token.jti, Timestamp::from_seconds(token.expires));
        let target = match token.holder {
            Holder::Key(key) => format!("key:{key}"),
            Holder::Grant { grant, .. } => format!("grant:{grant}"),
        };
        let mut event = Actor::System(origin.clone())
            .event(now, "token.revoked", target, &facts.name)
            .acting_as("program")
            .in_project(facts.project)
            .detail(serde_json::json!({"jti": jti, "expires_at": expires.micros()}));
        event.actor = token.holder.client_id();
        event.actor_name = facts.name.to_string();
        let write = ground.queue.write(move |tx| {
            let event = event.clone();
            Box::pin(async move {
                if !store::revoked::revoke(tx, jti, expires.micros()).await? {
                    return Ok(Kept::unrecorded(()));
                }
                Ok::<_, Error>(Kept::with((), event).heard(Revoked::change(jti)))
            })
        });
        write.await
    }

    /// Whether a token, or one that it was exchanged from, was revoked.
    ///
    /// # Errors
    /// [`Error::Busy`] if the store has to be asked and cannot answer in time.
    pub(super) async fn is_revoked(&self, token: &Known) -> Result<bool, Error> {
        if self.verify.is_hearing()
            && let Some(known) = self.revoked.knows(token)
        {
            return Ok(known);
        }
        // On the heap: a look-up holds kilobytes while it waits, and every request would move them about.
        Box::pin(self.is_revoked_in_store(token)).await
    }

    async fn is_revoked_in_store(&self, token: &Known) -> Result<bool, Error> {
        let asked = self.verify.ask(async {
            let mut reader = self.ring.ground().pool.read().await?;
            for jti in std::iter::once(&token.jti).chain(&*token.via) {
                if store::revoked::is_revoked(&mut reader.conn(), *jti).await? {
                    return Ok(true);
                }
            }
            Ok(false)
        });
        asked.await
    }

    /// Reads which tokens are revoked, all of them: once it is heard what becomes of them, and now and then to forget those that have
    /// expired.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn read_revoked(&self) -> Result<(), store::Error> {
        let reading = self.revoked.begin();
        let ground = self.ring.ground();
        let mut reader = ground.pool.read().await?;
        let all = store::revoked::alive(&mut reader.conn(), ground.now().micros()).await?;
        let all: HashSet<_> = all.into_iter().map(|row| row.jti).collect();
        self.revoked.read(&all, reading);
        Ok(())
    }
}
