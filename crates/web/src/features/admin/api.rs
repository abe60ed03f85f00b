//! Page data and form actions of the administrators' pages. For all other users the response is 404.

use crate::{
    domain::{
        filter::KeyFilter,
        ids::KeyId,
        key::{BulkResult, Key, KeyPage, SelectedKey},
        transition::Transition,
    },
    error::AppError,
    features::{action::form_action, keys::KeyView},
    http::context,
    service::{Error, actor::Actor, keys::Precondition},
};

/// Returns one page of all keys. `cursor`: see [`ListContext`](crate::features::keys::ListContext).
pub async fn admin_list_keys(filter: KeyFilter, cursor: String) -> Result<KeyPage<KeyView>, AppError> {
    let (caller, app) = context::caller()?;
    let page = context::to_app_result(app.keys.list_all(&caller, &filter, &cursor).await)?;
    Ok(page.map(|key| KeyView::new(key, &caller)))
}

/// Returns any key, for the dialogs that show it.
pub async fn admin_get_key(id: KeyId) -> Result<KeyView, AppError> {
    let (caller, app) = context::caller()?;
    let key = context::to_app_result(app.keys.get(&Actor::Administrator(caller.clone()), id).await)?;
    Ok(KeyView::new(key, &caller))
}

/// Applies a transition to any key, with the permissions of an administrator.
async fn transition(id: KeyId, transition: Transition, reason: String) -> Result<Key, AppError> {
    let (caller, app) = context::caller()?;
    let actor = Actor::Administrator(caller);
    context::to_app_result(app.keys.transition(&actor, id, transition, Precondition::with_reason(reason)).await)
}

form_action! {
    /// Deactivates any key. It is denied from the next request until an administrator activates it.
    AdminDeactivateKey(id: KeyId, #[serde(default)] reason: String) -> Key {
        transition(id, Transition::Deactivate, reason).await
    }
}

form_action! {
    /// Activates any deactivated key.
    AdminActivateKey(id: KeyId, #[serde(default)] reason: String) -> Key {
        transition(id, Transition::Activate, reason).await
    }
}

form_action! {
    /// Deletes any key. It is denied from the next request; an administrator can restore it for 7 days.
    AdminDeleteKey(id: KeyId, #[serde(default)] reason: String) -> Key {
        transition(id, Transition::Delete, reason).await
    }
}

form_action! {
    /// Restores any deleted key to its previous state.
    AdminRestoreKey(id: KeyId, #[serde(default)] reason: String) -> Key {
        transition(id, Transition::Restore, reason).await
    }
}

/// Returns the keys with these IDs, for the confirmation dialog. IDs of missing keys are omitted; at most one page.
pub async fn admin_chosen_keys(ids: Vec<KeyId>) -> Result<Vec<SelectedKey>, AppError> {
    let (caller, app) = context::caller()?;
    context::to_app_result(app.keys.list_selected(&caller, &ids).await)
}

form_action! {
    /// Deactivates several keys with one reason, or deletes them if `verb` is `delete`. The response lists the keys
    /// that could not be changed.
    AdminBulkChange(
        #[serde(default)] verb: String,
        #[serde(default)] ids: Vec<KeyId>,
        #[serde(default)] reason: String,
    ) -> BulkResult {
        let (caller, app) = context::caller()?;
        let done = match verb.as_str() {
            "deactivate" => app.keys.transition_selected(&caller, &ids, Transition::Deactivate, &reason).await,
            "delete" => app.keys.transition_selected(&caller, &ids, Transition::Delete, &reason).await,
            // For all users except administrators the response is 404, whatever the verb is.
            _ => app.keys.list_selected(&caller, &ids).await.and(Err(Error::field("verb", "Choose deactivate or delete."))),
        };
        context::to_app_result(done)
    }
}
