//! Deactivating, activating, deleting, restoring.

use super::{Keys, find, view};
use crate::{
    domain::{
        ids::KeyId,
        key::{KeyView, RESTORE_DAYS},
        project::Role,
        time::{DAY, Timestamp},
    },
    service::{
        Error,
        actor::{Actor, Caller},
        can::Action,
    },
    store::{self, Tx, changes::Change, keys::KeyRow, queue::Kept},
};

/// What can become of a key, short of an edit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verb {
    Deactivate,
    Activate,
    Delete,
    Restore,
}

impl Verb {
    const fn action(self) -> &'static str {
        match self {
            Self::Deactivate => "key.deactivated",
            Self::Activate => "key.activated",
            Self::Delete => "key.deleted",
            Self::Restore => "key.restored",
        }
    }

    /// Whether the key is already as it would become: then nothing is written, and the answer is the same.
    fn is_done(self, row: &KeyRow) -> bool {
        match self {
            Self::Deactivate => !row.active,
            Self::Activate => row.active,
            Self::Delete => row.deleted_at.is_some(),
            Self::Restore => row.deleted_at.is_none(),
        }
    }

    /// Whether it can be done in the state that the key is in.
    fn check(self, row: &KeyRow, now: Timestamp) -> Result<(), Error> {
        match (self, row.deleted_at) {
            (Self::Deactivate | Self::Activate, Some(_)) => {
                Err(Error::Conflict("This key is deleted. Restore it first."))
            }
            (Self::Restore, Some(at)) if Timestamp::from_micros(at).plus_seconds(RESTORE_DAYS * DAY) <= now => {
                Err(Error::NotFound)
            }
            _ => Ok(()),
        }
    }

    async fn write(self, tx: &mut Tx<'_>, row: &KeyRow, now: Timestamp) -> Result<bool, store::Error> {
        let now = now.micros();
        match self {
            Self::Deactivate => store::keys::set_active(tx, row.id, false, now).await,
            Self::Activate => store::keys::set_active(tx, row.id, true, now).await,
            Self::Delete => store::keys::set_deleted(tx, row.id, Some(now), now).await,
            Self::Restore => store::keys::set_deleted(tx, row.id, None, now).await,
        }
    }
}

impl Keys {
    /// The key is refused as `inactive` from the next request on, until it is activated.
    ///
    /// # Errors
    /// [`Error::NotFound`] if it is not there or not theirs, [`Error::Forbidden`] for a viewer, [`Error::Conflict`] if deleted.
    pub async fn deactivate(&self, caller: &Caller, id: KeyId) -> Result<KeyView, Error> {
        self.change(&Actor::User(caller.clone()), id, Verb::Deactivate).await
    }

    /// The key is accepted again.
    ///
    /// # Errors
    /// As [`Keys::deactivate`].
    pub async fn activate(&self, caller: &Caller, id: KeyId) -> Result<KeyView, Error> {
        self.change(&Actor::User(caller.clone()), id, Verb::Activate).await
    }

    /// The key is refused as `deleted` from the next request on; for seven days it can be restored.
    ///
    /// # Errors
    /// As [`Keys::deactivate`], but deleting twice is no error.
    pub async fn delete(&self, caller: &Caller, id: KeyId) -> Result<KeyView, Error> {
        self.change(&Actor::User(caller.clone()), id, Verb::Delete).await
    }

    /// The key is back in the state that it had.
    ///
    /// # Errors
    /// [`Error::NotFound`] if its seven days are over, or it is not theirs.
    pub async fn restore(&self, caller: &Caller, id: KeyId) -> Result<KeyView, Error> {
        self.change(&Actor::User(caller.clone()), id, Verb::Restore).await
    }

    /// Deactivates a key from the command line.
    ///
    /// # Errors
    /// As [`Keys::deactivate`].
    pub async fn deactivate_as_operator(&self, id: KeyId) -> Result<KeyView, Error> {
        self.change(&Actor::Operator, id, Verb::Deactivate).await
    }

    async fn change(&self, actor: &Actor, id: KeyId, verb: Verb) -> Result<KeyView, Error> {
        let now = self.ground.now();
        let (actor, viewer) = (actor.clone(), actor.user());
        let row = self.ground.queue.write(move |tx| {
            let actor = actor.clone();
            Box::pin(async move {
                store::keys::lock(tx, id.into()).await?;
                let row = find(tx, &actor, id, Action::ChangeKeys).await?;
                verb.check(&row, now)?;
                if verb.is_done(&row) {
                    return Ok(Kept::unrecorded(row));
                }
                if !verb.write(tx, &row, now).await? {
                    return Err(Error::Internal("a key that was just read was not there to be changed"));
                }
                let after = store::keys::by_id(tx, id.into()).await?.ok_or(Error::NotFound)?;
                let status = |row: &KeyRow| row.lifecycle().status(now).as_str();
                let event = actor
                    .event(now, verb.action(), format!("key:{id}"), &row.name)
                    .in_project(row.project_id.into())
                    .detail(
                        serde_json::json!({"before": {"status": status(&row)}, "after": {"status": status(&after)}}),
                    );
                Ok(Kept::with(after, event).heard(Change { topic: "key", id: id.into() }))
            })
        });
        view(row.await?, viewer, viewer.map(|_| Role::Operator), now)
    }
}
