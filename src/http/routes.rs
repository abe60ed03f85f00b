//! The addresses of programs, in one table: the router is made of it, and so are the tests of who may what.

use super::{AppState, audit, keys, projects, tokens};
use axum::{
    http::Method,
    routing::{MethodRouter, get, post},
};

/// Who an address answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    Anyone,
    /// Whoever sends a key's secret.
    KeyHolder,
    /// Whoever sends a token of the project.
    TokenHolder,
}

/// An address of the program interfaces.
pub struct Route {
    pub method: Method,
    /// As axum writes it.
    pub path: &'static str,
    pub who: Who,
    /// Whether pages of other origins may call it (without credentials).
    pub cors: bool,
    pub(super) handler: fn() -> MethodRouter<AppState>,
}

/// All of them.
pub static ROUTES: [Route; 6] = [
    Route {
        method: Method::POST,
        path: "/authentication/token",
        who: Who::KeyHolder,
        cors: true,
        handler: || post(tokens::exchange),
    },
    Route {
        method: Method::POST,
        path: "/v1/keys/verify",
        who: Who::KeyHolder,
        cors: false,
        handler: || post(keys::verify),
    },
    Route {
        method: Method::GET,
        path: "/v1/projects/{id}/config",
        who: Who::TokenHolder,
        cors: true,
        handler: || get(projects::config),
    },
    Route {
        method: Method::GET,
        path: "/pops/{id}/config",
        who: Who::TokenHolder,
        cors: true,
        handler: || get(projects::config),
    },
    Route {
        method: Method::GET,
        path: "/.well-known/jwks.json",
        who: Who::Anyone,
        cors: true,
        handler: || get(tokens::jwks),
    },
    Route {
        method: Method::GET,
        path: "/.well-known/keyward-audit-keys.json",
        who: Who::Anyone,
        cors: false,
        handler: || get(audit::keys),
    },
];

/// The beginnings of paths that belong to programs: nothing under them reads a cookie or answers with a page.
pub const PREFIXES: [&str; 5] = ["/v1/", "/oauth/", "/authentication/", "/pops/", "/.well-known/"];
