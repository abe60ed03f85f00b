//! Page data and form actions of the scope catalog. For all users except administrators the response is 404.

use crate::{
    domain::scope::CatalogScope,
    error::{AppError, ErrorKind},
    features::action::form_action,
    http::context,
    service::scopes::{Removal, ScopeDraft, in_use_message},
};

/// Returns all scopes, in the order in which forms show them.
pub async fn list_scopes() -> Result<Vec<CatalogScope>, AppError> {
    let (caller, app) = context::caller()?;
    context::to_app_result(app.scopes.list(&caller).await)
}

form_action! {
    /// Adds a scope. `in_default` is a checkbox: any value except the empty string means checked. `granted_by` is
    /// `operator` or `owner`.
    AddScope(
        #[serde(default)] name: String,
        #[serde(default)] description: String,
        #[serde(default)] in_default: String,
        #[serde(default)] granted_by: String,
    ) -> () {
        let (caller, app) = context::caller()?;
        let draft = ScopeDraft { name, description, in_default: !in_default.is_empty(), granted_by };
        context::to_app_result(app.scopes.add(&caller, &draft).await)
    }
}

form_action! {
    /// Changes a scope's description, its default, and the role that grants it. The name cannot change.
    EditScope(
        #[serde(default)] name: String,
        #[serde(default)] description: String,
        #[serde(default)] in_default: String,
        #[serde(default)] granted_by: String,
    ) -> () {
        let (caller, app) = context::caller()?;
        let draft = ScopeDraft { name, description, in_default: !in_default.is_empty(), granted_by };
        context::to_app_result(app.scopes.edit(&caller, &draft).await)
    }
}

form_action! {
    /// Removes a scope that no key has and no project has selected.
    RemoveScope(#[serde(default)] name: String) -> () {
        let (caller, app) = context::caller()?;
        match context::to_app_result(app.scopes.remove(&caller, &name).await)? {
            Removal::Removed => Ok(()),
            Removal::InUse(uses) => Err(AppError::new(ErrorKind::Conflict, in_use_message(uses))),
        }
    }
}

form_action! {
    /// Retires a scope: existing keys keep it, and new keys cannot receive it.
    RetireScope(#[serde(default)] name: String) -> () {
        let (caller, app) = context::caller()?;
        context::to_app_result(app.scopes.retire(&caller, &name, false).await)
    }
}

form_action! {
    /// Unretires a scope: it is available again where it was before.
    UnretireScope(#[serde(default)] name: String) -> () {
        let (caller, app) = context::caller()?;
        context::to_app_result(app.scopes.retire(&caller, &name, true).await)
    }
}
