//! Page data and form actions of the keys pages, and the three server functions that islands call.

use super::KeyView;
use crate::{
    domain::{
        filter::KeyFilter,
        ids::{FormNumber, KeyId, ProjectId},
        key::{EditForm, Key, KeyPage},
        project::KeyForm,
        sensitive::RevealedSecret,
        time::Moment,
        transition::Transition,
    },
    error::AppError,
    features::action::form_action,
    http::context,
    service::{
        actor::Actor,
        keys::{KeyDraft, PatchDraft, Precondition, RestrictionsDraft},
        time_format::format_moment,
    },
};
use leptos::prelude::*;
use serde::{Deserialize as _, Deserializer};

/// Message for a key that does not exist, or that the user may not see.
pub const KEY_NOT_FOUND: &str = "This key does not exist, or you do not have access to it.";

/// A new key with its secret. No other response contains the secret.
#[derive(Clone, Debug)]
pub struct CreatedKey {
    pub key: KeyView,
    pub secret: RevealedSecret,
    /// Public URL of this server, for the example command.
    pub public_url: String,
}

/// Returns one page of the keys that the user may see. `cursor`: see [`ListContext`](super::list_context::ListContext).
pub async fn list_keys(filter: KeyFilter, cursor: String) -> Result<KeyPage<KeyView>, AppError> {
    let (caller, app) = context::caller()?;
    let page = context::to_app_result(app.keys.list(&caller, &filter, &cursor).await)?;
    Ok(page.map(|key| KeyView::new(key, &caller)))
}

/// Returns a key, for the dialogs that show it.
pub async fn get_key(id: KeyId) -> Result<KeyView, AppError> {
    let (caller, app) = context::caller()?;
    let key = context::to_app_result(app.keys.get(&Actor::User(caller.clone()), id).await)?;
    Ok(KeyView::new(key, &caller))
}

/// Returns a key, or `None` if it does not exist or the user may not see it. Does not set the status of the response:
/// pages use it for a message about the key.
pub async fn key_if_any(id: KeyId, as_administrator: bool) -> Option<Key> {
    let (caller, app) = context::caller().ok()?;
    let actor = if as_administrator { Actor::Administrator(caller) } else { Actor::User(caller) };
    app.keys.get(&actor, id).await.ok()
}

/// Returns the data of the form for a new key: projects, scopes, and a form number that works once.
pub async fn key_form() -> Result<KeyForm, AppError> {
    let (caller, app) = context::caller()?;
    context::to_app_result(app.keys.new_key_form(&caller).await)
}

/// Describes the expiry of a key in a sentence, in the user's time zone.
#[server(endpoint = "keys/say_expiry")]
pub async fn say_expiry(
    #[server(default)] expires: String,
    #[server(default)] expires_on: String,
) -> Result<String, AppError> {
    let (caller, app) = context::caller()?;
    context::to_app_result(app.keys.expiry_preview(&caller, &expires, &expires_on))
}

/// Describes the "not before" time of a key in a sentence, in the user's time zone.
#[server(endpoint = "keys/say_not_before")]
pub async fn say_not_before(#[server(default)] not_before: String) -> Result<String, AppError> {
    let (caller, app) = context::caller()?;
    context::to_app_result(app.keys.not_before_preview(&caller, &not_before))
}

/// Returns the data of the form that edits a key.
pub async fn edit_form(id: KeyId) -> Result<EditForm<KeyView>, AppError> {
    let (caller, app) = context::caller()?;
    let form = context::to_app_result(app.keys.edit_form(&caller, id).await)?;
    Ok(form.map(|key| KeyView::new(key, &caller)))
}

/// The form value of an expiry that stays as it is.
const KEEP: &str = "keep";

/// Deserializes a field that is present: an empty value is a text, too. Without the field, the value is `None`.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    String::deserialize(deserializer).map(Some)
}

form_action! {
    /// Edits a key. If `expires` is `keep`, the expiry does not change; `version` is the version that the form was
    /// rendered with. If `not_before` equals `not_before_was`, the stored time does not change: it has microseconds,
    /// and the form shows minutes. Without a `description` it does not change: the form of the previous release does not
    /// have the field.
    EditKey(
        id: KeyId,
        version: i64,
        name: String,
        #[serde(default)] expires: String,
        #[serde(default)] expires_on: String,
        #[serde(default)] scopes: Vec<String>,
        #[serde(default)] issued_to: String,
        #[serde(default, deserialize_with = "present")] description: Option<String>,
        #[serde(default)] networks: String,
        #[serde(default)] not_before: String,
        #[serde(default)] not_before_was: String,
        #[serde(default)] rate: String,
        #[serde(default)] per: String,
        #[serde(default)] burst: String,
    ) -> Key {
        let (caller, app) = context::caller()?;
        let draft = PatchDraft {
            name: Some(name),
            scopes: Some(scopes),
            expires: (expires != KEEP).then_some((expires, expires_on)),
            issued_to: Some(issued_to),
            description,
            networks: Some(networks),
            not_before: (not_before != not_before_was && not_before != KEEP).then_some(not_before),
            rate: Some([rate, per, burst]),
        };
        let patch = context::to_app_result(draft.parse(&caller.zone, app.context.now()))?;
        let actor = Actor::User(caller);
        context::to_app_result(app.keys.edit(&actor, id, patch, Precondition::with_version(version)).await)
    }
}

/// Returns when the key was last used, for the page that polls for its first use.
#[server(endpoint = "keys/called")]
pub async fn key_called(id: KeyId) -> Result<Option<Moment>, AppError> {
    let (caller, app) = context::caller()?;
    let last_used = context::to_app_result(app.keys.last_used(&caller, id).await)?;
    Ok(last_used.map(|at| format_moment(at, &caller.zone)))
}

form_action! {
    /// Creates a key. The secret is only in this response.
    CreateKey(
        number: FormNumber,
        name: String,
        project: ProjectId,
        #[serde(default)] environment: String,
        #[serde(default)] expires: String,
        #[serde(default)] expires_on: String,
        #[serde(default)] scopes: Vec<String>,
        #[serde(default)] issued_to: String,
        #[serde(default)] description: String,
        #[serde(default)] networks: String,
        #[serde(default)] not_before: String,
        #[serde(default)] rate: String,
        #[serde(default)] per: String,
        #[serde(default)] burst: String,
    ) -> CreatedKey {
        let (caller, app) = context::caller()?;
        let rules = RestrictionsDraft { networks, not_before, rate, per, burst };
        let draft = KeyDraft {
            number,
            name,
            project,
            environment,
            expires,
            expires_on,
            scopes,
            issued_to,
            description,
            restrictions: rules,
        };
        let actor = Actor::User(caller.clone());
        let defaults = context::to_app_result(app.keys.defaults(&actor, None).await)?;
        let spec = context::to_app_result(draft.parse(&defaults))?;
        let (key, secret) = context::to_app_result(app.keys.create(&actor, spec).await)?;
        context::no_store();
        Ok(CreatedKey {
            key: KeyView::new(key, &caller),
            secret: RevealedSecret::new(secret.expose().to_owned()),
            public_url: app.config.public_url.to_string(),
        })
    }
}

/// Applies a transition to a key, with the permissions of the user's role in its project.
async fn transition(id: KeyId, transition: Transition) -> Result<Key, AppError> {
    let (caller, app) = context::caller()?;
    let changed = app.keys.transition(&Actor::User(caller), id, transition, Precondition::default()).await;
    context::to_app_result(changed)
}

form_action! {
    /// Deactivates a key. It is denied from the next request until it is activated.
    DeactivateKey(id: KeyId) -> Key {
        transition(id, Transition::Deactivate).await
    }
}

form_action! {
    /// Activates a deactivated key.
    ActivateKey(id: KeyId) -> Key {
        transition(id, Transition::Activate).await
    }
}

form_action! {
    /// Deletes a key. It is denied from the next request; it can be restored for 7 days.
    DeleteKey(id: KeyId) -> Key {
        transition(id, Transition::Delete).await
    }
}

form_action! {
    /// Restores a deleted key to its previous state.
    RestoreKey(id: KeyId) -> Key {
        transition(id, Transition::Restore).await
    }
}
