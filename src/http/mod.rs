//! The axum edge: two routers, the layers around them, and the bridge from Leptos to a caller.
//!
//! Never here: SQL.

mod assets;
pub mod context;
mod edge;
mod error_page;
mod forms;
mod json;
mod keys;
mod origin;
mod pages;
mod problem;
mod projects;
mod router;
pub mod routes;
pub mod serve;
mod sessions;
mod state;
mod tokens;

pub use router::router;
pub use state::AppState;
