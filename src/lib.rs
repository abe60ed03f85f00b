//! Keyward: self-hosted API keys for a product that has an API.
//!
//! One crate for two targets. `ssr` is the server binary, `hydrate` the library that runs in the browser; never both. All cfg
//! gates on modules stand here. Who may import whom (an arrow back fails `tests/architecture.rs`):
//!
//! ```text
//! app -> features -> ui -> domain
//!        features/*/api -> http::context -> service -> store -> domain
//! cli -> http, service, store        config -> store        secret: imported by every room of the server, imports none
//! ```

// In the browser the bindings' own macro writes some; no line of ours does on either target.
#![cfg_attr(feature = "ssr", forbid(unsafe_code))]
#![warn(clippy::unwrap_used, clippy::expect_used)]

pub mod app;
pub mod domain;
pub mod error;
pub mod features;
pub mod ui;

#[cfg(feature = "ssr")]
pub mod cli;
#[cfg(feature = "ssr")]
pub mod config;
#[cfg(feature = "ssr")]
pub mod http;
#[cfg(feature = "ssr")]
pub mod secret;
#[cfg(feature = "ssr")]
pub mod service;
#[cfg(feature = "ssr")]
pub mod store;

/// Takes over the page that the server has drawn.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_body(app::App);
}
