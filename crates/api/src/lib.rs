//! HTTP interfaces for programs: OAuth endpoints, token exchange, management API, OpenAPI document and its page, and the
//! browser SDK.
//!
//! Verify and the gateway are in the fast path of `keyward_edge`. Nothing here reads a cookie.

#![forbid(unsafe_code)]
#![warn(clippy::unwrap_used, clippy::expect_used)]
// A server writes through `line_writer`, which never blocks.
#![warn(clippy::print_stderr, clippy::print_stdout)]

mod audit_keys;
mod etag;
mod management;
mod oauth;
pub mod openapi;
mod project_config;
mod router;
pub mod routes;
mod sdk;
mod security_txt;
mod state;
mod tokens;

pub use management::{key_json, project_json};
pub use router::router;
pub use state::{ApiState, DocumentLayout};
