//! The server functions of the catalogue of scopes. For whoever is no administrator there is nothing here.

use crate::{domain::scope::CatalogueScope, error::AppError};
use leptos::prelude::*;

/// All scopes, in the order in which forms offer them.
#[server(endpoint = "scopes/list")]
pub async fn list_scopes() -> Result<Vec<CatalogueScope>, AppError> {
    use crate::http::context;
    let (caller, app) = context::caller()?;
    context::answer(app.scopes.list(&caller).await)
}

/// Adds a scope. `in_default` is a checkbox: anything but nothing is yes. `granted_by` is `operator` or `owner`.
#[server(endpoint = "scopes/add")]
pub async fn add_scope(
    #[server(default)] name: String,
    #[server(default)] description: String,
    #[server(default)] in_default: String,
    #[server(default)] granted_by: String,
) -> Result<(), AppError> {
    use crate::{http::context, service::scopes::ScopeDraft};
    let (caller, app) = context::caller()?;
    let draft = ScopeDraft { name, description, in_default: !in_default.is_empty(), granted_by };
    context::answer(app.scopes.add(&caller, &draft).await)
}

/// Changes what is said of a scope; its name stays.
#[server(endpoint = "scopes/edit")]
pub async fn edit_scope(
    #[server(default)] name: String,
    #[server(default)] description: String,
    #[server(default)] in_default: String,
    #[server(default)] granted_by: String,
) -> Result<(), AppError> {
    use crate::{http::context, service::scopes::ScopeDraft};
    let (caller, app) = context::caller()?;
    let draft = ScopeDraft { name, description, in_default: !in_default.is_empty(), granted_by };
    context::answer(app.scopes.edit(&caller, &draft).await)
}

/// Removes a scope that no key holds and no project chose.
#[server(endpoint = "scopes/remove")]
pub async fn remove_scope(#[server(default)] name: String) -> Result<(), AppError> {
    use crate::{
        error::ErrorKind,
        http::context,
        service::scopes::{Removal, in_use},
    };
    let (caller, app) = context::caller()?;
    match context::answer(app.scopes.remove(&caller, &name).await)? {
        Removal::Removed => Ok(()),
        // Only the router sets the status here: it reads the kind.
        Removal::InUse(uses) => Err(AppError::new(ErrorKind::Conflict, in_use(uses))),
    }
}

/// Retires a scope: keys that hold it keep it, and no new key is given it.
#[server(endpoint = "scopes/retire")]
pub async fn retire_scope(#[server(default)] name: String) -> Result<(), AppError> {
    use crate::http::context;
    let (caller, app) = context::caller()?;
    context::answer(app.scopes.retire(&caller, &name, false).await)
}

/// Offers a retired scope again, wherever it was offered.
#[server(endpoint = "scopes/unretire")]
pub async fn unretire_scope(#[server(default)] name: String) -> Result<(), AppError> {
    use crate::http::context;
    let (caller, app) = context::caller()?;
    context::answer(app.scopes.retire(&caller, &name, true).await)
}
