//! The server functions of the keys pages: they say who asks, and hand over to the service.

#![allow(clippy::too_many_arguments, reason = "one argument a field of the form")]

use crate::{
    domain::{
        ids::{FormNumber, KeyId, ProjectId},
        key::{KeyPage, KeyView},
        project::KeyForm,
        sensitive::RevealedSecret,
    },
    error::AppError,
};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

/// The answer to a new key, the only one that ever holds its secret.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CreatedKey {
    pub key: KeyView,
    pub secret: RevealedSecret,
    /// For the ready command: where this Keyward answers.
    pub public_url: String,
}

/// One page of the keys that the person may see. `status` is empty or `deleted`; `after` comes from the page before.
#[server(endpoint = "keys/list")]
pub async fn list_keys(status: String, after: String) -> Result<KeyPage, AppError> {
    use crate::http::context;
    let (caller, app) = context::caller()?;
    context::answer(app.keys.list(&caller, &status, &after).await)
}

/// One key, for the dialogs that name it.
#[server(endpoint = "keys/get")]
pub async fn get_key(id: KeyId) -> Result<KeyView, AppError> {
    use crate::http::context;
    let (caller, app) = context::caller()?;
    context::answer(app.keys.get(&caller, id).await)
}

/// What the form for a new key needs: projects, scopes, a one-time number.
#[server(name = GetKeyForm, endpoint = "keys/form")]
pub async fn key_form() -> Result<KeyForm, AppError> {
    use crate::http::context;
    let (caller, app) = context::caller()?;
    context::answer(app.keys.form(&caller).await)
}

/// Makes a key. The secret is in the answer, and nowhere else.
#[server(endpoint = "keys/create")]
pub async fn create_key(
    number: FormNumber,
    name: String,
    project: ProjectId,
    #[server(default)] environment: String,
    #[server(default)] expires: String,
    #[server(default)] expires_on: String,
    #[server(default)] zone: String,
    #[server(default)] scopes: Vec<String>,
    #[server(default)] issued_to: String,
) -> Result<CreatedKey, AppError> {
    use crate::{http::context, service::keys::KeyDraft};
    let (caller, app) = context::caller()?;
    let draft = KeyDraft { number, name, project, environment, expires, expires_on, zone, scopes, issued_to };
    let (key, secret) = context::answer(app.keys.create(&caller, draft).await)?;
    context::no_store();
    Ok(CreatedKey {
        key,
        secret: RevealedSecret::new(secret.expose().to_owned()),
        public_url: app.config.public_url.to_string(),
    })
}

/// Refuses the key from the next request on, until it is activated again.
#[server(endpoint = "keys/deactivate")]
pub async fn deactivate_key(id: KeyId) -> Result<KeyView, AppError> {
    use crate::http::context;
    let (caller, app) = context::caller()?;
    context::answer(app.keys.deactivate(&caller, id).await)
}

/// Accepts a deactivated key again.
#[server(endpoint = "keys/activate")]
pub async fn activate_key(id: KeyId) -> Result<KeyView, AppError> {
    use crate::http::context;
    let (caller, app) = context::caller()?;
    context::answer(app.keys.activate(&caller, id).await)
}

/// Refuses the key from the next request on; for seven days it can be restored.
#[server(endpoint = "keys/delete")]
pub async fn delete_key(id: KeyId) -> Result<KeyView, AppError> {
    use crate::http::context;
    let (caller, app) = context::caller()?;
    context::answer(app.keys.delete(&caller, id).await)
}

/// Brings a deleted key back to the state it had.
#[server(endpoint = "keys/restore")]
pub async fn restore_key(id: KeyId) -> Result<KeyView, AppError> {
    use crate::http::context;
    let (caller, app) = context::caller()?;
    context::answer(app.keys.restore(&caller, id).await)
}
