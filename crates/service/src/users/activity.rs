//! Disabling and enabling users.

use super::{Users, check_administrator_remains, lock_user, target};
use crate::{Error, accounts::registration::RESET, actor::Actor, keys, oauth, permissions::AdminPermission};
use keyward_core::sweep::JobRun;
use keyward_domain::{
    error_chain::ErrorChain,
    ids::UserId,
    key::{Reason, ReasonError},
};
use keyward_store::{
    self as store,
    change_log::{Change, Topic},
    users::KeyStopRow,
    write_queue::WriteOutcome,
};

/// Default reason for key owners if the command line gives none.
const DEFAULT_REASON: &str = "The user who created this key was disabled.";

/// Maximum number of keys that one write deactivates. A write takes some tens of milliseconds; then other writes run.
const AT_ONCE: i64 = 200;
/// Maximum number of users whose keys one maintenance round deactivates.
const ROUND: i64 = 100;

/// Result of disabling a user.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Disabled {
    /// Keys that were deactivated.
    pub keys: u64,
    /// Sessions that were ended.
    pub sessions: u64,
}

impl Users {
    /// Disables a user. From the next request on, the user is signed out everywhere and cannot sign in. No response
    /// reveals why.
    ///
    /// `with_keys`: also deactivates the keys that the user created, in all projects. Only an administrator can
    /// activate them again. The first write blocks the user and deactivates the first keys. Further keys follow in
    /// separate writes. The maintenance job completes them if a write fails or this process ends.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the user does not exist or the caller is not an administrator; [`Error::Conflict`] for
    /// the last administrator; [`Error::Invalid`] without a reason, which is optional on the command line;
    /// [`Error::ReauthenticationRequired`] without recent reauthentication.
    #[tracing::instrument(name = "users.disable", skip_all, fields(user.id = %id))]
    pub async fn disable(&self, actor: &Actor, id: UserId, reason: &str, with_keys: bool) -> Result<Disabled, Error> {
        let reason = self.reason(actor, id, reason).await?;
        let of_keys = match &reason {
            Some(reason) => reason.clone(),
            None => DEFAULT_REASON
                .parse()
                .map_err(|cause: ReasonError| Error::failed("the default reason is invalid", cause))?,
        };
        let (first, now) = (actor.clone(), self.context.now());
        let write = self.context.queue.write(move |tx| {
            let (actor, reason, of_keys) = (first.clone(), reason.clone(), of_keys.clone());
            Box::pin(async move {
                let row = lock_user(tx, &actor, id, AdminPermission::ManageUsers).await?;
                actor.require_reauthentication("user.disabled", now)?;
                check_administrator_remains(tx, &row).await?;
                let mut done = Disabled::default();
                let (mut events, mut left) = (Vec::new(), 0);
                if with_keys {
                    let live = store::users::exact_live_key_count(tx, row.id).await?;
                    for key in store::users::live_keys(tx, row.id, AT_ONCE).await? {
                        events.extend(
                            keys::deactivate_key(tx, &actor, key.into(), &of_keys, now).await?.map(|it| (key, it)),
                        );
                    }
                    done.keys = events.len() as u64;
                    left = live.saturating_sub(AT_ONCE).max(0);
                }
                if left > 0 {
                    let stop = KeyStopRow {
                        user_id: row.id,
                        reason: of_keys.as_str().to_owned(),
                        stopped_by: actor.name().to_owned(),
                    };
                    store::users::insert_key_stop(tx, &stop, now.micros()).await?;
                }
                if !row.active && events.is_empty() {
                    return Ok(WriteOutcome::unaudited((done, left > 0)));
                }
                if !store::users::set_active(tx, row.id, false).await? {
                    return Err(Error::Internal("the user to disable no longer exists"));
                }
                done.sessions = store::sessions::end_all(tx, row.id).await?;
                store::email_links::end_for_user(tx, RESET, row.id).await?;
                // Withdraw invitations that the user created, so that they cannot return under another account.
                store::invitations::withdraw_all_by_inviter(tx, row.id, now.micros()).await?;
                let ends =
                    oauth::revoke_user_grants(tx, &actor, id, None, "The user who granted access was disabled.", now)
                        .await?;
                let mut detail = serde_json::json!({
                    "before": {"active": row.active}, "after": {"active": false},
                    "keys_deactivated": done.keys, "sessions_ended": done.sessions,
                });
                if left > 0 {
                    detail["keys_to_deactivate"] = left.into();
                }
                let event = actor
                    .event(now, "user.disabled", target(id), &row.name)
                    .with_acting_role(actor.admin_acting_role())
                    .with_reason(reason.as_ref().map(Reason::as_str))
                    .with_detail(detail);
                let mut kept =
                    WriteOutcome::audited((done, left > 0), event).notify(Change { topic: Topic::User, id: row.id });
                for (key, event) in events {
                    kept = kept.and_event(event).notify(Change { topic: Topic::Key, id: key });
                }
                Ok(ends.append_to(kept))
            })
        });
        let (mut done, has_more): (Disabled, bool) = write.await?;
        if has_more {
            self.context.pause_writes().await;
        }
        if with_keys && let Err(error) = self.stop_keys(id, Some(actor), &mut done.keys).await {
            // Not returned as an error, because the user is already disabled.
            tracing::error!(error = %ErrorChain(&error), user = %id, "users.keys_not_deactivated: a background job deactivates the remaining keys");
        }
        Ok(done)
    }

    /// Deactivates the remaining keys of users who were disabled together with their keys, in this or another process.
    ///
    /// # Errors
    /// The first error, if the database rejects a query. Each error is logged with its user, and the next round tries
    /// again.
    #[tracing::instrument(name = "users.stop_remaining_keys", skip_all)]
    pub async fn stop_remaining_keys(&self) -> Result<(), Error> {
        let stops = store::users::key_stops(&mut self.context.pool.acquire_reader().await?.conn(), ROUND).await?;
        let mut round = JobRun::default();
        for stop in stops {
            let (id, stopped) = (stop.user_id, &mut 0);
            round.item("keys of a disabled user", id, self.stop_keys(id.into(), None, stopped)).await;
        }
        round.end()
    }

    /// Deactivates the keys of a user, one write after another, until none is left or the user is enabled. Adds the
    /// number of deactivated keys to `stopped`, even if a later write fails. Concurrent nodes take different keys. The
    /// events name `actor`; without one, they name Keyward on behalf of the administrator who disabled the user.
    async fn stop_keys(&self, id: UserId, actor: Option<&Actor>, stopped: &mut u64) -> Result<(), Error> {
        let mut actor = actor.cloned();
        loop {
            let (now, by) = (self.context.now(), actor.clone());
            let write = self.context.queue.write(move |tx| {
                let by = by.clone();
                Box::pin(async move {
                    store::users::lock_key_stop(tx, id.into()).await?;
                    let Some(stop) = store::users::key_stop(tx, id.into()).await? else {
                        return Ok(WriteOutcome::unaudited((0, true)));
                    };
                    let reason: Reason =
                        stop.reason.parse().map_err(|_| store::Error::Corrupt("reason of key stops"))?;
                    // Another administrator may have disabled the user again meanwhile, for another reason.
                    let by = by.filter(|it| it.name() == stop.stopped_by);
                    let mut events = Vec::new();
                    let live = store::users::live_keys(tx, stop.user_id, AT_ONCE).await?;
                    let found = live.len();
                    let is_last = i64::try_from(found).is_ok_and(|found| found < AT_ONCE);
                    for key in live {
                        let event = match &by {
                            Some(actor) => keys::deactivate_key(tx, actor, key.into(), &reason, now).await?,
                            None => keys::deactivate_key_for(tx, &stop.stopped_by, key.into(), &reason, now).await?,
                        };
                        events.extend(event.map(|event| (key, event)));
                    }
                    let done = events.len() as u64;
                    let is_over = match by {
                        Some(_) => is_last && events.len() == found,
                        // Stop, because keys that cannot be deactivated would be found again in each write.
                        None => is_last || done == 0,
                    };
                    if is_over {
                        store::users::delete_key_stop(tx, stop.user_id).await?;
                    }
                    let mut kept = WriteOutcome::unaudited((done, is_over));
                    for (key, event) in events {
                        kept = kept.and_event(event).notify(Change { topic: Topic::Key, id: key });
                    }
                    Ok::<_, Error>(kept)
                })
            });
            let (done, is_over) = write.await?;
            *stopped += done;
            if is_over {
                return Ok(());
            }
            if done.cast_signed() < AT_ONCE {
                // The actor is no longer an administrator: Keyward deactivates the rest.
                actor = None;
            }
            self.context.pause_writes().await;
        }
    }

    /// Enables a user, who can then sign in again. Deactivated keys stay deactivated; pending deactivations are
    /// canceled.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the user does not exist or the caller is not an administrator;
    /// [`Error::ReauthenticationRequired`] without recent reauthentication.
    #[tracing::instrument(name = "users.enable", skip_all, fields(user.id = %id))]
    pub async fn enable(&self, actor: &Actor, id: UserId) -> Result<(), Error> {
        let (actor, now) = (actor.clone(), self.context.now());
        let write = self.context.queue.write(move |tx| {
            let actor = actor.clone();
            Box::pin(async move {
                let row = lock_user(tx, &actor, id, AdminPermission::ManageUsers).await?;
                actor.require_reauthentication("user.enabled", now)?;
                if row.active {
                    return Ok(WriteOutcome::unaudited(()));
                }
                store::users::delete_key_stop(tx, row.id).await?;
                if !store::users::set_active(tx, row.id, true).await? {
                    return Err(Error::Internal("the user to enable no longer exists"));
                }
                let event = actor
                    .event(now, "user.enabled", target(id), &row.name)
                    .with_acting_role(actor.admin_acting_role())
                    .with_detail(serde_json::json!({"before": {"active": false}, "after": {"active": true}}));
                Ok(WriteOutcome::audited((), event).notify(Change { topic: Topic::User, id: row.id }))
            })
        });
        write.await
    }

    /// Parses a reason, which is optional on the command line. The permission check precedes the error for an invalid
    /// reason, so that only administrators see it.
    pub(super) async fn reason(&self, actor: &Actor, id: UserId, reason: &str) -> Result<Option<Reason>, Error> {
        let Some(caller) = actor.caller() else {
            return match reason.parse() {
                Ok(reason) => Ok(Some(reason)),
                Err(ReasonError::Empty) => Ok(None),
                Err(error) => Err(Error::field("reason", error)),
            };
        };
        match reason.parse() {
            Ok(reason) => Ok(Some(reason)),
            Err(error) => {
                self.get(caller, id).await?;
                Err(match error {
                    ReasonError::Empty => Error::field("reason", "Enter a reason. It is recorded in the audit log."),
                    error => Error::field("reason", error),
                })
            }
        }
    }
}
