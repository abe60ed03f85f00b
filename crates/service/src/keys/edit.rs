//! Editing a key: its name, scopes, expiry, issued-to label, description, and restrictions. The secret never changes.

use super::{KeyPatch, Keys, Precondition, create::check_scopes, find, management, to_key};
use crate::{
    Error, actor::Actor, audit::acting_role, management_client::ManagementError, not_before, permissions::Action,
    policy, time_format,
};
use keyward_domain::{
    ids::{KeyId, ProjectId, SubjectId},
    key::Key,
    project::Role,
    scope::ScopeName,
    time::Timestamp,
};
use keyward_store::{
    self as store, Tx,
    change_log::{Change, Topic},
    keys::{KeyFields, KeyRow},
    write_queue::WriteOutcome,
};

/// Checks that the actor may edit the key from the fields `before` to the fields `after`, with these scopes in the
/// request.
async fn check_edit(
    tx: &mut Tx<'_>,
    actor: &Actor,
    row: &KeyRow,
    (before, after): (&KeyFields, &KeyFields),
    scopes: Option<&[ScopeName]>,
    now: Timestamp,
) -> Result<(), Error> {
    management::check_edit(tx, actor, row, after, now).await?;
    // A scope that the project no longer offers may stay on a key, but it cannot be added.
    let wanted = scopes.unwrap_or_default().iter();
    let added: Vec<_> = wanted.filter(|s| !before.scopes.iter().any(|had| had == s.as_str())).cloned().collect();
    check_scopes(tx, actor, row.project_id.into(), &added, now).await?;
    // An unchanged expiry may stay, even if the current policy would not allow it.
    if after.expires_at != before.expires_at {
        policy::load(tx).await?.check_end(after.expires_at, now).map_err(|e| Error::field("expires", e))?;
        actor.require_reauthentication_for_expiry(after.expires_at, now)?;
    }
    check_start(before, after, actor)
}

/// Whether earlier tokens permit more than the key from now on: it lost a scope, expires earlier, or has not started
/// yet.
fn is_narrower(before: &KeyFields, after: &KeyFields, now: Timestamp) -> bool {
    let end = |fields: &KeyFields| fields.expires_at.map_or(i64::MAX, Timestamp::micros);
    let waits = after.not_before.is_some_and(|from| from > now);
    !before.scopes.iter().all(|scope| after.scopes.contains(scope)) || end(after) < end(before) || waits
}

/// Checks that the key starts before it expires, if either time changed. The error names the field that changed.
fn check_start(before: &KeyFields, after: &KeyFields, actor: &Actor) -> Result<(), Error> {
    if (after.not_before, after.expires_at) == (before.not_before, before.expires_at) {
        return Ok(());
    }
    not_before::check(after.not_before, after.expires_at, &actor.zone()).map_err(|field| match after.not_before {
        Some(from) if after.not_before == before.not_before => {
            let from = time_format::format_moment(from, &actor.zone()).exact;
            Error::field(
                "expires",
                format!("The key would expire before its start time ({from}). Choose a later expiry."),
            )
        }
        _ => Error::Invalid(vec![field]),
    })
}

/// Checks that the key is in a state in which it may be edited.
fn check_state(row: &KeyRow, actor: &Actor, precondition: &Precondition) -> Result<(), Error> {
    if precondition.project.is_some_and(|project| project != ProjectId::from(row.project_id)) {
        return Err(Error::NotFound);
    }
    if row.deleted_at.is_some() {
        return Err(Error::Conflict("This key is deleted. Restore it first."));
    }
    match &precondition.versions {
        Some(versions) if !versions.contains(&row.updated_at) => Err(match actor {
            Actor::Program(_) => ManagementError::Stale.into(),
            _ => Error::Conflict("This key was changed elsewhere. Review it and save again."),
        }),
        _ => Ok(()),
    }
}

impl Keys {
    /// Edits a key: only the fields of the patch change.
    ///
    /// # Errors
    /// - [`Error::NotFound`] if the key does not exist, its restore period of seven days is over, it belongs to another
    ///   project than the precondition or the program, or the user is not a member of its project;
    ///   [`Error::Forbidden`] for a viewer.
    /// - [`Error::Invalid`] if the project does not offer an added scope, the policy does not allow a changed expiry, or
    ///   the key would expire before it starts.
    /// - [`Error::Conflict`] if the key is deleted, or has another version than the precondition (a program gets
    ///   [`ManagementError::Stale`]).
    /// - [`Error::ReauthenticationRequired`] for a user without recent reauthentication, if the edit removes the expiry,
    ///   extends it beyond five years, or adds a `keyward:*` scope.
    /// - [`Error::Management`] if the key would exceed the program's key.
    #[tracing::instrument(name = "keys.edit", skip_all, fields(key.id = %id))]
    pub async fn edit(
        &self,
        actor: &Actor,
        id: KeyId,
        patch: KeyPatch,
        precondition: Precondition,
    ) -> Result<Key, Error> {
        let (now, by) = (self.context.now(), actor.clone());
        let row = self.context.queue.write(move |tx| {
            let (actor, patch, precondition) = (by.clone(), patch.clone(), precondition.clone());
            Box::pin(async move {
                store::keys::lock(tx, id.into()).await?;
                let row = find(tx, &actor, id, Action::ChangeKeys, now).await?;
                check_state(&row, &actor, &precondition)?;
                let (before, scopes) = (row.fields()?, patch.scopes.clone());
                let after = patch.apply_to(before.clone());
                check_edit(tx, &actor, &row, (&before, &after), scopes.as_deref(), now).await?;
                if !store::keys::edit(tx, row.id, &after, now.micros()).await? {
                    return Err(Error::Internal("a key that was just read was not there to be edited"));
                }
                let stored = store::keys::by_id(tx, row.id).await?.ok_or(Error::NotFound)?;
                if is_narrower(&before, &after, now) {
                    store::revoked_tokens::cut_off(tx, SubjectId::Key(id), now.micros()).await?;
                }
                let acting = acting_role::in_project(tx, &actor, row.project_id.into()).await?;
                let event = actor
                    .event(now, "key.edited", format!("key:{id}"), &row.name)
                    .with_acting_role(&acting)
                    .in_project(row.project_id.into())
                    .with_detail(serde_json::json!({"before": before, "after": after}));
                Ok(WriteOutcome::audited(stored, event).notify(Change { topic: Topic::Key, id: row.id }))
            })
        });
        // A user who edits a key may change it.
        let role = actor.user().map(|_| Role::Operator);
        to_key(row.await?, actor, role, now)
    }
}
