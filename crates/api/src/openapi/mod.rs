//! OpenAPI document: `/openapi.json` (OpenAPI 3.1), and its HTML rendering at `/docs/api`.
//!
//! A test generates the document from the route table, the types of requests and responses, and a description per
//! operation, and compares it with the embedded file, so the server does not contain the generator.
//! `tests/all/openapi.rs` sends what the document allows and forbids, and validates the responses against it.

mod page;
mod samples;

#[cfg(test)]
mod document;
#[cfg(test)]
mod operations;
#[cfg(test)]
mod schemas;

pub use page::page;

use axum::{
    http::header,
    response::{IntoResponse, Response},
};

/// The generated document. `KEYWARD_WRITE_OPENAPI=1 cargo test --lib openapi` regenerates it.
const DOCUMENT: &str = include_str!("openapi.json");

/// `GET /openapi.json`: returns the document.
pub async fn document() -> Response {
    let heads = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "public, max-age=300")];
    (heads, DOCUMENT).into_response()
}
