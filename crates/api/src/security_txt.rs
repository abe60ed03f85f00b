//! `GET /.well-known/security.txt` (RFC 9116): where to report a vulnerability of this Keyward instance.

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use keyward_domain::time::DAY;
use keyward_edge::problem::{Problem, default_for_status};
use keyward_service::{Services, time_format};

/// Seconds until the file expires: RFC 9116 section 2.5.5 recommends less than a year. Computed for each response,
/// because the setting can change with each start.
const VALIDITY: i64 = 90 * DAY;

/// Returns the file.
///
/// # Errors
/// 404 if the settings have no contact.
pub async fn file(State(app): State<Services>) -> Result<Response, Problem> {
    let Some(contact) = &app.config.security_contact else {
        let (code, detail) = default_for_status(StatusCode::NOT_FOUND);
        return Err(Problem::new(StatusCode::NOT_FOUND, code, detail));
    };
    let expires = time_format::rfc3339(app.context.now().plus_seconds(VALIDITY));
    let url = &app.config.public_url;
    let text = format!("Contact: {contact}\nExpires: {expires}\nCanonical: {url}/.well-known/security.txt\n");
    let heads = [(header::CONTENT_TYPE, "text/plain; charset=utf-8"), (header::CACHE_CONTROL, "public, max-age=300")];
    Ok((heads, text).into_response())
}
