//! HTTP edge of Keyward: the listener, timeouts, and the fast path (verify, batch verify, gateway, health, metrics).
//!
//! The crate also contains the parts that all HTTP interfaces share: problem documents, client addresses, request ids,
//! and response headers.

#![forbid(unsafe_code)]
#![warn(clippy::unwrap_used, clippy::expect_used)]
// A server writes through `line_writer`, which never blocks.
#![warn(clippy::print_stderr, clippy::print_stdout)]

pub mod bearer;
pub mod body;
pub mod client;
mod connection;
pub mod failure;
pub mod fallback;
mod fast_path;
mod gateway;
pub mod headers;
mod health;
pub mod json;
pub mod line_writer;
mod listeners;
pub mod logged;
mod metrics;
pub mod oauth_error;
pub mod problem;
mod problem_from_error;
pub mod rate_limit_headers;
pub mod request_id;
pub mod request_limits;
pub mod request_span;
pub mod serve;
mod state;
pub mod storage;
mod timer;
mod verify;
mod zeroizing_string;

pub use fast_path::{HttpService, RESPONSE_TIME};
pub use keyward_store::log_limit::LogLimit;
pub use listeners::Listeners;
pub use problem_from_error::{invalid_params, status_of};
pub use state::EdgeState;
pub use storage::set_database_location;
