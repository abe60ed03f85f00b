//! The HTTP edge of Keyward: listener, timeouts, and the hot path (verify, batch verify, gateway, health, metrics), with what all
//! interfaces share: problem documents, client addresses, request ids, response headers.

#![forbid(unsafe_code)]
#![warn(clippy::unwrap_used, clippy::expect_used)]
// A server writes with `line_writer`, which does not block.
#![warn(clippy::print_stderr, clippy::print_stdout)]

pub mod bearer;
pub mod body;
pub mod client;
mod connection;
mod front;
mod gateway;
pub mod headers;
mod health;
pub mod json;
pub mod line_writer;
mod listeners;
pub mod logged;
mod metrics;
pub mod problem;
pub mod quota;
mod refusal;
pub mod request_id;
pub mod serve;
mod state;
pub mod storage;
mod timer;
mod verify;
mod wiped;

pub use front::{RESPONSE_TIME, Site};
pub use listeners::Listeners;
pub use refusal::invalid_params;
pub use state::EdgeState;
pub use storage::name_database;
