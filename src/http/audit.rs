//! The audit log for programs and for other machines: its public keys, and the export.

use super::{AppState, context, forms, pages, problem::Problem, sessions::Visit};
use crate::{
    error::{AppError, ErrorKind, Refusal},
    service::{
        App, Error,
        can::{Power, has},
        moments::rfc3339,
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

/// The public halves of the keys that sign checkpoints, as a JWK set: to be fetched once, and kept elsewhere.
pub async fn keys(State(app): State<App>) -> Result<Response, Problem> {
    Ok(([(header::CACHE_CONTROL, "public, max-age=300")], axum::Json(app.audit.jwks().await?)).into_response())
}

/// The export. It writes an audit event and asks for reauthentication, so it is a POST; a GET leads to the page with its button.
pub fn mount(router: Router<AppState>) -> Router<AppState> {
    router.route("/admin/audit/export", get(lead).post(export))
}

/// The days that are asked for, as the page's filter has them.
#[derive(Clone, Default, Deserialize)]
struct Days {
    #[serde(default)]
    from: String,
    #[serde(default)]
    to: String,
}

impl Days {
    /// The page with the button, filtered by these days.
    fn page(&self) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        for (name, day) in [("from", &self.from), ("to", &self.to)].into_iter().filter(|(_, day)| !day.is_empty()) {
            query.append_pair(name, day);
        }
        let query = query.finish();
        if query.is_empty() { "/admin/audit".to_owned() } else { format!("/admin/audit?{query}") }
    }
}

/// Whether the user is an administrator; to others there is no such page.
fn is_administrator(request: &Request) -> bool {
    let caller = request.extensions().get::<Visit>().and_then(|visit| visit.caller.as_ref());
    caller.is_some_and(|caller| has(caller.admin, Power::ReadLog))
}

async fn lead(State(state): State<AppState>, request: Request) -> Response {
    if !is_administrator(&request) {
        return pages::missing(State(state), request).await;
    }
    let days = Query::<Days>::try_from_uri(request.uri()).map(|Query(days)| days).unwrap_or_default();
    forms::see(&days.page())
}

/// The log as lines of JSON, as they are read from the database; with an error, the page again.
async fn export(State(state): State<AppState>, request: Request) -> Response {
    if request.extensions().get::<Visit>().is_none_or(|visit| visit.caller.is_none()) {
        return forms::see("/login?next=%2Fadmin%2Faudit%2Fexport");
    }
    let is_administrator = is_administrator(&request);
    let (mut parts, body) = request.into_parts();
    if !is_administrator {
        parts.method = Method::GET;
        return pages::missing(State(state), Request::from_parts(parts, Body::empty())).await;
    }
    let mut days = Days::default();
    let answer = match forms::read(&parts, body).await {
        Ok(text) => {
            days = serde_qs::Config::new(5, false).deserialize_str(&text).unwrap_or_default();
            file(&state, &mut parts, &text, &days).await
        }
        Err(error) => Err(error),
    };
    match answer {
        Ok(response) => response,
        Err(error) => {
            parts.uri = Uri::try_from(days.page()).unwrap_or(Uri::from_static("/admin/audit"));
            let refusal = Refusal { path: EXPORT.to_owned(), error, values: BTreeMap::new(), is_draft: false };
            forms::refuse(state, parts, refusal).await
        }
    }
}

/// The file, after the proof of the form, if there is one, was checked.
async fn file(state: &AppState, parts: &mut Parts, text: &str, days: &Days) -> Result<Response, AppError> {
    forms::take_proof(state, parts, text).await?;
    let caller = parts.extensions.get::<Visit>().and_then(|visit| visit.caller.clone());
    let caller = caller.ok_or_else(|| context::explain(Error::NotFound))?;
    let pieces = state.app.audit.export(&caller, &days.from, &days.to).await.map_err(|error| match error {
        // The page has no fields for the days.
        Error::Invalid(fields) => {
            AppError::new(ErrorKind::Invalid, fields.into_iter().map(|it| it.message).next().unwrap_or_default())
        }
        error => context::explain(error),
    })?;
    let day = rfc3339(state.app.ground.now()).chars().take(10).collect::<String>();
    let name = format!("attachment; filename=\"keyward-audit-{day}.ndjson\"");
    let head = [(header::CONTENT_TYPE, "application/x-ndjson".to_owned()), (header::CONTENT_DISPOSITION, name)];
    Ok((head, Body::from_stream(pieces)).into_response())
}
