//! Route table of the API. Both the router and the authorization tests are built from it.

use crate::{ApiState, audit_keys, management, oauth, openapi, project_config, sdk, security_txt, tokens};
use axum::{
    http::Method,
    routing::{MethodRouter, delete, get, patch, post},
};
use keyward_service::management_client::{READ_SCOPE, WRITE_SCOPE};
use tower_http::compression::CompressionLayer;

/// The callers that a route accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AllowedCaller {
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
    pub caller: AllowedCaller,
    /// Whether pages of other origins may call it (without credentials).
    pub cors: bool,
    /// `None` if the fast path serves it.
    pub(crate) handler: Option<fn() -> MethodRouter<ApiState>>,
}

/// Returns a route of the management API.
const fn management_route(
    method: Method,
    path: &'static str,
    scope: &'static str,
    handler: fn() -> MethodRouter<ApiState>,
) -> Route {
    Route {
        method,
        any_method: false,
        path,
        caller: AllowedCaller::Manager(scope),
        cors: false,
        handler: Some(handler),
    }
}

/// All routes.
pub static ROUTES: &[Route] = &[
    Route {
        method: Method::POST,
        any_method: false,
        path: "/authentication/token",
        caller: AllowedCaller::KeyHolder,
        cors: true,
        handler: Some(|| post(tokens::exchange)),
    },
    Route {
        method: Method::POST,
        any_method: false,
        path: "/v1/keys/verify",
        caller: AllowedCaller::KeyHolder,
        cors: false,
        handler: None,
    },
    Route {
        method: Method::POST,
        any_method: false,
        path: "/v1/keys/verify:batch",
        caller: AllowedCaller::KeyHolder,
        cors: false,
        handler: None,
    },
    Route {
        method: Method::GET,
        any_method: true,
        path: "/v1/auth",
        caller: AllowedCaller::KeyHolder,
        cors: false,
        handler: None,
    },
    Route {
        method: Method::GET,
        any_method: true,
        path: "/v1/auth/",
        caller: AllowedCaller::KeyHolder,
        cors: false,
        handler: None,
    },
    Route {
        method: Method::GET,
        any_method: true,
        path: "/v1/auth/{*rest}",
        caller: AllowedCaller::KeyHolder,
        cors: false,
        handler: None,
    },
    Route {
        method: Method::GET,
        any_method: false,
        path: "/v1/projects/{id}/config",
        caller: AllowedCaller::TokenHolder,
        cors: true,
        handler: Some(|| get(project_config::config)),
    },
    Route {
        method: Method::GET,
        any_method: false,
        path: "/pops/{id}/config",
        caller: AllowedCaller::TokenHolder,
        cors: true,
        handler: Some(|| get(project_config::config)),
    },
    Route {
        method: Method::GET,
        any_method: false,
        path: "/.well-known/jwks.json",
        caller: AllowedCaller::Anyone,
        cors: true,
        handler: Some(|| get(tokens::jwks)),
    },
    Route {
        method: Method::GET,
        any_method: false,
        path: "/.well-known/keyward-audit-keys.json",
        caller: AllowedCaller::Anyone,
        cors: false,
        handler: Some(|| get(audit_keys::jwk_set)),
    },
    Route {
        method: Method::GET,
        any_method: false,
        path: "/metrics",
        caller: AllowedCaller::Anyone,
        cors: false,
        handler: None,
    },
    Route {
        method: Method::GET,
        any_method: false,
        path: "/healthz",
        caller: AllowedCaller::Anyone,
        cors: false,
        handler: None,
    },
    Route {
        method: Method::GET,
        any_method: false,
        path: "/readyz",
        caller: AllowedCaller::Anyone,
        cors: false,
        handler: None,
    },
    Route {
        method: Method::POST,
        any_method: false,
        path: "/oauth/token",
        caller: AllowedCaller::KeyHolder,
        cors: true,
        handler: Some(|| post(oauth::token)),
    },
    Route {
        method: Method::POST,
        any_method: false,
        path: "/oauth/introspect",
        caller: AllowedCaller::KeyHolder,
        cors: false,
        handler: Some(|| post(oauth::introspect)),
    },
    Route {
        method: Method::POST,
        any_method: false,
        path: "/oauth/revoke",
        caller: AllowedCaller::KeyHolder,
        cors: true,
        handler: Some(|| post(oauth::revoke)),
    },
    Route {
        method: Method::GET,
        any_method: false,
        path: "/.well-known/oauth-authorization-server",
        caller: AllowedCaller::Anyone,
        cors: true,
        handler: Some(|| get(oauth::metadata)),
    },
    Route {
        method: Method::GET,
        any_method: false,
        path: "/.well-known/oauth-protected-resource",
        caller: AllowedCaller::Anyone,
        cors: true,
        handler: Some(|| get(oauth::protected_resource::server)),
    },
    Route {
        method: Method::GET,
        any_method: false,
        path: "/.well-known/oauth-protected-resource/v1",
        caller: AllowedCaller::Anyone,
        cors: true,
        handler: Some(|| get(oauth::protected_resource::management)),
    },
    Route {
        method: Method::GET,
        any_method: false,
        path: "/.well-known/oauth-protected-resource/projects/{id}",
        caller: AllowedCaller::Anyone,
        cors: true,
        handler: Some(|| get(oauth::protected_resource::project)),
    },
    Route {
        method: Method::GET,
        any_method: false,
        path: "/.well-known/security.txt",
        caller: AllowedCaller::Anyone,
        cors: false,
        handler: Some(|| get(security_txt::file)),
    },
    Route {
        method: Method::GET,
        any_method: false,
        path: "/.well-known/revoked-tokens",
        caller: AllowedCaller::Anyone,
        cors: false,
        handler: Some(|| get(oauth::revoked_tokens)),
    },
    Route {
        method: Method::POST,
        any_method: false,
        path: "/oauth/device_authorization",
        caller: AllowedCaller::Anyone,
        cors: false,
        handler: Some(|| post(oauth::device_authorization)),
    },
    management_route(Method::GET, "/v1/projects", READ_SCOPE, || get(management::projects::list::handle)),
    management_route(Method::GET, "/v1/projects/{id}", READ_SCOPE, || get(management::projects::read::handle)),
    management_route(Method::GET, "/v1/projects/{id}/keys", READ_SCOPE, || get(management::keys::list::handle)),
    management_route(Method::POST, "/v1/projects/{id}/keys", WRITE_SCOPE, || post(management::keys::create::handle)),
    management_route(Method::GET, "/v1/projects/{id}/keys/{key}", READ_SCOPE, || get(management::keys::read::handle)),
    management_route(Method::PATCH, "/v1/projects/{id}/keys/{key}", WRITE_SCOPE, || {
        patch(management::keys::edit::handle)
    }),
    management_route(Method::DELETE, "/v1/projects/{id}/keys/{key}", WRITE_SCOPE, || {
        delete(management::keys::state::delete)
    }),
    management_route(Method::POST, "/v1/projects/{id}/keys/{key}/deactivate", WRITE_SCOPE, || {
        post(management::keys::state::deactivate)
    }),
    management_route(Method::POST, "/v1/projects/{id}/keys/{key}/activate", WRITE_SCOPE, || {
        post(management::keys::state::activate)
    }),
    management_route(Method::POST, "/v1/projects/{id}/keys/{key}/restore", WRITE_SCOPE, || {
        post(management::keys::state::restore)
    }),
    Route {
        method: Method::GET,
        any_method: false,
        path: "/openapi.json",
        caller: AllowedCaller::Anyone,
        cors: true,
        handler: Some(|| get(openapi::document)),
    },
    Route {
        method: Method::GET,
        any_method: false,
        path: "/sdk/v1.js",
        caller: AllowedCaller::Anyone,
        cors: true,
        handler: Some(|| get(sdk::script).layer(CompressionLayer::new())),
    },
    Route {
        method: Method::GET,
        any_method: false,
        path: "/sdk/v1.d.ts",
        caller: AllowedCaller::Anyone,
        cors: true,
        handler: Some(|| get(sdk::types).layer(CompressionLayer::new())),
    },
];
