//! Another key to sign with: first it is published, so that whoever checks tokens knows it, then it signs, and the one before is
//! published until its last token is dead. Or, when somebody else may have the keys, all of that at once.

use super::{Tokens, keys::alive};
use crate::{
    domain::time::{DAY, Timestamp},
    service::{
        Error, Ground,
        actor::{Actor, Origin},
        sealing::SealingKey,
        signer::{ACCESS_TOKENS, new_row},
    },
    store::{self, changes::Change, queue::Kept},
};
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

/// Publishes the next key that signs access tokens, from this instant on; earlier than [`PUBLISHED_FIRST`] allows it never signs.
///
/// # Errors
/// [`Error::Conflict`] if the next key is published already; otherwise if the database refuses.
pub async fn rotate(
    ground: &Ground,
    sealing: &SealingKey,
    actor: &Actor,
    from: Option<Timestamp>,
) -> Result<Published, Error> {
    const WAITS: Error = Error::Conflict("The next signing key is published already, and has not begun to sign.");
    let now = ground.now();
    let least = now.plus_seconds(PUBLISHED_FIRST);
    let from = from.map_or(least, |from| from.max(least));
    let row = new_row(ground, sealing, 0, from).map_err(|_| Error::Internal("a signing key could not be sealed"))?;
    let (actor, id) = (actor.clone(), row.id);
    let write = ground.queue.write(move |tx| {
        let (mut row, actor) = (row.clone(), actor.clone());
        Box::pin(async move {
            let newest = store::signing_keys::newest(tx, ACCESS_TOKENS).await?;
            let newest = newest.ok_or(Error::Internal("there is no signing key yet"))?;
            if newest.signs_from > now.micros() {
                return Err(WAITS);
            }
            row.generation = newest.generation + 1;
            if !store::signing_keys::insert(tx, ACCESS_TOKENS, &row, now.micros()).await? {
                // Another node was faster.
                return Err(WAITS);
            }
            let event = actor
                .event(now, "signing_key.published", format!("signing_key:{id}"), ACCESS_TOKENS)
                .detail(serde_json::json!({"kid": id, "signs_from": from.micros(), "before": {"kid": newest.id}}));
            Ok(Kept::with((), event).heard(change(id)))
        })
    });
    write.await?;
    Ok(Published { kid: id, from })
}

/// Another key signs from this instant on, and all that there were are gone with their tokens: for when somebody may have one of
/// them. Every node refuses what they signed once it hears of it.
///
/// # Errors
/// [`Error::Conflict`] if another node made a key meanwhile; otherwise if the database refuses.
pub async fn replace(ground: &Ground, sealing: &SealingKey, actor: &Actor) -> Result<Published, Error> {
    let now = ground.now();
    let row = new_row(ground, sealing, 0, now).map_err(|_| Error::Internal("a signing key could not be sealed"))?;
    let (actor, id) = (actor.clone(), row.id);
    let write = ground.queue.write(move |tx| {
        let (mut row, actor) = (row.clone(), actor.clone());
        Box::pin(async move {
            let event = |action, kid: Uuid| actor.event(now, action, format!("signing_key:{kid}"), ACCESS_TOKENS);
            let all = store::signing_keys::all(tx, ACCESS_TOKENS).await?;
            let newest = all.first().ok_or(Error::Internal("there is no signing key yet"))?;
            row.generation = newest.generation + 1;
            if !store::signing_keys::insert(tx, ACCESS_TOKENS, &row, now.micros()).await? {
                return Err(Error::Conflict("Another server has just made a signing key. Try again."));
            }
            let detail = serde_json::json!({"kid": id, "signs_from": now.micros(), "before": {"kid": newest.id}});
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
    /// What the schedule asks for: the next key a day before the last one has signed for so many days (0: never), and the removal of
    /// those of which no token is alive. Read anew what others did.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn keep_keys(&self, days: u16) -> Result<(), Error> {
        let (ground, now) = (self.ring.ground(), self.ring.ground().now());
        let (rows, life) = {
            let mut reader = ground.pool.read().await?;
            let rows = store::signing_keys::all(&mut reader.conn(), ACCESS_TOKENS).await?;
            (rows, store::revoked::longest_life(&mut reader.conn()).await?)
        };
        if let Some(newest) = rows.first().filter(|_| days > 0) {
            let due = Timestamp::from_micros(newest.signs_from).plus_seconds(i64::from(days) * DAY);
            let earliest = now.plus_seconds(PUBLISHED_FIRST_BY_SCHEDULE);
            if newest.signs_from <= now.micros() && due <= earliest {
                let by = Actor::System(Origin::default());
                match rotate(ground, self.ring.sealing(), &by, Some(due.max(earliest))).await {
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
