//! HTTP layer of the site on axum: the browser router, its middleware, and the bridge from Leptos to a caller.
//!
//! Nothing here uses SQL.

mod assets;
mod audit_export;
pub mod context;
mod cookies;
mod cross_origin_opener_policy;
mod csrf;
mod drafts;
mod error_page;
mod form_actions;
mod mfa_enrollment;
mod oidc;
mod pages;
mod request_middleware;
mod router;
mod server_functions;
mod sessions;
mod state;
mod static_page;
pub mod theme_cookie;

pub use form_actions::form_paths;
pub use pages::page_paths;
pub use router::{http_service, router};
pub use state::AppState;

pub use keyward_api::{key_json, project_json, routes};

pub use keyward_edge::{EdgeState, HttpService, Listeners, serve, set_database_location};
use keyward_edge::{body, client, failure, headers, problem, request_id, request_span, storage};
