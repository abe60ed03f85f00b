//! Server functions: the routes under `/api` that islands call.

use super::{
    AppState, form_actions, pages,
    problem::{Problem, default_for_status},
};
use crate::ui::api;
use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::StatusCode,
    response::{IntoResponse as _, Response},
    routing::post,
};
use leptos_axum::handle_server_fns_with_context;

/// Mounts the server functions that are called from the browser. Leptos finds each function by its path.
pub fn mount(router: Router<AppState>) -> Router<AppState> {
    api::ALL.into_iter().fold(router, |router, path| router.route(path, post(call)))
}

async fn call(State(state): State<AppState>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    // The layers around this handler limit the length of the body.
    let bytes = match axum::body::to_bytes(body, usize::MAX).await {
        Ok(bytes) => bytes,
        Err(error) => {
            let is_too_long = form_actions::is_too_long(&error);
            let status = if is_too_long { StatusCode::PAYLOAD_TOO_LARGE } else { StatusCode::BAD_REQUEST };
            let (code, words) = default_for_status(status);
            return Problem::new(status, code, words).into_response();
        }
    };
    if let Err(words) = form_actions::check(&bytes) {
        return Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", words).into_response();
    }
    let request = Request::from_parts(parts, Body::from(bytes));
    handle_server_fns_with_context(move || pages::provide(&state), request).await.into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::keys::api::{KeyCalled, SayExpiry, SayNotBefore};
    use axum::http::Method;
    use leptos::server_fn::{ServerFn, axum::server_fn_paths};

    #[test]
    fn islands_call_the_paths_of_the_server_functions() {
        assert_eq!(api::EXPIRY_PREVIEW, SayExpiry::PATH);
        assert_eq!(api::NOT_BEFORE_PREVIEW, SayNotBefore::PATH);
        assert_eq!(api::FIRST_USE, KeyCalled::PATH);
    }

    /// Each server function is mounted, and each mounted path has a server function.
    #[test]
    fn all_server_functions_are_mounted() {
        let mut functions: Vec<_> = server_fn_paths().collect();
        functions.sort_unstable_by_key(|(path, _)| *path);
        let mut mounted = api::ALL.map(|path| (path, Method::POST));
        mounted.sort_unstable_by_key(|(path, _)| *path);
        assert_eq!(functions, mounted);
    }
}
