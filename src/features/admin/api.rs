//! Page data and form actions of the administrators' pages. For anyone else the response is 404.

use crate::{
    domain::{
        filter::KeyFilter,
        ids::KeyId,
        key::{ChosenDone, ChosenKey, KeyPage, KeyView},
    },
    error::AppError,
    features::action::form_action,
    http::context,
    service::Error,
};

/// One page of all keys. The arguments are the fields of a `KeyFilter` as in a query; `after` comes from the page before.
pub async fn admin_list_keys(
    status: String,
    project: String,
    environment: String,
    owner: String,
    view: String,
    sort: String,
    after: String,
) -> Result<KeyPage, AppError> {
    let (caller, app) = context::caller()?;
    let filter = KeyFilter {
        owner: owner.parse().ok(),
        view: view.parse().ok(),
        ..context::filter(&status, &project, &environment, &sort)
    };
    context::answer(app.keys.list_all(&caller, &filter, &after).await)
}

/// Any key, for the dialogs that name it.
pub async fn admin_get_key(id: KeyId) -> Result<KeyView, AppError> {
    let (caller, app) = context::caller()?;
    context::answer(app.keys.get_any(&caller, id).await)
}

form_action! {
    /// Refuses any key from the next request on, until an administrator activates it again.
    AdminDeactivateKey(id: KeyId, #[serde(default)] reason: String) -> KeyView {
        let (caller, app) = context::caller()?;
        context::answer(app.keys.deactivate_any(&caller, id, &reason).await)
    }
}

form_action! {
    /// Accepts any deactivated key again.
    AdminActivateKey(id: KeyId, #[serde(default)] reason: String) -> KeyView {
        let (caller, app) = context::caller()?;
        context::answer(app.keys.activate_any(&caller, id, &reason).await)
    }
}

form_action! {
    /// Refuses any key from the next request on; for seven days an administrator can restore it.
    AdminDeleteKey(id: KeyId, #[serde(default)] reason: String) -> KeyView {
        let (caller, app) = context::caller()?;
        context::answer(app.keys.delete_any(&caller, id, &reason).await)
    }
}

form_action! {
    /// Brings any deleted key back to the state it had.
    AdminRestoreKey(id: KeyId, #[serde(default)] reason: String) -> KeyView {
        let (caller, app) = context::caller()?;
        context::answer(app.keys.restore_any(&caller, id, &reason).await)
    }
}

/// The keys among these that there are, for the question before they are changed; at most one page.
pub async fn admin_chosen_keys(ids: Vec<KeyId>) -> Result<Vec<ChosenKey>, AppError> {
    let (caller, app) = context::caller()?;
    context::answer(app.keys.chosen(&caller, &ids).await)
}

form_action! {
    /// Deactivates several keys, or (`verb` is `delete`) deletes them, for one reason. The answer says which could not be changed.
    AdminChangeChosen(
        #[serde(default)] verb: String,
        #[serde(default)] ids: Vec<KeyId>,
        #[serde(default)] reason: String,
    ) -> ChosenDone {
        let (caller, app) = context::caller()?;
        let done = match verb.as_str() {
            "deactivate" => app.keys.deactivate_chosen(&caller, &ids, &reason).await,
            "delete" => app.keys.delete_chosen(&caller, &ids, &reason).await,
            // For anyone but an administrator the response is 404, whatever the verb is.
            _ => app.keys.chosen(&caller, &ids).await.and(Err(Error::field("verb", "Choose deactivate or delete."))),
        };
        context::answer(done)
    }
}
