//! Signing key rotation: a new key is published first, so that verifiers know it, then it signs, and the previous key
//! stays published until its last token has expired. If the keys may be compromised, all of this happens at once.

use super::{Tokens, keys::unexpired};
use crate::signer::{ACCESS_TOKENS, SignerError, TOKEN_KEYS, alg_of, new_token_row};
use keyward_config::TokenAlg;
use keyward_core::{
    Context, Error,
    actor::{Actor, Origin},
    encryption_at_rest::EncryptionKey,
};
use keyward_domain::time::{DAY, Timestamp};
use keyward_store::{
    self as store,
    change_log::{Change, Topic},
    signing_keys::SigningKeyRow,
    write_queue::WriteOutcome,
};
use uuid::Uuid;

/// Minimum time between the publication of a key and its first signature, in seconds: every node publishes it within a
/// minute, and verifiers cache the JWK set for five minutes.
pub const PUBLISH_LEAD_TIME: i64 = 15 * 60;
/// Time between the publication of a key and its first signature for scheduled rotation, in seconds.
pub const SCHEDULED_PUBLISH_LEAD_TIME: i64 = DAY;
/// Time for which a key is kept after its last token has expired, in seconds, to allow for clock differences.
const RETENTION_MARGIN: i64 = 3_600;

/// A published key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedKey {
    pub kid: Uuid,
    /// The time from which it signs.
    pub from: Timestamp,
}

/// Returns the change that announces a signing key.
fn change(kid: Uuid) -> Change {
    Change { topic: Topic::SigningKey, id: kid }
}

const NO_KEY: Error = Error::Internal("there is no signing key yet");

/// Generates a key of this algorithm with its private half encrypted.
async fn new_key(
    context: &Context,
    sealing: &EncryptionKey,
    alg: TokenAlg,
    from: Timestamp,
) -> Result<SigningKeyRow, Error> {
    new_token_row(context, sealing, alg, from).await.map_err(|error| match error {
        SignerError::Service(error) => error,
        error => Error::failed("a signing key could not be created", error),
    })
}

/// Returns the algorithm of the newest key.
async fn newest_alg(context: &Context) -> Result<TokenAlg, Error> {
    let mut reader = context.pool.acquire_reader().await?;
    let newest = store::signing_keys::newest_of(&mut reader.conn(), TOKEN_KEYS).await?;
    Ok(alg_of(&newest.ok_or(NO_KEY)?))
}

/// Publishes the next key for access tokens, with the algorithm of the previous one. It signs from `from`, but never
/// earlier than [`PUBLISH_LEAD_TIME`] allows.
///
/// # Errors
/// [`Error::Conflict`] if the next key is already published; otherwise if the write fails.
pub async fn rotate(
    context: &Context,
    sealing: &EncryptionKey,
    actor: &Actor,
    from: Option<Timestamp>,
) -> Result<PublishedKey, Error> {
    let alg = newest_alg(context).await?;
    rotate_to(context, sealing, actor, alg, from).await
}

/// Same as [`rotate`], with a key of this algorithm.
async fn rotate_to(
    context: &Context,
    sealing: &EncryptionKey,
    actor: &Actor,
    alg: TokenAlg,
    from: Option<Timestamp>,
) -> Result<PublishedKey, Error> {
    const WAITS: Error =
        Error::Conflict("The next signing key is already published, but does not sign yet. Try again later.");
    let now = context.now();
    let least = now.plus_seconds(PUBLISH_LEAD_TIME);
    let from = from.map_or(least, |from| from.max(least));
    let row = new_key(context, sealing, alg, from).await?;
    let (actor, id) = (actor.clone(), row.id);
    let write = context.queue.write(move |tx| {
        let (mut row, actor) = (row.clone(), actor.clone());
        Box::pin(async move {
            let newest = store::signing_keys::newest_of(tx, TOKEN_KEYS).await?.ok_or(NO_KEY)?;
            if newest.signs_from > now.micros() {
                return Err(WAITS);
            }
            row.generation = newest.generation + 1;
            if !store::signing_keys::insert(tx, &row, now.micros()).await? {
                // Another node published its key first.
                return Err(WAITS);
            }
            let event = actor
                .event(now, "signing_key.published", format!("signing_key:{id}"), ACCESS_TOKENS)
                .with_detail(published_detail(id, alg, from, newest.id));
            Ok(WriteOutcome::audited((), event).notify(change(id)))
        })
    });
    write.await?;
    Ok(PublishedKey { kid: id, from })
}

/// Returns the audit event's details for a published key.
fn published_detail(kid: Uuid, alg: TokenAlg, from: Timestamp, before: Uuid) -> serde_json::Value {
    serde_json::json!({"kid": kid, "alg": alg.as_str(), "signs_from": from.micros(), "before": {"kid": before}})
}

/// Replaces all keys immediately, for use after a compromise. A new key, with the algorithm of the newest one, signs
/// from now on, and all other keys are removed. Every node denies their tokens once it receives the change.
///
/// # Errors
/// [`Error::Conflict`] if another node created a key meanwhile; otherwise if the write fails.
pub async fn replace(context: &Context, sealing: &EncryptionKey, actor: &Actor) -> Result<PublishedKey, Error> {
    let now = context.now();
    let alg = newest_alg(context).await?;
    let row = new_key(context, sealing, alg, now).await?;
    let (actor, id) = (actor.clone(), row.id);
    let write = context.queue.write(move |tx| {
        let (mut row, actor) = (row.clone(), actor.clone());
        Box::pin(async move {
            let event = |action, kid: Uuid| actor.event(now, action, format!("signing_key:{kid}"), ACCESS_TOKENS);
            let all = store::signing_keys::all_of(tx, TOKEN_KEYS).await?;
            let newest = all.first().ok_or(NO_KEY)?;
            row.generation = newest.generation + 1;
            if !store::signing_keys::insert(tx, &row, now.micros()).await? {
                return Err(Error::Conflict("Another server has just created a signing key. Try again."));
            }
            let detail = published_detail(id, alg, now, newest.id);
            let mut kept =
                WriteOutcome::audited((), event("signing_key.published", id).with_detail(detail)).notify(change(id));
            for old in all {
                store::signing_keys::remove(tx, old.id).await?;
                kept = kept.and_event(event("signing_key.discarded", old.id)).notify(change(old.id));
            }
            Ok(kept)
        })
    });
    write.await?;
    Ok(PublishedKey { kid: id, from: now })
}

impl Tokens {
    /// Maintains the keys according to the settings. Publishes the next key a day before the newest one has signed for
    /// `days` days (0: never), publishes another key as soon as possible if the newest one has a different algorithm,
    /// and removes keys without valid tokens. Then reads the keys again, including changes by other nodes.
    ///
    /// # Errors
    /// If the database cannot be read or written.
    pub async fn maintain_keys(&self, days: u16, alg: TokenAlg) -> Result<(), Error> {
        let (context, now) = (self.ring.context(), self.ring.context().now());
        let (rows, life) = {
            let mut reader = context.pool.acquire_reader().await?;
            let rows = store::signing_keys::all_of(&mut reader.conn(), TOKEN_KEYS).await?;
            (rows, store::revoked_tokens::longest_life(&mut reader.conn()).await?)
        };
        if let Some(newest) = rows.first().filter(|newest| newest.signs_from <= now.micros()) {
            let due = Timestamp::from_micros(newest.signs_from).plus_seconds(i64::from(days) * DAY);
            let earliest = now.plus_seconds(SCHEDULED_PUBLISH_LEAD_TIME);
            // A change of the setting takes effect as soon as caches of the JWK set can contain the new key.
            let changes = alg_of(newest) != alg;
            if changes || days > 0 && due <= earliest {
                let from = if changes { None } else { Some(due.max(earliest)) };
                let by = Actor::System(Origin::default());
                match rotate_to(context, self.ring.sealing(), &by, alg, from).await {
                    // Another node published its key first.
                    Ok(_) | Err(Error::Conflict(_)) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        let dead = unexpired(&rows, life.saturating_add(RETENTION_MARGIN), now).len();
        for row in &rows[dead..] {
            retire(context, row.id, now).await?;
        }
        self.ring.reload().await?;
        Ok(())
    }
}

/// Removes a key without valid tokens, including its private half.
async fn retire(context: &Context, id: Uuid, now: Timestamp) -> Result<(), Error> {
    let write = context.queue.write(move |tx| {
        Box::pin(async move {
            if !store::signing_keys::remove(tx, id).await? {
                return Ok(WriteOutcome::unaudited(()));
            }
            let event = Actor::System(Origin::default()).event(
                now,
                "signing_key.retired",
                format!("signing_key:{id}"),
                ACCESS_TOKENS,
            );
            Ok::<_, Error>(WriteOutcome::audited((), event).notify(change(id)))
        })
    });
    write.await
}
