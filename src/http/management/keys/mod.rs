//! `/v1/projects/{id}/keys`, and a key there.

pub mod create;
pub mod edit;
pub mod list;
pub mod read;
pub mod state;

use super::{NO_STORE, etag, wire::Key};
use crate::domain::key::KeyView;
use axum::{
    Json,
    http::header,
    response::{IntoResponse, Response},
};

/// A key as it is now, with the tag of its state.
fn shown(key: KeyView) -> Response {
    let tag = etag::of(key.version);
    ([NO_STORE], [(header::ETAG, tag)], Json(Key::from(key))).into_response()
}
