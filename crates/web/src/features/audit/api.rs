//! Page data of the audit log.

use crate::{
    domain::{
        audit::{AuditFilter, AuditPage, History},
        ids::{KeyId, ProjectId},
    },
    error::AppError,
    http::context,
};

/// Returns one page of the complete audit log, for administrators. The arguments are the fields of an [`AuditFilter`]
/// as query strings.
pub async fn list_events(
    who: String,
    kind: String,
    thing: String,
    from: String,
    to: String,
    before: String,
) -> Result<AuditPage, AppError> {
    let (caller, app) = context::caller()?;
    let values = [("who", who), ("kind", kind), ("thing", thing), ("from", from), ("to", to), ("before", before)];
    let filter = AuditFilter::from_query(|name| Some(values.iter().find(|(it, _)| *it == name)?.1.clone()));
    context::to_app_result(app.audit.list(&caller, &filter).await)
}

/// Returns the history of a key, for the members of its project. `before` is a cursor: only events with a lower number.
pub async fn key_history(id: KeyId, before: String) -> Result<History, AppError> {
    let (caller, app) = context::caller()?;
    context::to_app_result(app.audit.key_history(&caller, id, before.parse().ok()).await)
}

/// Returns the history of any key, for administrators. `before` is a cursor: only events with a lower number.
pub async fn any_key_history(id: KeyId, before: String) -> Result<History, AppError> {
    let (caller, app) = context::caller()?;
    context::to_app_result(app.audit.any_key_history(&caller, id, before.parse().ok()).await)
}

/// Returns the history of a project, for its members. `before` is a cursor: only events with a lower number.
pub async fn project_history(id: ProjectId, before: String) -> Result<History, AppError> {
    let (caller, app) = context::caller()?;
    context::to_app_result(app.audit.project_history(&caller, id, before.parse().ok()).await)
}
