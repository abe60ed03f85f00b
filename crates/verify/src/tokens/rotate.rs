//! Another key to sign with: first it is published, so that whoever checks tokens knows it, then it signs, and the one before is
//! published until its last token is dead. Or, when somebody else may have the keys, all of that at once.

use super::{Tokens, keys::alive};
use crate::signer::{ACCESS_TOKENS, SignerError, TOKEN_KEYS, alg_of, new_token_row};
use keyward_config::TokenAlg;
use keyward_core::{
    Error, Ground,
    actor::{Actor, Origin},
    sealing::SealingKey,
};
use keyward_domain::time::{DAY, Timestamp};
use keyward_store::{self as store, changes::Change, queue::Kept, signing_keys::SigningKeyRow};
use uuid::Uuid;

/// For how long at least a key is published before it signs, in seconds: every node publishes it within a minute, and whoever keeps
/// the JWK set does so for five.
pub const PUBLISHED_FIRST: i64 = 15 * 60;
/// For how long a key is published before it signs when nobody is in a hurry, in seconds: by the schedule.
pub const PUBLISHED_FIRST_BY_SCHEDULE: i64 = DAY;
/// For how long a key is kept after its last token is dead, in seconds: clocks differ.
const KEPT_LONGER: i64 = 3_600;

/// A key that was published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    pub kid: Uuid,
    /// From when it signs.
    pub from: Timestamp,
}

/// The change that tells of the keys.
fn change(kid: Uuid) -> Change {
    Change { topic: super::SIGNING_KEY, id: kid }
}

const NO_KEY: Error = Error::Internal("there is no signing key yet");

/// A new key of this algorithm, sealed.
async fn new_key(
    ground: &Ground,
    sealing: &SealingKey,
    alg: TokenAlg,
    from: Timestamp,
) -> Result<SigningKeyRow, Error> {
    new_token_row(ground, sealing, alg, from).await.map_err(|error| match error {
        SignerError::Service(error) => error,
        _ => Error::Internal("a signing key could not be made"),
    })
}

/// The algorithm of the newest key.
async fn newest_alg(ground: &Ground) -> Result<TokenAlg, Error> {
    let mut reader = ground.pool.read().await?;
    let newest = store::signing_keys::newest_of(&mut reader.conn(), TOKEN_KEYS).await?;
    Ok(alg_of(&newest.ok_or(NO_KEY)?))
}

/// Publishes the next key that signs access tokens, of the algorithm of the one before, from this instant on; earlier than
/// [`PUBLISHED_FIRST`] allows it never signs.
///
/// # Errors
/// [`Error::Conflict`] if the next key is published already; otherwise if the database refuses.
pub async fn rotate(
    ground: &Ground,
    sealing: &SealingKey,
    actor: &Actor,
    from: Option<Timestamp>,
) -> Result<Published, Error> {
    let alg = newest_alg(ground).await?;
    rotate_to(ground, sealing, actor, alg, from).await
}

/// As [`rotate`], to a key of this algorithm.
async fn rotate_to(
    ground: &Ground,
    sealing: &SealingKey,
    actor: &Actor,
    alg: TokenAlg,
    from: Option<Timestamp>,
) -> Result<Published, Error> {
    const WAITS: Error = Error::Conflict("The next signing key is published already, and has not begun to sign.");
    let now = ground.now();
    let least = now.plus_seconds(PUBLISHED_FIRST);
    let from = from.map_or(least, |from| from.max(least));
    let row = new_key(ground, sealing, alg, from).await?;
    let (actor, id) = (actor.clone(), row.id);
    let write = ground.queue.write(move |tx| {
        let (mut row, actor) = (row.clone(), actor.clone());
        Box::pin(async move {
            let newest = store::signing_keys::newest_of(tx, TOKEN_KEYS).await?.ok_or(NO_KEY)?;
            if newest.signs_from > now.micros() {
                return Err(WAITS);
            }
            row.generation = newest.generation + 1;
            if !store::signing_keys::insert(tx, &row, now.micros()).await? {
                // Another node was faster.
                return Err(WAITS);
            }
            let event = actor
                .event(now, "signing_key.published", format!("signing_key:{id}"), ACCESS_TOKENS)
                .detail(published_detail(id, alg, from, newest.id));
            Ok(Kept::with((), event).heard(change(id)))
        })
    });
    write.await?;
    Ok(Published { kid: id, from })
}

/// What the log says of a key that is published.
fn published_detail(kid: Uuid, alg: TokenAlg, from: Timestamp, before: Uuid) -> serde_json::Value {
    serde_json::json!({"kid": kid, "alg": alg.as_str(), "signs_from": from.micros(), "before": {"kid": before}})
}

/// Another key, of the algorithm of the newest, signs from this instant on, and all that there were are gone with their tokens: for when somebody may have one of
/// them. Every node refuses what they signed once it hears of it.
///
/// # Errors
/// [`Error::Conflict`] if another node made a key meanwhile; otherwise if the database refuses.
pub async fn replace(ground: &Ground, sealing: &SealingKey, actor: &Actor) -> Result<Published, Error> {
    let now = ground.now();
    let alg = newest_alg(ground).await?;
    let row = new_key(ground, sealing, alg, now).await?;
    let (actor, id) = (actor.clone(), row.id);
    let write = ground.queue.write(move |tx| {
        let (mut row, actor) = (row.clone(), actor.clone());
        Box::pin(async move {
            let event = |action, kid: Uuid| actor.event(now, action, format!("signing_key:{kid}"), ACCESS_TOKENS);
            let all = store::signing_keys::all_of(tx, TOKEN_KEYS).await?;
            let newest = all.first().ok_or(NO_KEY)?;
            row.generation = newest.generation + 1;
            if !store::signing_keys::insert(tx, &row, now.micros()).await? {
                return Err(Error::Conflict("Another server has just made a signing key. Try again."));
            }
            let detail = published_detail(id, alg, now, newest.id);
            let mut kept = Kept::with((), event("signing_key.published", id).detail(detail)).heard(change(id));
            for old in all {
                store::signing_keys::remove(tx, old.id).await?;
                kept = kept.and(event("signing_key.discarded", old.id)).heard(change(old.id));
            }
            Ok(kept)
        })
    });
    write.await?;
    Ok(Published { kid: id, from: now })
}

impl Tokens {
    /// What the settings ask for: the next key a day before the last one has signed for so many days (0: never); another key at the
    /// next opportunity if the last one is of another algorithm; and the removal of those of which no token is alive. Reads again what
    /// others did.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn keep_keys(&self, days: u16, alg: TokenAlg) -> Result<(), Error> {
        let (ground, now) = (self.ring.ground(), self.ring.ground().now());
        let (rows, life) = {
            let mut reader = ground.pool.read().await?;
            let rows = store::signing_keys::all_of(&mut reader.conn(), TOKEN_KEYS).await?;
            (rows, store::revoked::longest_life(&mut reader.conn()).await?)
        };
        if let Some(newest) = rows.first().filter(|newest| newest.signs_from <= now.micros()) {
            let due = Timestamp::from_micros(newest.signs_from).plus_seconds(i64::from(days) * DAY);
            let earliest = now.plus_seconds(PUBLISHED_FIRST_BY_SCHEDULE);
            // A change of the setting takes effect as soon as caches of the JWK set can have the new key.
            let changes = alg_of(newest) != alg;
            if changes || days > 0 && due <= earliest {
                let from = if changes { None } else { Some(due.max(earliest)) };
                let by = Actor::System(Origin::default());
                match rotate_to(ground, self.ring.sealing(), &by, alg, from).await {
                    // Another node was faster.
                    Ok(_) | Err(Error::Conflict(_)) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        let dead = alive(&rows, life.saturating_add(KEPT_LONGER), now).len();
        for row in &rows[dead..] {
            retire(ground, row.id, now).await?;
        }
        self.ring.reload().await?;
        Ok(())
    }
}

/// Removes a key of which no token is alive, with its private half.
async fn retire(ground: &Ground, id: Uuid, now: Timestamp) -> Result<(), Error> {
    let write = ground.queue.write(move |tx| {
        Box::pin(async move {
            if !store::signing_keys::remove(tx, id).await? {
                return Ok(Kept::unrecorded(()));
            }
            let event = Actor::System(Origin::default()).event(
                now,
                "signing_key.retired",
                format!("signing_key:{id}"),
                ACCESS_TOKENS,
            );
            Ok::<_, Error>(Kept::with((), event).heard(change(id)))
        })
    });
    write.await
}
