//! The server functions of the audit log.

use crate::{
    domain::{
        audit::{AuditPage, History},
        ids::{KeyId, ProjectId},
    },
    error::AppError,
};
use leptos::prelude::*;

/// One page of the whole log: the fields of an `AuditFilter` as they stand in an address. For administrators.
#[server(endpoint = "admin/audit/list")]
pub async fn list_events(
    #[server(default)] who: String,
    #[server(default)] kind: String,
    #[server(default)] thing: String,
    #[server(default)] from: String,
    #[server(default)] to: String,
    #[server(default)] before: String,
) -> Result<AuditPage, AppError> {
    use crate::{domain::audit::AuditFilter, http::context};
    let (caller, app) = context::caller()?;
    let said = [("who", who), ("kind", kind), ("thing", thing), ("from", from), ("to", to), ("before", before)];
    let filter = AuditFilter::read(|name| Some(said.iter().find(|(it, _)| *it == name)?.1.clone()));
    context::answer(app.audit.list(&caller, &filter).await)
}

/// What was done to a key, for the members of its project. `before`: only what is older than the event with this number.
#[server(endpoint = "keys/history")]
pub async fn key_history(id: KeyId, #[server(default)] before: String) -> Result<History, AppError> {
    use crate::http::context;
    let (caller, app) = context::caller()?;
    context::answer(app.audit.of_key(&caller, id, before.parse().ok()).await)
}

/// What was done in a project, for its members. `before`: only what is older than the event with this number.
#[server(endpoint = "projects/history")]
pub async fn project_history(id: ProjectId, #[server(default)] before: String) -> Result<History, AppError> {
    use crate::http::context;
    let (caller, app) = context::caller()?;
    context::answer(app.audit.of_project(&caller, id, before.parse().ok()).await)
}
