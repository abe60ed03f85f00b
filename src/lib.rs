//! Keyward: self-hosted API keys for a product that has an API.
//!
//! This crate is the program: commands, settings, and the start of the server. The rest is in `crates/`, which this crate
//! re-exports under short names.

#![forbid(unsafe_code)]
#![warn(clippy::unwrap_used, clippy::expect_used)]
// A command prints through `cli::output`, which does not panic. A server writes through `line_writer`, which does not
// block.
#![warn(clippy::print_stderr, clippy::print_stdout)]

pub use keyward_config as config;
pub use keyward_domain as domain;
pub use keyward_edge::line_writer;
pub use keyward_service as service;
pub use keyward_store as store;
pub use keyward_web::{features, http};

pub mod cli;
