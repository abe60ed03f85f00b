//! HTTP layer on axum: the browser router and the API router, their middleware, and the bridge from Leptos to a caller.
//!
//! Nothing here uses SQL.

mod assets;
mod audit;
pub mod context;
mod cookies;
mod drafts;
mod edge;
mod enrolment;
mod error_page;
mod etag;
mod form_table;
mod forms;
mod management;
mod oauth;
mod oidc;
mod openapi;
mod opener;
mod origin;
mod pages;
mod plain;
mod projects;
mod router;
pub mod routes;
mod sdk;
mod security_txt;
mod server_functions;
mod sessions;
mod state;
pub mod theme;
mod tokens;
mod unmet;

pub use forms::form_paths;
pub use management::{wire_key, wire_project};
pub use pages::page_paths;
pub use router::{router, site};
pub use state::AppState;

pub use keyward_edge::{EdgeState, Listeners, Site, name_database, serve};
use keyward_edge::{RESPONSE_TIME, bearer, body, client, headers, json, logged, problem, quota, request_id, storage};
