//! Keyward: self-hosted API keys for a product that has an API.
//!
//! This crate is the server: pages, HTTP interfaces, and commands. It uses the crates in `crates/` and re-exports them
//! under short names.

#![forbid(unsafe_code)]
#![warn(clippy::unwrap_used, clippy::expect_used)]
// A command prints through `cli::output`, which does not panic. A server writes through `line_writer`, which does not
// block.
#![warn(clippy::print_stderr, clippy::print_stdout)]

pub use keyward_config as config;
pub use keyward_domain::{self as domain, secret};
pub use keyward_edge::line_writer;
pub use keyward_service as service;
pub use keyward_store::{self as store, log_limit};
pub use keyward_ui::{self as ui, error, islands};

pub mod app;
pub mod cli;
pub mod features;
pub mod http;
pub mod response_status;
