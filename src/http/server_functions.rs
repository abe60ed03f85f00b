//! Server functions: the routes under `/api` that the page's scripts call.

use super::{
    AppState, forms, pages,
    problem::{Problem, of_status},
};
use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::StatusCode,
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
    let (parts, body) = request.into_parts();
    // The layers around it bound its length.
    let bytes = match axum::body::to_bytes(body, usize::MAX).await {
        Ok(bytes) => bytes,
        Err(error) => {
            let is_too_long = forms::is_too_long(&error);
            let status = if is_too_long { StatusCode::PAYLOAD_TOO_LARGE } else { StatusCode::BAD_REQUEST };
            let (code, words) = of_status(status);
            return Problem::new(status, code, words).into_response();
        }
    };
    if let Err(words) = forms::check(&bytes) {
        return Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", words).into_response();
    }
    let request = Request::from_parts(parts, Body::from(bytes));
    handle_server_fns_with_context(move || pages::provide(&state), request).await.into_response()
}
