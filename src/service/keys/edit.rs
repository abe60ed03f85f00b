//! Editing a key: its name, scopes, issued to, expiry; never its secret.

use super::{
    Keys, Viewer,
    create::{check_scopes, gather, parse_expiry, parse_scopes},
    find, view,
};
use crate::{
    domain::{
        ids::KeyId,
        key::{KeyName, KeyView, parse_issued_to},
        project::Role,
        time::Timestamp,
    },
    service::{
        Error, Field,
        actor::{Actor, Caller},
        audit::acting,
        can::Action,
        policy,
    },
    store::{self, changes::Change, keys::KeyRow, queue::Kept},
};

/// What an edit says, unread.
#[derive(Clone, Debug)]
pub struct KeyEdit {
    /// The form's: which state of the key it starts from.
    pub version: i64,
    pub name: String,
    /// `keep`, or as in a new key.
    pub expires: String,
    pub expires_on: String,
    pub scopes: Vec<String>,
    pub issued_to: String,
}

fn facts(row: &KeyRow) -> Result<serde_json::Value, store::Error> {
    Ok(serde_json::json!({
        "name": row.name, "scopes": row.scopes()?, "issued_to": row.issued_to, "expires_at": row.expires_at,
    }))
}

impl Keys {
    /// Changes what can be edited. What is not said stays only where the form says so (`expires` = `keep`).
    ///
    /// # Errors
    /// [`Error::Invalid`] with every wrong field; [`Error::Conflict`] if it was changed since the form was drawn;
    /// [`Error::StepUp`] if from now on it never expires, without a fresh proof; otherwise as deactivating.
    pub async fn edit(&self, caller: &Caller, id: KeyId, edit: KeyEdit) -> Result<KeyView, Error> {
        let now = self.ground.now();
        let mut errors = Vec::new();
        let name = gather(&mut errors, edit.name.parse::<KeyName>().map_err(|e| Field::new("name", e)));
        let scopes = gather(&mut errors, parse_scopes(&edit.scopes));
        let issued_to = gather(&mut errors, parse_issued_to(&edit.issued_to).map_err(|e| Field::new("issued_to", e)));
        // The outer `None`: as it is.
        let expires_at = match edit.expires.as_str() {
            "keep" => Some(None),
            expires => gather(&mut errors, parse_expiry(expires, &edit.expires_on, &caller.zone, now)).map(Some),
        };
        let (Some(name), Some(scopes), Some(issued_to), Some(expires_at)) = (name, scopes, issued_to, expires_at)
        else {
            return Err(Error::Invalid(errors));
        };
        let (actor, viewer, version) = (Actor::User(caller.clone()), Viewer::of(caller), edit.version);
        let row = self.ground.queue.write(move |tx| {
            let (actor, scopes) = (actor.clone(), scopes.clone());
            let (name, issued_to) = (name.as_str().to_owned(), issued_to.clone());
            Box::pin(async move {
                store::keys::lock(tx, id.into()).await?;
                let row = find(tx, &actor, id, Action::ChangeKeys, now).await?;
                if row.deleted_at.is_some() {
                    return Err(Error::Conflict("This key is deleted. Restore it first."));
                }
                if row.updated_at != version {
                    return Err(Error::Conflict(
                        "This key was changed meanwhile, by someone else or in another tab. Look at it again, then save.",
                    ));
                }
                // A scope that the project has ceased to offer may stay on a key; it cannot be added.
                let had = row.scopes()?;
                let added: Vec<_> = scopes.iter().filter(|s| !had.iter().any(|h| h == s.as_str())).cloned().collect();
                check_scopes(tx, &actor, row.project_id.into(), &added).await?;
                // An end that it has already may stay, whatever the policy has become.
                if let Some(end) = expires_at
                    && end.map(Timestamp::micros) != row.expires_at
                {
                    let policy = policy::read(tx).await?;
                    policy.check_end(end, now).map_err(|e| Error::field("expires", e))?;
                }
                if expires_at == Some(None) && row.expires_at.is_some() {
                    actor.step_up(now)?;
                }
                let change = store::keys::Edit {
                    name,
                    scopes: scopes.iter().map(ToString::to_string).collect(),
                    issued_to,
                    networks: row.networks()?,
                    not_before: row.not_before,
                    expires_at: expires_at.map_or(row.expires_at, |at| at.map(Timestamp::micros)),
                    rate_limit: row.rate_limit.clone(),
                };
                if !store::keys::edit(tx, row.id, &change, now.micros()).await? {
                    return Err(Error::Internal("a key that was just read was not there to be edited"));
                }
                let after = store::keys::by_id(tx, row.id).await?.ok_or(Error::NotFound)?;
                let acting = acting::in_project(tx, &actor, row.project_id.into()).await?;
                let event = actor
                    .event(now, "key.edited", format!("key:{id}"), &row.name)
                    .acting_as(&acting)
                    .in_project(row.project_id.into())
                    .detail(serde_json::json!({"before": facts(&row)?, "after": facts(&after)?}));
                Ok(Kept::with(after, event).heard(Change { topic: "key", id: row.id }))
            })
        });
        view(row.await?, &viewer, Some(Role::Operator), now)
    }
}
