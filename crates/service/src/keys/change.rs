//! Key lifecycle: deactivate, activate, delete, and restore, by project members, programs, administrators, and the
//! operator.

use super::{
    IfMatch, Keys, Viewer, create::check_key_limit, find, is_restore_period_over, management, require_administrator,
    view,
};
use crate::{
    Error,
    actor::{Actor, Caller, Origin},
    audit::acting_role,
    management_client::ManagementClient,
    permissions::{Action, AdminPermission},
    policy,
};
use keyward_domain::{
    ids::KeyId,
    key::{KeyView, Reason},
    project::Role,
    time::Timestamp,
};
use keyward_store::{
    self as store, Tx,
    audit::NewEvent,
    change_log::Change,
    keys::{KeyRow, NewNote},
    write_queue::WriteOutcome,
};

/// A lifecycle action on a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LifecycleAction {
    Deactivate,
    Activate,
    Delete,
    Restore,
}

impl LifecycleAction {
    const fn action(self) -> &'static str {
        match self {
            Self::Deactivate => "key.deactivated",
            Self::Activate => "key.activated",
            Self::Delete => "key.deleted",
            Self::Restore => "key.restored",
        }
    }

    /// Whether the key is already in the resulting state: then nothing is written, and the response is the same.
    pub(super) fn is_done(self, row: &KeyRow) -> bool {
        match self {
            Self::Deactivate => !row.active,
            Self::Activate => row.active,
            Self::Delete => row.deleted_at.is_some(),
            Self::Restore => row.deleted_at.is_none(),
        }
    }

    /// Whether the action ends a stop by an administrator.
    pub(super) const fn ends_stop(self) -> bool {
        matches!(self, Self::Activate | Self::Restore)
    }

    /// Checks that the action is possible in the key's current state.
    fn check(self, row: &KeyRow) -> Result<(), Error> {
        match self {
            Self::Deactivate | Self::Activate if row.deleted_at.is_some() => {
                Err(Error::Conflict("This key is deleted. Restore it first."))
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

/// The authority by which an actor changes a key.
#[derive(Clone, Debug)]
pub(super) enum Authority {
    /// The actor's role in the project, or the operator at the command line.
    Own(Actor),
    /// A program, limited by its own key's privileges, if the key is in one of these states.
    Program(Box<ManagementClient>, IfMatch),
    /// An administrator, for any key, with a reason that the key's owner sees.
    Administrator(Caller, Reason),
    /// The operator at the command line, with an administrator's permission: only an administrator can undo the stop.
    Operator(Reason),
    /// Keyward itself, on behalf of the administrator with this name.
    Keyward(String, Reason),
}

impl Authority {
    fn viewer(&self) -> Viewer {
        match self {
            Self::Own(actor) => Viewer::from_actor(actor),
            Self::Program(program, _) => Viewer::from_actor(&Actor::Program(ManagementClient::clone(program))),
            Self::Administrator(caller, _) => Viewer::as_administrator(caller),
            Self::Operator(_) | Self::Keyward(..) => Viewer::from_actor(&self.actor()),
        }
    }

    fn actor(&self) -> Actor {
        match self {
            Self::Own(actor) => actor.clone(),
            Self::Program(program, _) => Actor::Program(ManagementClient::clone(program)),
            Self::Administrator(caller, _) => Actor::User(caller.clone()),
            Self::Operator(_) => Actor::Operator,
            Self::Keyward(..) => Actor::System(Origin::default()),
        }
    }

    /// Returns the acting role for the audit log.
    async fn acting(&self, tx: &mut Tx<'_>, row: &KeyRow) -> Result<String, Error> {
        match self {
            Self::Own(_) | Self::Program(..) => acting_role::in_project(tx, &self.actor(), row.project_id.into()).await,
            Self::Administrator(..) => Ok("administrator".to_owned()),
            Self::Operator(_) | Self::Keyward(..) => {
                acting_role::in_project(tx, &self.actor(), row.project_id.into()).await
            }
        }
    }

    /// Returns the reason that the key's owner sees. After a stop with a reason, only an administrator can start the
    /// key again.
    fn reason(&self) -> Option<&Reason> {
        match self {
            Self::Own(_) | Self::Program(..) => None,
            Self::Administrator(_, reason) | Self::Operator(reason) | Self::Keyward(_, reason) => Some(reason),
        }
    }

    /// Returns the key if this authority permits the action now.
    async fn find(&self, tx: &mut Tx<'_>, id: KeyId, verb: LifecycleAction, now: Timestamp) -> Result<KeyRow, Error> {
        match self {
            Self::Own(_) | Self::Program(..) => {
                let row = find(tx, &self.actor(), id, Action::ChangeKeys, now).await?;
                if let Self::Program(program, versions) = self {
                    management::check_change(tx, program, &row, verb, versions.as_deref(), now).await?;
                }
                if verb.ends_stop() && row.held {
                    return Err(Error::Stopped { reason: row.note.unwrap_or_default() });
                }
                Ok(row)
            }
            Self::Administrator(..) | Self::Operator(_) | Self::Keyward(..) => {
                if let Self::Administrator(caller, _) = self {
                    require_administrator(tx, caller, AdminPermission::StopAnyKey).await?;
                }
                let row = store::keys::by_id(tx, id.into()).await?;
                row.filter(|row| !is_restore_period_over(row, now)).ok_or(Error::NotFound)
            }
        }
    }

    /// Returns the name that is shown with the reason.
    fn name(&self) -> String {
        match self {
            Self::Keyward(name, _) => name.clone(),
            _ => self.actor().name().to_owned(),
        }
    }

    /// Returns the note to store, unless the key already has it. An administrator can stop a key that its owner has
    /// stopped before: then only an administrator can start it again.
    fn note(&self, verb: LifecycleAction, row: &KeyRow) -> Option<NewNote> {
        let reason = self.reason()?;
        let held = !verb.ends_stop();
        let is_noted = if held { row.held && row.note.as_deref() == Some(reason.as_str()) } else { verb.is_done(row) };
        (!is_noted).then(|| NewNote { held, text: reason.as_str().to_owned(), by: self.name() })
    }
}

/// Applies one action to a key within a transaction. Returns the resulting key, and the event if anything changed. All
/// checks run before the first write.
pub(super) async fn apply(
    tx: &mut Tx<'_>,
    standing: &Authority,
    id: KeyId,
    verb: LifecycleAction,
    now: Timestamp,
) -> Result<(KeyRow, Option<NewEvent>), Error> {
    store::keys::lock(tx, id.into()).await?;
    let row = standing.find(tx, id, verb, now).await?;
    verb.check(&row)?;
    let (done, note) = (verb.is_done(&row), standing.note(verb, &row));
    if done && note.is_none() {
        return Ok((row, None));
    }
    if verb == LifecycleAction::Restore && !done {
        let policy = policy::load(tx).await?;
        check_key_limit(tx, &policy, row.project_id).await?;
    }
    let mut kept = done || verb.write(tx, &row, now).await?;
    if let Some(note) = &note {
        kept &= store::keys::set_note(tx, row.id, note, now.micros()).await?;
    }
    if !kept {
        return Err(Error::Internal("a key that was just read was not there to be changed"));
    }
    let after = store::keys::by_id(tx, id.into()).await?.ok_or(Error::NotFound)?;
    let facts = |row: &KeyRow| serde_json::json!({"status": row.lifecycle().status(now).as_str(), "held": row.held});
    let mut detail = serde_json::json!({"before": facts(&row), "after": facts(&after)});
    if let Authority::Keyward(administrator, _) = standing {
        detail["for"] = administrator.as_str().into();
    }
    let acting = standing.acting(tx, &row).await?;
    let event = standing
        .actor()
        .event(now, verb.action(), format!("key:{id}"), &row.name)
        .with_acting_role(&acting)
        .in_project(row.project_id.into())
        .with_reason(standing.reason().map(Reason::as_str))
        .with_detail(detail);
    Ok((after, Some(event)))
}

impl Keys {
    /// Deactivates a key: it is denied as `inactive` from the next request, until it is activated.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the key does not exist or the caller is not a member of its project, [`Error::Forbidden`]
    /// for a viewer, [`Error::Conflict`] if the key is deleted.
    pub async fn deactivate(&self, caller: &Caller, id: KeyId) -> Result<KeyView, Error> {
        self.change(Authority::Own(Actor::User(caller.clone())), id, LifecycleAction::Deactivate).await
    }

    /// Activates a key: it is accepted again.
    ///
    /// # Errors
    /// As [`Keys::deactivate`]; [`Error::Stopped`] while it is stopped by an administrator.
    pub async fn activate(&self, caller: &Caller, id: KeyId) -> Result<KeyView, Error> {
        self.change(Authority::Own(Actor::User(caller.clone())), id, LifecycleAction::Activate).await
    }

    /// Deletes a key: it is denied as `deleted` from the next request, and can be restored for seven days.
    ///
    /// # Errors
    /// As [`Keys::deactivate`], but a second deletion is not an error.
    pub async fn delete(&self, caller: &Caller, id: KeyId) -> Result<KeyView, Error> {
        self.change(Authority::Own(Actor::User(caller.clone())), id, LifecycleAction::Delete).await
    }

    /// Restores a deleted key to its previous state.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the seven days are over, or the caller is not a member of its project;
    /// [`Error::Forbidden`] for a viewer; [`Error::Conflict`] if the project has as many keys as the policy allows;
    /// [`Error::Stopped`] while it is stopped by an administrator.
    pub async fn restore(&self, caller: &Caller, id: KeyId) -> Result<KeyView, Error> {
        self.change(Authority::Own(Actor::User(caller.clone())), id, LifecycleAction::Restore).await
    }

    /// Deactivates a key from the command line.
    ///
    /// # Errors
    /// As [`Keys::deactivate`].
    pub async fn deactivate_as_operator(&self, id: KeyId) -> Result<KeyView, Error> {
        self.change(Authority::Own(Actor::Operator), id, LifecycleAction::Deactivate).await
    }

    /// Activates a key from the command line.
    ///
    /// # Errors
    /// As [`Keys::activate`].
    pub async fn activate_as_operator(&self, id: KeyId) -> Result<KeyView, Error> {
        self.change(Authority::Own(Actor::Operator), id, LifecycleAction::Activate).await
    }

    /// Deletes a key from the command line.
    ///
    /// # Errors
    /// As [`Keys::delete`].
    pub async fn delete_as_operator(&self, id: KeyId) -> Result<KeyView, Error> {
        self.change(Authority::Own(Actor::Operator), id, LifecycleAction::Delete).await
    }

    /// Restores a key from the command line.
    ///
    /// # Errors
    /// As [`Keys::restore`].
    pub async fn restore_as_operator(&self, id: KeyId) -> Result<KeyView, Error> {
        self.change(Authority::Own(Actor::Operator), id, LifecycleAction::Restore).await
    }

    /// Applies one action to a key in its own write, with its audit event.
    pub(super) async fn change(&self, standing: Authority, id: KeyId, verb: LifecycleAction) -> Result<KeyView, Error> {
        let now = self.context.now();
        let viewer = standing.viewer();
        let row = self.context.queue.write(move |tx| {
            let standing = standing.clone();
            Box::pin(async move {
                let (row, event) = apply(tx, &standing, id, verb, now).await?;
                Ok::<_, Error>(match event {
                    Some(event) => WriteOutcome::audited(row, event).notify(Change { topic: "key", id: id.into() }),
                    None => WriteOutcome::unaudited(row),
                })
            })
        });
        let row = row.await?;
        // A user who changed the key by their role may change it. An administrator need not have a role.
        let role = match viewer.user {
            Some(user) if viewer.administrator => {
                let mut reader = self.context.pool.acquire_reader().await?;
                super::role(&mut reader.conn(), row.project_id.into(), user).await?
            }
            user => user.map(|_| Role::Operator),
        };
        view(row, &viewer, role, now)
    }
}
