//! The axum edge: two routers, the layers around them, and the bridge from Leptos to a caller.
//!
//! Never here: SQL.

mod assets;
mod audit;
mod bearer;
mod body;
mod client;
pub mod context;
mod cookies;
mod drain;
mod edge;
mod enrolment;
mod error_page;
mod etag;
mod form_table;
mod forms;
mod front;
mod gateway;
mod health;
mod json;
mod listeners;
mod management;
mod metrics;
mod oauth;
mod oidc;
mod openapi;
mod opener;
mod origin;
mod pages;
mod plain;
mod problem;
mod projects;
mod quota;
mod refusal;
mod request_id;
mod router;
pub mod routes;
mod sdk;
pub mod serve;
mod server_functions;
mod sessions;
mod state;
mod storage;
pub mod theme;
mod timer;
mod tokens;
mod unmet;
mod verify;
mod wiped;

pub use forms::form_paths;
pub use front::Site;
pub use listeners::Listeners;
pub use management::{wire_key, wire_project};
pub use pages::page_paths;
pub use router::router;
pub use state::AppState;
