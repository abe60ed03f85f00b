//! Bulk actions on keys by an administrator: one event per key, one reason for all.

use super::{
    Keys, administrator,
    change::{Standing, Verb, apply},
    is_gone,
};
use crate::{
    Error,
    actor::{Actor, Caller},
    can::Power,
};
use keyward_domain::{
    ids::KeyId,
    key::{ChosenDone, ChosenKey, ChosenLeft, PAGE_SIZE, Reason},
    time::Timestamp,
};
use keyward_store::{self as store, Tx, audit::NewEvent, changes::Change, queue::Kept};
use uuid::Uuid;

/// Deactivates a key because its creator is disabled. Returns the event, unless the key was already stopped for this
/// reason.
///
/// # Errors
/// As for a single key, except that a key that was deleted in the meantime is not an error.
pub(crate) async fn stop(
    tx: &mut Tx<'_>,
    actor: &Actor,
    key: KeyId,
    reason: &Reason,
    now: Timestamp,
) -> Result<Option<NewEvent>, Error> {
    let standing = match actor {
        Actor::User(caller) => Standing::Administrator(caller.clone(), reason.clone()),
        _ => Standing::Operator(reason.clone()),
    };
    stop_as(tx, &standing, key, now).await
}

/// As [`stop`], on behalf of the administrator with this name. The event names Keyward as the actor, and the
/// administrator in its detail (`for`).
///
/// # Errors
/// As [`stop`].
pub(crate) async fn stop_for(
    tx: &mut Tx<'_>,
    administrator: &str,
    key: KeyId,
    reason: &Reason,
    now: Timestamp,
) -> Result<Option<NewEvent>, Error> {
    stop_as(tx, &Standing::Keyward(administrator.to_owned(), reason.clone()), key, now).await
}

async fn stop_as(tx: &mut Tx<'_>, standing: &Standing, key: KeyId, now: Timestamp) -> Result<Option<NewEvent>, Error> {
    match apply(tx, standing, key, Verb::Deactivate, now).await {
        Ok((_, event)) => Ok(event),
        Err(Error::NotFound | Error::Conflict(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Returns the ids without duplicates, in the lock order of all changes; at most one page.
fn in_order(ids: &[KeyId]) -> Result<Vec<KeyId>, Error> {
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    ids.dedup();
    if ids.is_empty() {
        return Err(Error::Conflict("No key was chosen. Tick those that you mean, then press the button again."));
    }
    if ids.len() > PAGE_SIZE {
        return Err(Error::Conflict("At most 50 keys can be changed at once. Choose fewer."));
    }
    Ok(ids)
}

impl Keys {
    /// Returns the keys for the confirmation dialog. Keys that do not exist are omitted.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a user who is not an administrator; [`Error::Conflict`] without ids, or with more than a
    /// page.
    pub async fn chosen(&self, caller: &Caller, ids: &[KeyId]) -> Result<Vec<ChosenKey>, Error> {
        let mut reader = self.ground.pool.read().await?;
        let mut conn = reader.conn();
        administrator(&mut conn, caller, Power::SeeEveryKey).await?;
        let (mut keys, now) = (Vec::new(), self.ground.now());
        for id in in_order(ids)? {
            let row = store::keys::by_id(&mut conn, id.into()).await?.filter(|row| !is_gone(row, now));
            keys.extend(row.map(|row| ChosenKey {
                id,
                status: row.lifecycle().status(now),
                name: row.name,
                project: row.project_name,
            }));
        }
        Ok(keys)
    }

    /// Deactivates several keys as an administrator. A key that cannot be changed does not block the others: the result
    /// lists it with the reason.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a user who is not an administrator; [`Error::Invalid`] without a reason;
    /// [`Error::Conflict`] without ids, or with more than a page.
    pub async fn deactivate_chosen(&self, caller: &Caller, ids: &[KeyId], reason: &str) -> Result<ChosenDone, Error> {
        self.change_chosen(caller, ids, reason, Verb::Deactivate).await
    }

    /// Deletes several keys as an administrator. For seven days an administrator can restore them, one by one.
    ///
    /// # Errors
    /// As [`Keys::deactivate_chosen`].
    pub async fn delete_chosen(&self, caller: &Caller, ids: &[KeyId], reason: &str) -> Result<ChosenDone, Error> {
        self.change_chosen(caller, ids, reason, Verb::Delete).await
    }

    async fn change_chosen(
        &self,
        caller: &Caller,
        ids: &[KeyId],
        reason: &str,
        verb: Verb,
    ) -> Result<ChosenDone, Error> {
        // Other users must not even learn that this action exists.
        self.chosen(caller, ids).await?;
        let reason: Reason = reason.parse().map_err(|e| Error::field("reason", e))?;
        let (ids, standing, now) = (in_order(ids)?, Standing::Administrator(caller.clone(), reason), self.ground.now());
        let caller = caller.clone();
        let write = self.ground.queue.write(move |tx| {
            let (ids, standing, caller) = (ids.clone(), standing.clone(), caller.clone());
            Box::pin(async move {
                administrator(tx, &caller, Power::StopAnyKey).await?;
                let mut done = ChosenDone { deleted: verb == Verb::Delete, ..ChosenDone::default() };
                let mut kept = Kept::unrecorded(());
                for id in ids {
                    match apply(tx, &standing, id, verb, now).await {
                        Ok((_, Some(event))) => {
                            done.changed += 1;
                            kept = kept.and(event).heard(Change { topic: "key", id: id.into() });
                        }
                        Ok((_, None)) => done.same += 1,
                        Err(Error::NotFound) => done.left.push(ChosenLeft {
                            name: name_of(tx, id.into()).await?,
                            why: "It does not exist any more.".to_owned(),
                        }),
                        Err(Error::Conflict(why)) => {
                            done.left.push(ChosenLeft { name: name_of(tx, id.into()).await?, why: why.to_owned() });
                        }
                        Err(error) => return Err(error),
                    }
                }
                Ok(kept.map(|()| done))
            })
        });
        write.await
    }
}

/// Returns the name of a key, or its id if it does not exist.
async fn name_of(tx: &mut Tx<'_>, id: Uuid) -> Result<String, Error> {
    Ok(store::keys::by_id(tx, id).await?.map_or_else(|| id.to_string(), |row| row.name))
}
