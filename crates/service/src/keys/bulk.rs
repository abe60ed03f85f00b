//! Bulk actions on keys by an administrator: one event per key, one reason for all.

use super::{
    Keys, is_restore_period_over, require_administrator,
    transition::{AdminReason, TransitionRequest, apply},
};
use crate::{
    Error,
    actor::{Actor, Caller, Origin},
    permissions::AdminPermission,
};
use keyward_domain::{
    ids::KeyId,
    key::{BulkFailure, BulkResult, PAGE_SIZE, Reason, SelectedKey},
    time::Timestamp,
    transition::Transition,
};
use keyward_store::{
    self as store, Tx,
    audit::NewEvent,
    change_log::{Change, Topic},
    write_queue::WriteOutcome,
};
use uuid::Uuid;

/// Deactivates a key because its creator is disabled. Returns the event, unless the key was already stopped for this
/// reason.
///
/// # Errors
/// As for a single key, except that a key that was deleted in the meantime is not an error.
pub(crate) async fn deactivate_key(
    tx: &mut Tx<'_>,
    actor: &Actor,
    key: KeyId,
    reason: &Reason,
    now: Timestamp,
) -> Result<Option<NewEvent>, Error> {
    let actor = match actor {
        Actor::User(caller) => Actor::Administrator(caller.clone()),
        _ => actor.clone(),
    };
    let by = actor.name().to_owned();
    deactivate_key_as(tx, actor, key, AdminReason { text: reason.clone(), by }, now).await
}

/// As [`deactivate_key`], on behalf of the administrator with this name. The event names Keyward as the actor, and the
/// administrator in its detail (`for`).
///
/// # Errors
/// As [`deactivate_key`].
pub(crate) async fn deactivate_key_for(
    tx: &mut Tx<'_>,
    administrator: &str,
    key: KeyId,
    reason: &Reason,
    now: Timestamp,
) -> Result<Option<NewEvent>, Error> {
    let reason = AdminReason { text: reason.clone(), by: administrator.to_owned() };
    deactivate_key_as(tx, Actor::System(Origin::default()), key, reason, now).await
}

async fn deactivate_key_as(
    tx: &mut Tx<'_>,
    actor: Actor,
    key: KeyId,
    reason: AdminReason,
    now: Timestamp,
) -> Result<Option<NewEvent>, Error> {
    match apply(tx, &admin_request(actor, Transition::Deactivate, reason), key, now).await {
        Ok((_, event)) => Ok(event),
        Err(Error::NotFound | Error::Conflict(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Returns the request for a transition of any key, with an administrator's reason.
fn admin_request(actor: Actor, transition: Transition, reason: AdminReason) -> TransitionRequest {
    TransitionRequest { actor, transition, project: None, versions: None, reason: Some(reason) }
}

/// Returns the ids without duplicates, in the lock order of all changes; at most one page.
fn sorted_unique(ids: &[KeyId]) -> Result<Vec<KeyId>, Error> {
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    ids.dedup();
    if ids.is_empty() {
        return Err(Error::Conflict("No keys are selected. Select at least one key and try again."));
    }
    if ids.len() > PAGE_SIZE {
        return Err(Error::Conflict("You can change at most 50 keys at once. Select fewer keys."));
    }
    Ok(ids)
}

impl Keys {
    /// Returns the keys for the confirmation dialog. Keys that do not exist are omitted.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a user who is not an administrator; [`Error::Conflict`] without ids, or with more than a
    /// page.
    #[tracing::instrument(name = "keys.list_selected", skip_all)]
    pub async fn list_selected(&self, caller: &Caller, ids: &[KeyId]) -> Result<Vec<SelectedKey>, Error> {
        let mut reader = self.context.pool.acquire_reader().await?;
        let mut conn = reader.conn();
        require_administrator(&mut conn, caller, AdminPermission::SeeEveryKey).await?;
        let (mut keys, now) = (Vec::new(), self.context.now());
        for id in sorted_unique(ids)? {
            let row = store::keys::by_id(&mut conn, id.into()).await?.filter(|row| !is_restore_period_over(row, now));
            keys.extend(row.map(|row| SelectedKey {
                id,
                status: row.lifecycle().status(now),
                name: row.name,
                project: row.project_name,
            }));
        }
        Ok(keys)
    }

    /// Deactivates or deletes several keys as an administrator, with one reason. A key that cannot be changed does not
    /// block the others: the result lists it with the reason. Keys are activated and restored one by one.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a user who is not an administrator; [`Error::Invalid`] without a reason, and for an
    /// activation or a restoration; [`Error::Conflict`] without ids, or with more than a page.
    #[tracing::instrument(name = "keys.transition_selected", skip_all)]
    pub async fn transition_selected(
        &self,
        caller: &Caller,
        ids: &[KeyId],
        transition: Transition,
        reason: &str,
    ) -> Result<BulkResult, Error> {
        // Other users must not even learn that this action exists.
        self.list_selected(caller, ids).await?;
        if transition.ends_stop() {
            return Err(Error::field("verb", "Choose deactivate or delete."));
        }
        let text: Reason = reason.parse().map_err(|e| Error::field("reason", e))?;
        let reason = AdminReason { text, by: caller.name.clone() };
        let request = admin_request(Actor::Administrator(caller.clone()), transition, reason);
        let (ids, now, caller) = (sorted_unique(ids)?, self.context.now(), caller.clone());
        let write = self.context.queue.write(move |tx| {
            let (ids, request, caller) = (ids.clone(), request.clone(), caller.clone());
            Box::pin(async move {
                require_administrator(tx, &caller, AdminPermission::StopAnyKey).await?;
                let mut done = BulkResult { deleted: transition == Transition::Delete, ..BulkResult::default() };
                let mut kept = WriteOutcome::unaudited(());
                for id in ids {
                    match apply(tx, &request, id, now).await {
                        Ok((_, Some(event))) => {
                            done.changed += 1;
                            kept = kept.and_event(event).notify(Change { topic: Topic::Key, id: id.into() });
                        }
                        Ok((_, None)) => done.same += 1,
                        Err(Error::NotFound) => done.left.push(BulkFailure {
                            name: name_of(tx, id.into()).await?,
                            why: "The key no longer exists.".to_owned(),
                        }),
                        Err(Error::Conflict(why)) => {
                            done.left.push(BulkFailure { name: name_of(tx, id.into()).await?, why: why.to_owned() });
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
