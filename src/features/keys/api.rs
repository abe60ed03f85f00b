//! The server functions of the keys pages: they say who asks, and hand over to the service.

#![allow(clippy::too_many_arguments, reason = "one argument a field of the form")]

use crate::{
    domain::{
        ids::{FormNumber, KeyId, ProjectId},
        key::{EditForm, KeyPage, KeyView},
        project::KeyForm,
        sensitive::RevealedSecret,
        time::Moment,
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

/// One page of the keys that the person may see: the fields of a `KeyFilter` as they stand in an address; `after` comes from the
/// page before.
#[server(endpoint = "keys/list")]
pub async fn list_keys(
    #[server(default)] status: String,
    #[server(default)] project: String,
    #[server(default)] environment: String,
    #[server(default)] sort: String,
    #[server(default)] after: String,
) -> Result<KeyPage, AppError> {
    use crate::http::context;
    let (caller, app) = context::caller()?;
    let filter = context::filter(&status, &project, &environment, &sort);
    context::answer(app.keys.list(&caller, &filter, &after).await)
}

/// One key, for the dialogs that name it.
#[server(endpoint = "keys/get")]
pub async fn get_key(id: KeyId) -> Result<KeyView, AppError> {
    use crate::http::context;
    let (caller, app) = context::caller()?;
    context::answer(app.keys.get(&caller, id).await)
}

/// The key, if there is one that the person may see: for a sentence about it, which must not decide the status of its page.
pub async fn key_if_any(id: KeyId, as_administrator: bool) -> Option<KeyView> {
    let (caller, app) = crate::http::context::caller().ok()?;
    if as_administrator { app.keys.get_any(&caller, id).await.ok() } else { app.keys.get(&caller, id).await.ok() }
}

/// What the form for a new key needs: projects, scopes, a one-time number.
#[server(name = GetKeyForm, endpoint = "keys/form")]
pub async fn key_form() -> Result<KeyForm, AppError> {
    use crate::http::context;
    let (caller, app) = context::caller()?;
    context::answer(app.keys.form(&caller).await)
}

/// When a key with this expiry would end, as a sentence, in the person's time zone.
#[server(endpoint = "keys/say_expiry")]
pub async fn say_expiry(
    #[server(default)] expires: String,
    #[server(default)] expires_on: String,
) -> Result<String, AppError> {
    use crate::http::context;
    let (caller, app) = context::caller()?;
    context::answer(app.keys.say_expiry(&caller, &expires, &expires_on))
}

/// From when a key with this "not before" would work, as a sentence, in the person's time zone.
#[server(endpoint = "keys/say_not_before")]
pub async fn say_not_before(#[server(default)] not_before: String) -> Result<String, AppError> {
    use crate::http::context;
    let (caller, app) = context::caller()?;
    context::answer(app.keys.say_not_before(&caller, &not_before))
}

/// What the form that edits this key needs.
#[server(name = GetEditForm, endpoint = "keys/edit_form")]
pub async fn edit_form(id: KeyId) -> Result<EditForm, AppError> {
    use crate::http::context;
    let (caller, app) = context::caller()?;
    context::answer(app.keys.edit_form(&caller, id).await)
}

/// Changes what can be edited of a key; `expires` is `keep` to leave its end as it is, `version` is the form's. A "not before" that
/// is as it was (`not_before_was`) stays to the microsecond, though the form shows it to the minute.
#[server(endpoint = "keys/edit")]
pub async fn edit_key(
    id: KeyId,
    version: i64,
    name: String,
    #[server(default)] expires: String,
    #[server(default)] expires_on: String,
    #[server(default)] scopes: Vec<String>,
    #[server(default)] issued_to: String,
    #[server(default)] networks: String,
    #[server(default)] not_before: String,
    #[server(default)] not_before_was: String,
    #[server(default)] rate: String,
    #[server(default)] per: String,
    #[server(default)] burst: String,
) -> Result<KeyView, AppError> {
    use crate::{
        http::context,
        service::keys::{KEEP, KeyEdit, RulesDraft},
    };
    let (caller, app) = context::caller()?;
    let not_before = if not_before == not_before_was { KEEP.to_owned() } else { not_before };
    let rules = RulesDraft { networks, not_before, rate, per, burst };
    let edit = KeyEdit { version, name, expires, expires_on, scopes, issued_to, rules };
    context::answer(app.keys.edit(&caller, id, edit).await)
}

/// When the key was last used: what waits for its first call asks again and again.
#[server(endpoint = "keys/called")]
pub async fn key_called(id: KeyId) -> Result<Option<Moment>, AppError> {
    use crate::http::context;
    let (caller, app) = context::caller()?;
    context::answer(app.keys.called(&caller, id).await)
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
    #[server(default)] scopes: Vec<String>,
    #[server(default)] issued_to: String,
    #[server(default)] networks: String,
    #[server(default)] not_before: String,
    #[server(default)] rate: String,
    #[server(default)] per: String,
    #[server(default)] burst: String,
) -> Result<CreatedKey, AppError> {
    use crate::{
        http::context,
        service::keys::{KeyDraft, RulesDraft},
    };
    let (caller, app) = context::caller()?;
    let rules = RulesDraft { networks, not_before, rate, per, burst };
    let draft = KeyDraft { number, name, project, environment, expires, expires_on, scopes, issued_to, rules };
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
