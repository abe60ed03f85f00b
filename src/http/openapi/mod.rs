//! What this Keyward says of itself to programs: `/openapi.json` (OpenAPI 3.1), and the same to be read by people at `/docs/api`.
//!
//! The document is made of the route table, of the types that are sent and answered, and of a sentence for each operation: by a test,
//! which compares it with the file that is served, so that the server itself need not know how. `tests/all/openapi.rs` sends what it
//! promises and what it forbids, and holds the answers against it.

mod page;
mod samples;

#[cfg(test)]
mod made;
#[cfg(test)]
mod operations;
#[cfg(test)]
mod schemas;

pub use page::page;

use axum::{
    http::header,
    response::{IntoResponse, Response},
};

/// The document, as it was made. A newer one is written by `KEYWARD_WRITE_OPENAPI=1 cargo test --features ssr --lib openapi`.
const DOCUMENT: &str = include_str!("openapi.json");

/// `GET /openapi.json`.
pub async fn document() -> Response {
    let heads = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "public, max-age=300")];
    (heads, DOCUMENT).into_response()
}
