//! HTTP layer on axum: the browser router and the API router, their middleware, and the bridge from Leptos to a caller.
//!
//! Nothing here uses SQL.

mod assets;
mod audit;
pub mod context;
mod cookies;
mod cross_origin_opener_policy;
mod csrf;
mod drafts;
mod error_page;
mod etag;
mod fallback;
mod form_actions;
mod form_table;
mod management;
mod mfa_enrollment;
mod oauth;
mod oidc;
mod openapi;
mod pages;
mod projects;
mod request_middleware;
mod router;
pub mod routes;
mod sdk;
mod security_txt;
mod server_functions;
mod sessions;
mod state;
mod static_page;
pub mod theme_cookie;
mod tokens;

pub use form_actions::form_paths;
pub use management::{key_json, project_json};
pub use pages::page_paths;
pub use router::{http_service, router};
pub use state::AppState;

pub use keyward_edge::{EdgeState, HttpService, Listeners, serve, set_database_location};
use keyward_edge::{
    RESPONSE_TIME, bearer, body, client, headers, json, logged, problem, rate_limit_headers, request_id, storage,
};
