//! Key transitions: deactivate, activate, delete, and restore, by project members, programs, administrators, and the
//! operator.

use super::{IfMatch, Keys, create::check_key_limit, find, management, to_key};
use crate::{Error, actor::Actor, audit::acting_role, management_client::ManagementError, permissions::Action, policy};
use keyward_domain::{
    ids::{KeyId, ProjectId},
    key::{Key, Reason},
    project::Role,
    time::Timestamp,
    transition::Transition,
};
use keyward_store::{
    self as store, Engine, Tx,
    audit::NewEvent,
    change_log::{Change, Topic},
    keys::{KeyRow, NewNote},
    write_queue::WriteOutcome,
};

/// The conditions of a transition or an edit, besides the permission of its actor.
#[derive(Clone, Debug, Default)]
pub struct Precondition {
    /// The project that the key must belong to; `None`: any.
    pub project: Option<ProjectId>,
    /// The versions of the key in which the change may run (`If-Match`); `None`: any. A transition that is already done
    /// is permitted in any version.
    pub versions: IfMatch,
    /// The reason of a transition that the key's owner sees: required from an administrator, and optional from the
    /// operator, who then acts with an administrator's permission. Ignored from other actors, and for an edit.
    pub reason: Option<String>,
}

impl Precondition {
    /// Creates the precondition of an administrator's transition.
    pub fn with_reason(reason: impl Into<String>) -> Self {
        Self { reason: Some(reason.into()), ..Self::default() }
    }

    /// Creates the precondition of a change that started from this version of the key.
    pub fn with_version(version: i64) -> Self {
        Self { versions: Some(vec![version]), ..Self::default() }
    }
}

/// A reason that the key's owner sees. Only an administrator, or the operator with a reason, can start a key again that
/// was stopped with a reason.
#[derive(Clone, Debug)]
pub(super) struct AdminReason {
    pub text: Reason,
    /// The name shown with the reason: the actor's, or that of the administrator on whose behalf Keyward acts.
    pub by: String,
}

/// A transition with its actor and its validated preconditions.
#[derive(Clone, Debug)]
pub(super) struct TransitionRequest {
    pub actor: Actor,
    pub transition: Transition,
    pub project: Option<ProjectId>,
    pub versions: IfMatch,
    pub reason: Option<AdminReason>,
}

/// Returns the action of the audit event.
const fn audit_action(transition: Transition) -> &'static str {
    match transition {
        Transition::Deactivate => "key.deactivated",
        Transition::Activate => "key.activated",
        Transition::Delete => "key.deleted",
        Transition::Restore => "key.restored",
    }
}

/// Whether the key is already in the resulting state: then nothing is written, and the response is the same.
pub(super) fn is_done(transition: Transition, row: &KeyRow) -> bool {
    match transition {
        Transition::Deactivate => !row.active,
        Transition::Activate => row.active,
        Transition::Delete => row.deleted_at.is_some(),
        Transition::Restore => row.deleted_at.is_none(),
    }
}

/// Writes the resulting state. Returns whether the row existed.
async fn update_row(
    transition: Transition,
    tx: &mut Tx<'_>,
    row: &KeyRow,
    now: Timestamp,
) -> Result<bool, store::Error> {
    let now = now.micros();
    match transition {
        Transition::Deactivate => store::keys::set_active(tx, row.id, false, now).await,
        Transition::Activate => store::keys::set_active(tx, row.id, true, now).await,
        Transition::Delete => store::keys::set_deleted(tx, row.id, Some(now), now).await,
        Transition::Restore => store::keys::set_deleted(tx, row.id, None, now).await,
    }
}

impl TransitionRequest {
    /// Checks that the transition is possible for this key in its current state. The permission of the actor is checked
    /// by [`find`].
    async fn check(&self, conn: &mut Engine<'_>, row: &KeyRow, now: Timestamp) -> Result<(), Error> {
        if self.project.is_some_and(|project| project != ProjectId::from(row.project_id)) {
            return Err(Error::NotFound);
        }
        management::check_transition(conn, &self.actor, row, self.transition, now).await?;
        let is_stale = self.versions.as_ref().is_some_and(|versions| !versions.contains(&row.updated_at));
        if is_stale && !is_done(self.transition, row) {
            return Err(ManagementError::Stale.into());
        }
        if self.transition.ends_stop() && row.held && self.reason.is_none() {
            return Err(Error::Stopped { reason: row.note.clone().unwrap_or_default() });
        }
        match self.transition {
            Transition::Deactivate | Transition::Activate if row.deleted_at.is_some() => {
                Err(Error::Conflict("This key is deleted. Restore it first."))
            }
            _ => Ok(()),
        }
    }

    /// Returns the note to store, unless the key already has it. An administrator can stop a key that its owner has
    /// stopped before: then only an administrator can start it again.
    fn note(&self, row: &KeyRow) -> Option<NewNote> {
        let AdminReason { text, by } = self.reason.as_ref()?;
        let held = !self.transition.ends_stop();
        let is_noted = match held {
            true => row.held && row.note.as_deref() == Some(text.as_str()),
            false => is_done(self.transition, row),
        };
        (!is_noted).then(|| NewNote { held, text: text.as_str().to_owned(), by: by.clone() })
    }
}

/// Applies one transition to a key within a transaction. Returns the resulting key, and the event if anything changed.
/// All checks run before the first write.
pub(super) async fn apply(
    tx: &mut Tx<'_>,
    request: &TransitionRequest,
    id: KeyId,
    now: Timestamp,
) -> Result<(KeyRow, Option<NewEvent>), Error> {
    let TransitionRequest { actor, transition, reason, .. } = request;
    store::keys::lock(tx, id.into()).await?;
    let row = find(tx, actor, id, Action::StopKeys, now).await?;
    request.check(tx, &row, now).await?;
    let (done, note) = (is_done(*transition, &row), request.note(&row));
    if done && note.is_none() {
        return Ok((row, None));
    }
    if *transition == Transition::Restore && !done {
        let policy = policy::load(tx).await?;
        check_key_limit(tx, &policy, row.project_id).await?;
    }
    let mut kept = done || update_row(*transition, tx, &row, now).await?;
    if let Some(note) = &note {
        kept &= store::keys::set_note(tx, row.id, note, now.micros()).await?;
    }
    if !kept {
        return Err(Error::Internal("a key that was just read was not there to be changed"));
    }
    let after = store::keys::by_id(tx, id.into()).await?.ok_or(Error::NotFound)?;
    let facts = |row: &KeyRow| serde_json::json!({"status": row.lifecycle().status(now).as_str(), "held": row.held});
    let mut detail = serde_json::json!({"before": facts(&row), "after": facts(&after)});
    if let (Actor::System(_), Some(reason)) = (actor, reason) {
        detail["for"] = reason.by.as_str().into();
    }
    let acting = acting_role::in_project(tx, actor, row.project_id.into()).await?;
    let event = actor
        .event(now, audit_action(*transition), format!("key:{id}"), &row.name)
        .with_acting_role(&acting)
        .in_project(row.project_id.into())
        .with_reason(reason.as_ref().map(|reason| reason.text.as_str()))
        .with_detail(detail);
    Ok((after, Some(event)))
}

impl Keys {
    /// Deactivates, activates, deletes, or restores a key. Repeating the call is not an error: it changes nothing, and
    /// returns the same key.
    ///
    /// The actor determines the permission: a user needs a role in the key's project, a program stays within the
    /// privileges of its own key, an administrator may change any key and gives a reason, and the operator may change
    /// any key. A key that was stopped with a reason can be started again only with a reason.
    ///
    /// # Errors
    /// - [`Error::NotFound`] if the key does not exist, its restore period of seven days is over, it belongs to another
    ///   project than the precondition or the program, the user is not a member of its project, or the user is not an
    ///   administrator ([`Actor::Administrator`]).
    /// - [`Error::Forbidden`] for a viewer.
    /// - [`Error::Invalid`] if an administrator gives no reason, or the reason is invalid.
    /// - [`Error::Management`] if the key exceeds the program's key, belongs to another environment, or has another
    ///   version than the precondition.
    /// - [`Error::Stopped`] for an activation or a restoration without a reason while the key is stopped with one.
    /// - [`Error::Conflict`] for a deactivation or an activation of a deleted key, and for a restoration if the project
    ///   has as many keys as the policy allows.
    #[tracing::instrument(name = "keys.transition", skip_all, fields(key.id = %id))]
    pub async fn transition(
        &self,
        actor: &Actor,
        id: KeyId,
        transition: Transition,
        precondition: Precondition,
    ) -> Result<Key, Error> {
        let Precondition { project, versions, reason } = precondition;
        let reason = self.parse_reason(actor, id, reason).await?;
        let request = TransitionRequest { actor: actor.clone(), transition, project, versions, reason };
        let now = self.context.now();
        let row = self.context.queue.write(move |tx| {
            let request = request.clone();
            Box::pin(async move {
                let (row, event) = apply(tx, &request, id, now).await?;
                Ok::<_, Error>(match event {
                    Some(event) => {
                        WriteOutcome::audited(row, event).notify(Change { topic: Topic::Key, id: id.into() })
                    }
                    None => WriteOutcome::unaudited(row),
                })
            })
        });
        let row = row.await?;
        // A user who changed the key by their role may change it. An administrator need not have a role.
        let role = match actor {
            Actor::Administrator(caller) => {
                let mut reader = self.context.pool.acquire_reader().await?;
                super::role(&mut reader.conn(), row.project_id.into(), caller.user).await?
            }
            _ => actor.user().map(|_| Role::Operator),
        };
        to_key(row, actor, role, now)
    }

    /// Parses the reason of a transition, if the actor gives one: see [`Precondition::reason`].
    async fn parse_reason(
        &self,
        actor: &Actor,
        id: KeyId,
        reason: Option<String>,
    ) -> Result<Option<AdminReason>, Error> {
        let text = match (actor, reason) {
            (Actor::Administrator(_), reason) => reason.unwrap_or_default(),
            (Actor::Operator, Some(reason)) => reason,
            _ => return Ok(None),
        };
        match text.parse::<Reason>() {
            Ok(text) => Ok(Some(AdminReason { text, by: actor.name().to_owned() })),
            Err(error) => {
                // Other users must not learn that a reason is required, or that the key exists.
                self.find_visible(actor, id).await?;
                Err(Error::field("reason", error))
            }
        }
    }
}
