//! MFA enrollment: a user who must have a second factor, and has none, sets it up before all other actions.

use super::{
    AppState, drafts,
    form_actions::{self, see_other},
};
use crate::{
    error::{AppError, ErrorKind},
    features::form_route,
};
use axum::{
    body::Body,
    extract::{MatchedPath, Request},
    http::{HeaderValue, StatusCode, header},
    response::Response,
};

/// Page that turns the second factor on.
const PAGE: &str = "/settings/security/second-factor";
/// Paths that stay available: that page, whose form posts to the same path, and sign-out.
const ALLOWED_PATHS: [&str; 2] = [PAGE, "/logout"];

/// Returns whether a path is available before the second factor is set up.
pub fn is_allowed_path(path: &str) -> bool {
    ALLOWED_PATHS.contains(&path.trim_end_matches('/'))
}

/// Redirects to the enrollment page, which then redirects to the requested page. The values of a submitted form are
/// saved as a draft. An island receives 403 with the reason.
pub async fn redirect_to_enrollment(state: &AppState, request: Request) -> Response {
    if request.uri().path().starts_with("/api/") {
        let words = "The policy requires two-factor authentication. Set it up to continue.";
        let error = AppError::new(ErrorKind::Forbidden, words);
        let mut response = Response::new(Body::from(serde_json::to_vec(&error).unwrap_or_default()));
        *response.status_mut() = StatusCode::FORBIDDEN;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        return response;
    }
    let here = request.uri().path_and_query().map_or("/", |it| it.as_str()).to_owned();
    if !request.method().is_safe() {
        let Some(cookie) = save_draft(state, request).await else { return see_other(PAGE) };
        let mut response = see_other(&enrollment_url(&here));
        response.headers_mut().append(header::SET_COOKIE, cookie);
        return response;
    }
    if matches!(here.as_str(), "/" | "/keys") { see_other(PAGE) } else { see_other(&enrollment_url(&here)) }
}

/// Returns the URL of the enrollment page that redirects to `next` afterwards. `next` is a path of this server.
fn enrollment_url(next: &str) -> String {
    let next: String = url::form_urlencoded::byte_serialize(next.as_bytes()).collect();
    format!("{PAGE}?next={next}")
}

/// Saves the values of a submitted form as a draft. Returns the cookie that restores it.
async fn save_draft(state: &AppState, request: Request) -> Option<HeaderValue> {
    let (parts, body) = request.into_parts();
    let text = form_actions::read_body(&parts, body).await.ok()?;
    let form = parts.extensions.get::<MatchedPath>().and_then(|path| form_route(path.as_str()));
    let mark = drafts::submitted_mark(&text).filter(|_| form.is_none_or(|form| form.has_draft));
    let values = form_actions::submitted_values(&text);
    drafts::save(state, drafts::client_ip(&parts.extensions), mark.as_deref(), parts.uri.path(), &values).await
}
