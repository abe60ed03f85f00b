//! `/v1/projects/{id}/keys` and `/v1/projects/{id}/keys/{key}`.

pub mod create;
pub mod edit;
pub mod list;
pub mod read;
pub mod state;

use super::{NO_STORE, etag, schema};
use axum::{
    Json,
    http::header,
    response::{IntoResponse, Response},
};
use keyward_domain::key::Key;

/// Returns the response with a key and the `ETag` of its version.
fn key_response(key: Key) -> Response {
    let tag = etag::from_version(key.version);
    ([NO_STORE], [(header::ETAG, tag)], Json(schema::Key::from(key))).into_response()
}
