//! Route table of the API. Both the router and the authorization tests are built from it.

use super::{AppState, audit, management, oauth, openapi, projects, sdk, security_txt, tokens};
use crate::service::program::{READ, WRITE};
use axum::{
    http::Method,
    routing::{MethodRouter, delete, get, patch, post},
};
use tower_http::compression::CompressionLayer;

/// The callers that a route accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    Anyone,
    /// A caller with a key's secret.
    KeyHolder,
    /// A caller with an access token of the project.
    TokenHolder,
    /// A management client with a token of this scope.
    Manager(&'static str),
}

/// A route of the API.
pub struct Route {
    pub method: Method,
    /// Whether the route accepts every other method, too: the gateway forwards the method of its client.
    pub any_method: bool,
    /// The path in axum syntax.
    pub path: &'static str,
    pub who: Who,
    /// Whether pages of other origins may call it (without credentials).
    pub cors: bool,
    /// `None` if the fast path serves it.
    pub(super) handler: Option<fn() -> MethodRouter<AppState>>,
}

/// Returns a route of the management API.
const fn managed(
    method: Method,
    path: &'static str,
    scope: &'static str,
    handler: fn() -> MethodRouter<AppState>,
) -> Route {
    Route { method, any_method: false, path, who: Who::Manager(scope), cors: false, handler: Some(handler) }
}

/// All routes.
pub static ROUTES: &[Route] = &[
    Route {
        method: Method::POST,
        any_method: false,
        path: "/authentication/token",
        who: Who::KeyHolder,
        cors: true,
        handler: Some(|| post(tokens::exchange)),
    },
    Route {
        method: Method::POST,
        any_method: false,
        path: "/v1/keys/verify",
        who: Who::KeyHolder,
        cors: false,
        handler: None,
    },
    Route {
        method: Method::POST,
        any_method: false,
        path: "/v1/keys/verify:batch",
        who: Who::KeyHolder,
        cors: false,
        handler: None,
    },
    Route { method: Method::GET, any_method: true, path: "/v1/auth", who: Who::KeyHolder, cors: false, handler: None },
    Route { method: Method::GET, any_method: true, path: "/v1/auth/", who: Who::KeyHolder, cors: false, handler: None },
    Route {
        method: Method::GET,
        any_method: true,
        path: "/v1/auth/{*rest}",
        who: Who::KeyHolder,
        cors: false,
        handler: None,
    },
    Route {
        method: Method::GET,
        any_method: false,
        path: "/v1/projects/{id}/config",
        who: Who::TokenHolder,
        cors: true,
        handler: Some(|| get(projects::config)),
    },
    Route {
        method: Method::GET,
        any_method: false,
        path: "/pops/{id}/config",
        who: Who::TokenHolder,
        cors: true,
        handler: Some(|| get(projects::config)),
    },
    Route {
        method: Method::GET,
        any_method: false,
        path: "/.well-known/jwks.json",
        who: Who::Anyone,
        cors: true,
        handler: Some(|| get(tokens::jwks)),
    },
    Route {
        method: Method::GET,
        any_method: false,
        path: "/.well-known/keyward-audit-keys.json",
        who: Who::Anyone,
        cors: false,
        handler: Some(|| get(audit::keys)),
    },
    Route { method: Method::GET, any_method: false, path: "/metrics", who: Who::Anyone, cors: false, handler: None },
    Route { method: Method::GET, any_method: false, path: "/healthz", who: Who::Anyone, cors: false, handler: None },
    Route { method: Method::GET, any_method: false, path: "/readyz", who: Who::Anyone, cors: false, handler: None },
    Route {
        method: Method::POST,
        any_method: false,
        path: "/oauth/token",
        who: Who::KeyHolder,
        cors: true,
        handler: Some(|| post(oauth::token)),
    },
    Route {
        method: Method::POST,
        any_method: false,
        path: "/oauth/introspect",
        who: Who::KeyHolder,
        cors: false,
        handler: Some(|| post(oauth::introspect)),
    },
    Route {
        method: Method::POST,
        any_method: false,
        path: "/oauth/revoke",
        who: Who::KeyHolder,
        cors: true,
        handler: Some(|| post(oauth::revoke)),
    },
    Route {
        method: Method::GET,
        any_method: false,
        path: "/.well-known/oauth-authorization-server",
        who: Who::Anyone,
        cors: true,
        handler: Some(|| get(oauth::metadata)),
    },
    Route {
        method: Method::GET,
        any_method: false,
        path: "/.well-known/oauth-protected-resource",
        who: Who::Anyone,
        cors: true,
        handler: Some(|| get(oauth::protected_resource::whole)),
    },
    Route {
        method: Method::GET,
        any_method: false,
        path: "/.well-known/oauth-protected-resource/v1",
        who: Who::Anyone,
        cors: true,
        handler: Some(|| get(oauth::protected_resource::management)),
    },
    Route {
        method: Method::GET,
        any_method: false,
        path: "/.well-known/oauth-protected-resource/projects/{id}",
        who: Who::Anyone,
        cors: true,
        handler: Some(|| get(oauth::protected_resource::project)),
    },
    Route {
        method: Method::GET,
        any_method: false,
        path: "/.well-known/security.txt",
        who: Who::Anyone,
        cors: false,
        handler: Some(|| get(security_txt::file)),
    },
    Route {
        method: Method::GET,
        any_method: false,
        path: "/.well-known/revoked-tokens",
        who: Who::Anyone,
        cors: false,
        handler: Some(|| get(oauth::revoked_tokens)),
    },
    Route {
        method: Method::POST,
        any_method: false,
        path: "/oauth/device_authorization",
        who: Who::Anyone,
        cors: false,
        handler: Some(|| post(oauth::device_authorization)),
    },
    managed(Method::GET, "/v1/projects", READ, || get(management::projects::list::handle)),
    managed(Method::GET, "/v1/projects/{id}", READ, || get(management::projects::read::handle)),
    managed(Method::GET, "/v1/projects/{id}/keys", READ, || get(management::keys::list::handle)),
    managed(Method::POST, "/v1/projects/{id}/keys", WRITE, || post(management::keys::create::handle)),
    managed(Method::GET, "/v1/projects/{id}/keys/{key}", READ, || get(management::keys::read::handle)),
    managed(Method::PATCH, "/v1/projects/{id}/keys/{key}", WRITE, || patch(management::keys::edit::handle)),
    managed(Method::DELETE, "/v1/projects/{id}/keys/{key}", WRITE, || delete(management::keys::state::delete)),
    managed(Method::POST, "/v1/projects/{id}/keys/{key}/deactivate", WRITE, || {
        post(management::keys::state::deactivate)
    }),
    managed(Method::POST, "/v1/projects/{id}/keys/{key}/activate", WRITE, || post(management::keys::state::activate)),
    managed(Method::POST, "/v1/projects/{id}/keys/{key}/restore", WRITE, || post(management::keys::state::restore)),
    Route {
        method: Method::GET,
        any_method: false,
        path: "/openapi.json",
        who: Who::Anyone,
        cors: true,
        handler: Some(|| get(openapi::document)),
    },
    Route {
        method: Method::GET,
        any_method: false,
        path: "/sdk/v1.js",
        who: Who::Anyone,
        cors: true,
        handler: Some(|| get(sdk::script).layer(CompressionLayer::new())),
    },
    Route {
        method: Method::GET,
        any_method: false,
        path: "/sdk/v1.d.ts",
        who: Who::Anyone,
        cors: true,
        handler: Some(|| get(sdk::types).layer(CompressionLayer::new())),
    },
];

/// Path prefixes of the API. Nothing under them reads a cookie or responds with a page.
pub const PREFIXES: [&str; 6] = ["/v1/", "/oauth/", "/authentication/", "/pops/", "/sdk/", "/.well-known/"];
