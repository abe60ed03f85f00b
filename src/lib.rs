//! Keyward: self-hosted API keys for a product that has an API.
//!
//! One crate for two targets. `ssr` is the server binary, `hydrate` the library that runs in the browser; never both. The server
//! draws every page; the browser wakes its islands and keeps the page alive (`live`). cfg gates stand on modules, here and in the
//! heads of `features` and `ui`. Who may import whom (an arrow back fails `tests/all/architecture.rs`):
//!
//! ```text
//! app -> features -> islands -> ui -> domain                    live: imports none of ours
//!        features/*/api -> http::context -> service -> store -> domain
//! cli -> http, service, store        config -> store        secret, log_limit: imported by every room of the server, import none
//! ```

// In the browser the bindings' own macro writes some; no line of ours does on either target.
#![cfg_attr(feature = "ssr", forbid(unsafe_code))]
#![warn(clippy::unwrap_used, clippy::expect_used)]
// A command prints with `cli::output`, which does not panic; a server with `line_writer`, which does not block.
#![warn(clippy::print_stderr, clippy::print_stdout)]

pub mod domain;
pub mod error;
pub mod features;
pub mod islands;
pub mod ui;

#[cfg(feature = "hydrate")]
mod live;

#[cfg(feature = "ssr")]
pub mod app;
#[cfg(feature = "ssr")]
pub mod cli;
#[cfg(feature = "ssr")]
pub mod config;
#[cfg(feature = "ssr")]
pub mod http;
#[cfg(feature = "ssr")]
pub mod line_writer;
#[cfg(feature = "ssr")]
pub mod log_limit;
#[cfg(feature = "ssr")]
pub mod secret;
#[cfg(feature = "ssr")]
pub mod service;
#[cfg(feature = "ssr")]
pub mod store;

/// Wakes the islands of the page that the server has drawn, and keeps the page alive.
#[cfg(feature = "hydrate")]
pub fn hydrate() {
    leptos::mount::hydrate_islands();
    live::start();
}
