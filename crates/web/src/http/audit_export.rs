//! Export of the audit log.

use super::{AppState, context, form_actions, pages, sessions::SessionContext};
use crate::{
    error::{AppError, ErrorKind, RejectedForm},
    service::{
        Error,
        permissions::{AdminPermission, is_allowed},
        time_format::rfc3339,
    },
};
use axum::{
    Router,
    body::Body,
    extract::{Query, Request, State},
    http::{Method, Uri, header, request::Parts},
    response::{IntoResponse, Response},
    routing::get,
};
use serde::Deserialize;
use std::collections::BTreeMap;

const EXPORT: &str = "/admin/audit/export";

/// Mounts the export. It writes an audit event and requires reauthentication, so it is a POST. A GET redirects to the
/// page with the export button.
pub fn mount(router: Router<AppState>) -> Router<AppState> {
    router.route("/admin/audit/export", get(redirect_to_page).post(export))
}

/// The date range of the export, in the format of the page's filter.
#[derive(Clone, Default, Deserialize)]
struct DateRange {
    #[serde(default)]
    from: String,
    #[serde(default)]
    to: String,
}

impl DateRange {
    /// Returns the URL of the page with the export button, filtered by this date range.
    fn page_url(&self) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        for (name, day) in [("from", &self.from), ("to", &self.to)].into_iter().filter(|(_, day)| !day.is_empty()) {
            query.append_pair(name, day);
        }
        let query = query.finish();
        if query.is_empty() { "/admin/audit".to_owned() } else { format!("/admin/audit?{query}") }
    }
}

/// Whether the user is an administrator. Other users get a 404.
fn is_administrator(request: &Request) -> bool {
    let caller = request.extensions().get::<SessionContext>().and_then(|visit| visit.caller.as_ref());
    caller.is_some_and(|caller| is_allowed(caller.admin, AdminPermission::ReadLog))
}

async fn redirect_to_page(State(state): State<AppState>, request: Request) -> Response {
    if !is_administrator(&request) {
        return pages::not_found(State(state), request).await;
    }
    let days = Query::<DateRange>::try_from_uri(request.uri()).map(|Query(days)| days).unwrap_or_default();
    form_actions::see_other(&days.page_url())
}

/// Streams the log from the database as lines of JSON. On an error, renders the page with the message.
async fn export(State(state): State<AppState>, request: Request) -> Response {
    if request.extensions().get::<SessionContext>().is_none_or(|visit| visit.caller.is_none()) {
        return form_actions::see_other("/login?next=%2Fadmin%2Faudit%2Fexport");
    }
    let is_administrator = is_administrator(&request);
    let (mut parts, body) = request.into_parts();
    if !is_administrator {
        parts.method = Method::GET;
        return pages::not_found(State(state), Request::from_parts(parts, Body::empty())).await;
    }
    let mut days = DateRange::default();
    let answer = match form_actions::read_body(&parts, body).await {
        Ok(text) => {
            days = serde_qs::Config::new(5, false).deserialize_str(&text).unwrap_or_default();
            export_response(&state, &mut parts, &text, &days).await
        }
        Err(error) => Err(error),
    };
    match answer {
        Ok(response) => response,
        Err(error) => {
            parts.uri = Uri::try_from(days.page_url()).unwrap_or(Uri::from_static("/admin/audit"));
            let refusal = RejectedForm { path: EXPORT.to_owned(), error, values: BTreeMap::new(), is_draft: false };
            form_actions::render_rejected(state, parts, refusal).await
        }
    }
}

/// Returns the file. Checks the reauthentication of the form first, if it has one.
async fn export_response(
    state: &AppState,
    parts: &mut Parts,
    text: &str,
    days: &DateRange,
) -> Result<Response, AppError> {
    form_actions::check_reauthentication(state, parts, text).await?;
    let caller = parts.extensions.get::<SessionContext>().and_then(|visit| visit.caller.clone());
    let caller = caller.ok_or_else(|| context::to_app_error(Error::NotFound, None))?;
    let pieces = state.app.audit.export(&caller, &days.from, &days.to).await.map_err(|error| match error {
        // The page has no fields for the date range, so the message becomes a form error.
        Error::Invalid(fields) => {
            AppError::new(ErrorKind::Invalid, fields.into_iter().map(|it| it.message).next().unwrap_or_default())
        }
        error => context::to_app_error(error, caller.origin.request_id.as_deref()),
    })?;
    let day = rfc3339(state.app.context.now()).chars().take(10).collect::<String>();
    let name = format!("attachment; filename=\"keyward-audit-{day}.ndjson\"");
    let head = [(header::CONTENT_TYPE, "application/x-ndjson".to_owned()), (header::CONTENT_DISPOSITION, name)];
    Ok((head, Body::from_stream(pieces)).into_response())
}
