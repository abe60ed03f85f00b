//! Editing a key: its name, scopes, expiry, issued-to label, and restrictions. The secret never changes.

use super::{
    Keys, Viewer,
    create::check_scopes,
    find,
    key_patch::{KeyEdit, KeyPatch, ParsedPatch},
    management, restrictions, view,
};
use crate::{
    Error,
    actor::{Actor, Caller},
    audit::acting_role,
    management_client::ManagementError,
    not_before,
    permissions::Action,
    policy, time_format,
};
use keyward_domain::{
    ids::{KeyId, SubjectId},
    key::KeyView,
    project::Role,
    time::Timestamp,
};
use keyward_store::{
    self as store, Tx,
    change_log::{Change, Topic},
    keys::{Edit, KeyRow},
    write_queue::WriteOutcome,
};

fn audit_json(row: &KeyRow) -> Result<serde_json::Value, store::Error> {
    Ok(serde_json::json!({
        "name": row.name, "scopes": row.scopes()?, "issued_to": row.issued_to, "expires_at": row.expires_at,
        "networks": row.networks()?, "not_before": row.not_before, "rate_limit": row.rate_limit,
    }))
}

impl ParsedPatch {
    /// Returns the values of the row after the edit.
    fn apply_to(&self, row: &KeyRow) -> Result<Edit, store::Error> {
        let scopes = self.scopes.as_ref().map(|scopes| scopes.iter().map(ToString::to_string).collect());
        Ok(Edit {
            name: self.name.as_ref().map_or_else(|| row.name.clone(), |name| name.as_str().to_owned()),
            scopes: scopes.map_or_else(|| row.scopes(), Ok)?,
            issued_to: self.issued_to.clone().unwrap_or_else(|| row.issued_to.clone()),
            networks: self
                .networks
                .as_ref()
                .map_or_else(|| row.networks(), |it| Ok(restrictions::network_strings(it)))?,
            not_before: self.not_before.map_or(row.not_before, |at| at.map(Timestamp::micros)),
            expires_at: self.expires_at.map_or(row.expires_at, |at| at.map(Timestamp::micros)),
            rate_limit: self.rate_limit.map_or_else(|| row.rate_limit.clone(), |it| it.map(|it| it.to_string())),
        })
    }

    /// Checks that the actor may edit the key in this way.
    async fn check(
        &self,
        tx: &mut Tx<'_>,
        actor: &Actor,
        row: &KeyRow,
        edit: &Edit,
        now: Timestamp,
    ) -> Result<(), Error> {
        management::check_edit(tx, actor, row, edit, now).await?;
        // A scope that the project no longer offers may stay on a key, but it cannot be added.
        let had = row.scopes()?;
        let wanted = self.scopes.iter().flatten();
        let added: Vec<_> = wanted.filter(|s| !had.iter().any(|h| h == s.as_str())).cloned().collect();
        check_scopes(tx, actor, row.project_id.into(), &added, now).await?;
        // An unchanged expiry may stay, even if the current policy would not allow it.
        if edit.expires_at != row.expires_at {
            let end = edit.expires_at.map(Timestamp::from_micros);
            policy::load(tx).await?.check_end(end, now).map_err(|e| Error::field("expires", e))?;
            actor.require_reauthentication_for_expiry(end, now)?;
        }
        check_start(row, edit, actor)
    }
}

/// Whether earlier tokens permit more than the key from now on: it lost a scope, expires earlier, or has not started
/// yet.
fn is_narrower(before: &KeyRow, after: &KeyRow, now: Timestamp) -> Result<bool, store::Error> {
    let kept = after.scopes()?;
    let end = |row: &KeyRow| row.expires_at.unwrap_or(i64::MAX);
    let waits = after.not_before.is_some_and(|from| from > now.micros());
    Ok(!before.scopes()?.iter().all(|scope| kept.contains(scope)) || end(after) < end(before) || waits)
}

/// Checks that the key starts before it expires, if either time changed. The error names the field that changed.
fn check_start(row: &KeyRow, edit: &Edit, actor: &Actor) -> Result<(), Error> {
    if (edit.not_before, edit.expires_at) == (row.not_before, row.expires_at) {
        return Ok(());
    }
    let (from, end) = (edit.not_before.map(Timestamp::from_micros), edit.expires_at.map(Timestamp::from_micros));
    not_before::check(from, end, &actor.zone()).map_err(|field| match from {
        Some(from) if edit.not_before == row.not_before => {
            let from = time_format::format_moment(from, &actor.zone()).exact;
            Error::field(
                "expires",
                format!("The key would expire before its start time ({from}). Choose a later expiry."),
            )
        }
        _ => Error::Invalid(vec![field]),
    })
}

impl Keys {
    /// Edits a key from a form, which sends every field. Expiry and start time stay unchanged with the value `keep`.
    ///
    /// # Errors
    /// [`Error::Invalid`] with every invalid field; [`Error::Conflict`] if the key was changed since the form was
    /// rendered; [`Error::ReauthenticationRequired`] without recent reauthentication if the edit removes the expiry,
    /// extends it beyond five years, or adds a `keyward:*` scope; otherwise as [`Keys::transition`].
    #[tracing::instrument(name = "keys.edit", skip_all, fields(key.id = %id))]
    pub async fn edit(&self, caller: &Caller, id: KeyId, edit: KeyEdit) -> Result<KeyView, Error> {
        self.patch(&Actor::User(caller.clone()), id, &edit.into()).await
    }

    /// Edits a key from the command line: only the given fields change. Otherwise as [`Keys::edit`].
    ///
    /// # Errors
    /// As [`Keys::edit`].
    #[tracing::instrument(name = "keys.edit_as_operator", skip_all, fields(key.id = %id))]
    pub async fn edit_as_operator(&self, id: KeyId, patch: &KeyPatch) -> Result<KeyView, Error> {
        self.patch(&Actor::Operator, id, patch).await
    }

    async fn patch(&self, actor: &Actor, id: KeyId, patch: &KeyPatch) -> Result<KeyView, Error> {
        let edited = patch.parse(&actor.zone(), self.context.now())?;
        self.apply_edit(actor, id, edited).await
    }

    /// Applies one edit to a key in its own write, with its audit event.
    pub(super) async fn apply_edit(&self, actor: &Actor, id: KeyId, edited: ParsedPatch) -> Result<KeyView, Error> {
        let now = self.context.now();
        let (actor, viewer) = (actor.clone(), Viewer::from_actor(actor));
        let role = viewer.user.map(|_| Role::Operator);
        let row = self.context.queue.write(move |tx| {
            let (actor, edited) = (actor.clone(), edited.clone());
            Box::pin(async move {
                store::keys::lock(tx, id.into()).await?;
                let row = find(tx, &actor, id, Action::ChangeKeys, now).await?;
                if row.deleted_at.is_some() {
                    return Err(Error::Conflict("This key is deleted. Restore it first."));
                }
                if edited.version.is_some_and(|version| version != row.updated_at) {
                    if matches!(actor, Actor::Program(_)) {
                        return Err(ManagementError::Stale.into());
                    }
                    return Err(Error::Conflict("This key was changed elsewhere. Review it and save again."));
                }
                let edit = edited.apply_to(&row)?;
                edited.check(tx, &actor, &row, &edit, now).await?;
                if !store::keys::edit(tx, row.id, &edit, now.micros()).await? {
                    return Err(Error::Internal("a key that was just read was not there to be edited"));
                }
                let after = store::keys::by_id(tx, row.id).await?.ok_or(Error::NotFound)?;
                if is_narrower(&row, &after, now)? {
                    store::revoked_tokens::cut_off(tx, SubjectId::Key(id), now.micros()).await?;
                }
                let acting = acting_role::in_project(tx, &actor, row.project_id.into()).await?;
                let event = actor
                    .event(now, "key.edited", format!("key:{id}"), &row.name)
                    .with_acting_role(&acting)
                    .in_project(row.project_id.into())
                    .with_detail(serde_json::json!({"before": audit_json(&row)?, "after": audit_json(&after)?}));
                Ok(WriteOutcome::audited(after, event).notify(Change { topic: Topic::Key, id: row.id }))
            })
        });
        view(row.await?, &viewer, role, now)
    }
}
