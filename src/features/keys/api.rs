//! Page data and form actions of the keys pages, and the three server functions that islands call.

use crate::{
    domain::{
        ids::{FormNumber, KeyId, ProjectId},
        key::{EditForm, KeyPage, KeyView},
        project::KeyForm,
        sensitive::RevealedSecret,
        time::Moment,
    },
    error::AppError,
    features::action::form_action,
    http::context,
    service::keys::{KEEP, KeyDraft, KeyEdit, RulesDraft},
};
use leptos::prelude::*;

/// The answer to a new key, the only one that ever holds its secret.
#[derive(Clone, Debug)]
pub struct CreatedKey {
    pub key: KeyView,
    pub secret: RevealedSecret,
    /// For the ready command: where this Keyward answers.
    pub public_url: String,
}

/// One page of the keys that the user may see. The arguments are the fields of a `KeyFilter` as in a query; `after` comes from the
/// page before.
pub async fn list_keys(
    status: String,
    project: String,
    environment: String,
    sort: String,
    after: String,
) -> Result<KeyPage, AppError> {
    let (caller, app) = context::caller()?;
    let filter = context::filter(&status, &project, &environment, &sort);
    context::answer(app.keys.list(&caller, &filter, &after).await)
}

/// One key, for the dialogs that name it.
pub async fn get_key(id: KeyId) -> Result<KeyView, AppError> {
    let (caller, app) = context::caller()?;
    context::answer(app.keys.get(&caller, id).await)
}

/// The key, if there is one that the person may see: for a sentence about it, which must not decide the status of its page.
pub async fn key_if_any(id: KeyId, as_administrator: bool) -> Option<KeyView> {
    let (caller, app) = context::caller().ok()?;
    if as_administrator { app.keys.get_any(&caller, id).await.ok() } else { app.keys.get(&caller, id).await.ok() }
}

/// What the form for a new key needs: projects, scopes, a one-time number.
pub async fn key_form() -> Result<KeyForm, AppError> {
    let (caller, app) = context::caller()?;
    context::answer(app.keys.form(&caller).await)
}

/// When a key with this expiry would end, as a sentence, in the person's time zone.
#[server(endpoint = "keys/say_expiry")]
pub async fn say_expiry(
    #[server(default)] expires: String,
    #[server(default)] expires_on: String,
) -> Result<String, AppError> {
    let (caller, app) = context::caller()?;
    context::answer(app.keys.say_expiry(&caller, &expires, &expires_on))
}

/// From when a key with this "not before" would work, as a sentence, in the person's time zone.
#[server(endpoint = "keys/say_not_before")]
pub async fn say_not_before(#[server(default)] not_before: String) -> Result<String, AppError> {
    let (caller, app) = context::caller()?;
    context::answer(app.keys.say_not_before(&caller, &not_before))
}

/// What the form that edits this key needs.
pub async fn edit_form(id: KeyId) -> Result<EditForm, AppError> {
    let (caller, app) = context::caller()?;
    context::answer(app.keys.edit_form(&caller, id).await)
}

form_action! {
    /// Changes what can be edited of a key; `expires` is `keep` to leave its end as it is, `version` is the form's. A "not before"
    /// that is as it was (`not_before_was`) stays to the microsecond, though the form shows it to the minute.
    EditKey(
        id: KeyId,
        version: i64,
        name: String,
        #[serde(default)] expires: String,
        #[serde(default)] expires_on: String,
        #[serde(default)] scopes: Vec<String>,
        #[serde(default)] issued_to: String,
        #[serde(default)] networks: String,
        #[serde(default)] not_before: String,
        #[serde(default)] not_before_was: String,
        #[serde(default)] rate: String,
        #[serde(default)] per: String,
        #[serde(default)] burst: String,
    ) -> KeyView {
        let (caller, app) = context::caller()?;
        let not_before = if not_before == not_before_was { KEEP.to_owned() } else { not_before };
        let rules = RulesDraft { networks, not_before, rate, per, burst };
        let edit = KeyEdit { version, name, expires, expires_on, scopes, issued_to, rules };
        context::answer(app.keys.edit(&caller, id, edit).await)
    }
}

/// When the key was last used, for the page that polls for its first use.
#[server(endpoint = "keys/called")]
pub async fn key_called(id: KeyId) -> Result<Option<Moment>, AppError> {
    let (caller, app) = context::caller()?;
    context::answer(app.keys.called(&caller, id).await)
}

form_action! {
    /// Creates a key. The secret is in the response, and nowhere else.
    CreateKey(
        number: FormNumber,
        name: String,
        project: ProjectId,
        #[serde(default)] environment: String,
        #[serde(default)] expires: String,
        #[serde(default)] expires_on: String,
        #[serde(default)] scopes: Vec<String>,
        #[serde(default)] issued_to: String,
        #[serde(default)] networks: String,
        #[serde(default)] not_before: String,
        #[serde(default)] rate: String,
        #[serde(default)] per: String,
        #[serde(default)] burst: String,
    ) -> CreatedKey {
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
}

form_action! {
    /// Refuses the key from the next request on, until it is activated again.
    DeactivateKey(id: KeyId) -> KeyView {
        let (caller, app) = context::caller()?;
        context::answer(app.keys.deactivate(&caller, id).await)
    }
}

form_action! {
    /// Accepts a deactivated key again.
    ActivateKey(id: KeyId) -> KeyView {
        let (caller, app) = context::caller()?;
        context::answer(app.keys.activate(&caller, id).await)
    }
}

form_action! {
    /// Refuses the key from the next request on; for seven days it can be restored.
    DeleteKey(id: KeyId) -> KeyView {
        let (caller, app) = context::caller()?;
        context::answer(app.keys.delete(&caller, id).await)
    }
}

form_action! {
    /// Brings a deleted key back to the state it had.
    RestoreKey(id: KeyId) -> KeyView {
        let (caller, app) = context::caller()?;
        context::answer(app.keys.restore(&caller, id).await)
    }
}
