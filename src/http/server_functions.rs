//! Server functions: the routes under `/api` that the page's scripts call.

use super::{AppState, pages};
use axum::{
    Router,
    extract::{Request, State},
    response::{IntoResponse as _, Response},
    routing::{MethodFilter, on},
};
use leptos::server_fn::axum::server_fn_paths;
use leptos_axum::handle_server_fns_with_context;

/// Mounts all server functions, each with the method that it declares.
pub fn mount(router: Router<AppState>) -> Router<AppState> {
    server_fn_paths().fold(router, |router, (path, method)| {
        // Every method that `#[server]` can declare has a filter.
        let filter = MethodFilter::try_from(method).unwrap_or(MethodFilter::POST);
        router.route(path, on(filter, call))
    })
}

async fn call(State(state): State<AppState>, request: Request) -> Response {
    handle_server_fns_with_context(move || pages::provide(&state), request).await.into_response()
}
