//! The server functions of the administrators' pages. To anybody else each answers as if nothing were there.

#![allow(clippy::too_many_arguments, reason = "one argument a field of the form")]

use crate::{
    domain::{
        ids::KeyId,
        key::{ChosenDone, ChosenKey, KeyPage, KeyView},
    },
    error::AppError,
};
use leptos::prelude::*;

/// One page of every key there is: the fields of a `KeyFilter` as they stand in an address; `after` comes from the page before.
#[server(endpoint = "admin/keys/list")]
pub async fn admin_list_keys(
    #[server(default)] status: String,
    #[server(default)] project: String,
    #[server(default)] environment: String,
    #[server(default)] owner: String,
    #[server(default)] view: String,
    #[server(default)] sort: String,
    #[server(default)] after: String,
) -> Result<KeyPage, AppError> {
    use crate::{domain::filter::KeyFilter, http::context};
    let (caller, app) = context::caller()?;
    let filter = KeyFilter {
        owner: owner.parse().ok(),
        view: view.parse().ok(),
        ..context::filter(&status, &project, &environment, &sort)
    };
    context::answer(app.keys.list_all(&caller, &filter, &after).await)
}

/// Any key, for the dialogs that name it.
#[server(endpoint = "admin/keys/get")]
pub async fn admin_get_key(id: KeyId) -> Result<KeyView, AppError> {
    use crate::http::context;
    let (caller, app) = context::caller()?;
    context::answer(app.keys.get_any(&caller, id).await)
}

/// Refuses any key from the next request on, until an administrator activates it again.
#[server(endpoint = "admin/keys/deactivate")]
pub async fn admin_deactivate_key(id: KeyId, #[server(default)] reason: String) -> Result<KeyView, AppError> {
    use crate::http::context;
    let (caller, app) = context::caller()?;
    context::answer(app.keys.deactivate_any(&caller, id, &reason).await)
}

/// Accepts any deactivated key again.
#[server(endpoint = "admin/keys/activate")]
pub async fn admin_activate_key(id: KeyId, #[server(default)] reason: String) -> Result<KeyView, AppError> {
    use crate::http::context;
    let (caller, app) = context::caller()?;
    context::answer(app.keys.activate_any(&caller, id, &reason).await)
}

/// Refuses any key from the next request on; for seven days an administrator can restore it.
#[server(endpoint = "admin/keys/delete")]
pub async fn admin_delete_key(id: KeyId, #[server(default)] reason: String) -> Result<KeyView, AppError> {
    use crate::http::context;
    let (caller, app) = context::caller()?;
    context::answer(app.keys.delete_any(&caller, id, &reason).await)
}

/// Brings any deleted key back to the state it had.
#[server(endpoint = "admin/keys/restore")]
pub async fn admin_restore_key(id: KeyId, #[server(default)] reason: String) -> Result<KeyView, AppError> {
    use crate::http::context;
    let (caller, app) = context::caller()?;
    context::answer(app.keys.restore_any(&caller, id, &reason).await)
}

/// The keys among these that there are, for the question before they are changed; at most one page.
#[server(endpoint = "admin/keys/chosen")]
pub async fn admin_chosen_keys(#[server(default)] ids: Vec<KeyId>) -> Result<Vec<ChosenKey>, AppError> {
    use crate::http::context;
    let (caller, app) = context::caller()?;
    context::answer(app.keys.chosen(&caller, &ids).await)
}

/// Deactivates several keys, or (`verb` is `delete`) deletes them, for one reason. The answer says which could not be changed.
#[server(endpoint = "admin/keys/change_chosen")]
pub async fn admin_change_chosen(
    #[server(default)] verb: String,
    #[server(default)] ids: Vec<KeyId>,
    #[server(default)] reason: String,
) -> Result<ChosenDone, AppError> {
    use crate::{http::context, service::Error};
    let (caller, app) = context::caller()?;
    let done = match verb.as_str() {
        "deactivate" => app.keys.deactivate_chosen(&caller, &ids, &reason).await,
        "delete" => app.keys.delete_chosen(&caller, &ids, &reason).await,
        // To whoever is no administrator nothing is there, whatever they ask for.
        _ => app.keys.chosen(&caller, &ids).await.and(Err(Error::field("verb", "Choose deactivate or delete."))),
    };
    context::answer(done)
}
