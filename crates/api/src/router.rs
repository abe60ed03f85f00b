//! The router of the API. It never reads a cookie.

use crate::{ApiState, oauth, routes::ROUTES};
use axum::{
    Router,
    http::{Method, header},
    middleware,
};
use keyward_edge::{fallback, request_limits::with_limits};
use std::time::Duration;
use tower_http::cors::{Any as AnyOrigin, CorsLayer};

/// Maximum size of a body on an API route, in bytes.
pub const BODY_MAX: usize = 64 * 1024;

/// Returns the router of all API routes, except those that the fast path serves.
pub fn router(state: ApiState) -> Router {
    let cors = CorsLayer::new()
        .allow_origin(AnyOrigin)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE, header::ACCEPT])
        .max_age(Duration::from_secs(600));
    let (mut own, mut shared) = (Router::new(), Router::new());
    for route in ROUTES {
        // Served by the fast path.
        let Some(handler) = route.handler else { continue };
        let router = if route.cors { &mut shared } else { &mut own };
        *router = std::mem::take(router).route(route.path, handler());
    }
    // Outside of the limits, so that a page of another origin can read their error responses, too.
    let shared = with_limits(shared, BODY_MAX).layer(cors);
    let announce = middleware::from_fn_with_state(state.clone(), oauth::protected_resource::add_resource_metadata);
    with_limits(own, BODY_MAX)
        .merge(shared)
        .layer(announce)
        .layer(middleware::from_fn(fallback::fill_error_bodies))
        .with_state(state)
}
