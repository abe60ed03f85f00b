//! Disabling and enabling.

use super::{Users, begin, keep_one, target};
use crate::{
    domain::{
        ids::UserId,
        key::{Reason, ReasonError},
    },
    service::{Error, accounts::entry::RESET, actor::Actor, can::Power, keys, oauth},
    store::{self, changes::Change, queue::Kept},
};

/// What the owners of the keys read when the command line gives no reason.
const UNSAID: &str = "Whoever made this key was disabled.";

/// What disabling a person came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Disabled {
    /// Keys that were deactivated with them.
    pub keys: u64,
    /// Sessions that were ended.
    pub sessions: u64,
}

impl Users {
    /// From the next request on the person is signed out everywhere and cannot sign in; nobody learns why. `with_keys`: the keys that
    /// they made are deactivated too, in whatever project, and only an administrator can activate them.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is no such person, and for whoever is no administrator; [`Error::Conflict`] for the last
    /// administrator; [`Error::Invalid`] without a reason, which the command line need not give; [`Error::StepUp`] without recent
    /// reauthentication.
    pub async fn disable(&self, actor: &Actor, id: UserId, reason: &str, with_keys: bool) -> Result<Disabled, Error> {
        let reason = self.reason(actor, id, reason).await?;
        let of_keys = match &reason {
            Some(reason) => reason.clone(),
            None => UNSAID.parse().map_err(|_| Error::Internal("the reason that nobody gave is none"))?,
        };
        let (actor, now) = (actor.clone(), self.ground.now());
        let write = self.ground.queue.write(move |tx| {
            let (actor, reason, of_keys) = (actor.clone(), reason.clone(), of_keys.clone());
            Box::pin(async move {
                let row = begin(tx, &actor, id, Power::ManageUsers).await?;
                actor.reauthenticate("user.disabled", now)?;
                keep_one(tx, &row).await?;
                let mut done = Disabled::default();
                let mut events = Vec::new();
                if with_keys {
                    for key in store::users::live_keys(tx, row.id).await? {
                        events.extend(keys::stop(tx, &actor, key.into(), &of_keys, now).await?.map(|it| (key, it)));
                    }
                    done.keys = events.len() as u64;
                }
                if !row.active && events.is_empty() {
                    return Ok(Kept::unrecorded(done));
                }
                if !store::users::set_active(tx, row.id, false).await? {
                    return Err(Error::Internal("a person who was just read was not there to be disabled"));
                }
                done.sessions = store::users::end_sessions(tx, row.id).await?;
                store::links::end_for_user(tx, RESET, row.id).await?;
                // Links that they made must not let them in under another account.
                store::invitations::withdraw_all_of(tx, row.id, now.micros()).await?;
                let ends = oauth::end_of_person(tx, &actor, id, None, "Whoever allowed it was disabled.", now).await?;
                let event = actor
                    .event(now, "user.disabled", target(id), &row.name)
                    .acting_as(actor.power())
                    .because(reason.as_ref().map(Reason::as_str))
                    .detail(serde_json::json!({
                        "before": {"active": row.active}, "after": {"active": false},
                        "keys_deactivated": done.keys, "sessions_ended": done.sessions,
                    }));
                let mut kept = Kept::with(done, event).heard(Change { topic: "user", id: row.id });
                for (key, event) in events {
                    kept = kept.and(event).heard(Change { topic: "key", id: key });
                }
                Ok(ends.with(kept))
            })
        });
        write.await
    }

    /// The person can sign in again. Keys that were deactivated with them stay so.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is no such person, and for whoever is no administrator.
    pub async fn enable(&self, actor: &Actor, id: UserId) -> Result<(), Error> {
        let (actor, now) = (actor.clone(), self.ground.now());
        let write = self.ground.queue.write(move |tx| {
            let actor = actor.clone();
            Box::pin(async move {
                let row = begin(tx, &actor, id, Power::ManageUsers).await?;
                actor.reauthenticate("user.enabled", now)?;
                if row.active {
                    return Ok(Kept::unrecorded(()));
                }
                if !store::users::set_active(tx, row.id, true).await? {
                    return Err(Error::Internal("a person who was just read was not there to be enabled"));
                }
                let event = actor
                    .event(now, "user.enabled", target(id), &row.name)
                    .acting_as(actor.power())
                    .detail(serde_json::json!({"before": {"active": false}, "after": {"active": true}}));
                Ok(Kept::with((), event).heard(Change { topic: "user", id: row.id }))
            })
        });
        write.await
    }

    /// Reads a reason; the command line may be silent. Nobody but administrators learns even that one is asked for.
    pub(super) async fn reason(&self, actor: &Actor, id: UserId, reason: &str) -> Result<Option<Reason>, Error> {
        let Actor::User(caller) = actor else {
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
                    ReasonError::Empty => Error::field("reason", "Say why. It stands in the log."),
                    error => Error::field("reason", error),
                })
            }
        }
    }
}
