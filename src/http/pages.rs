//! Drawing pages with Leptos.

use super::{AppState, cookies, theme};
use crate::{app, features::keys::Live};
use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    response::Response,
};
use leptos::{
    nonce::use_nonce,
    prelude::{provide_context, use_context, with_context},
};
use leptos_axum::ResponseOptions;

/// What every page and server function finds in its context. A page gets its content security policy here, where its nonce is
/// known.
pub fn provide(state: &AppState) {
    provide_context(state.clone());
    provide_context(theme::theme());
    let font =
        with_context::<Parts, _>(|parts| cookies::value(&parts.headers, app::FONT_COOKIE).map(ToOwned::to_owned));
    if let Some(font) = font.flatten() {
        provide_context(app::HasFont(font));
    }
    if with_context::<Parts, _>(|parts| is_live(&parts.headers)).unwrap_or_default() {
        provide_context(Live);
    }
    let (Some(nonce), Some(options)) = (use_nonce(), use_context::<ResponseOptions>()) else { return };
    // Under `make dev` the page also listens to the watcher, which says when to load anew.
    let reload = match cfg!(debug_assertions) && std::env::var_os("LEPTOS_WATCH").is_some() {
        true => format!(" ws://127.0.0.1:{}", state.leptos.reload_port),
        false => String::new(),
    };
    let csp = format!(
        "default-src 'none'; script-src 'nonce-{nonce}' 'strict-dynamic' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self'; \
         font-src 'self'; connect-src 'self'{reload}; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    );
    if let Ok(csp) = HeaderValue::from_str(&csp) {
        options.insert_header(header::CONTENT_SECURITY_POLICY, csp);
    }
}

/// Whether a page that is alive in the browser asks: it puts the answer in place of itself.
pub fn is_live(headers: &HeaderMap) -> bool {
    headers.contains_key("x-keyward-live")
}

/// Draws the page at the request's path, whole, with more in its context if `more` provides it.
pub async fn draw(
    state: AppState,
    request: Request,
    more: impl Fn() + Clone + Send + Sync + 'static,
) -> Response<Body> {
    let options = state.leptos.clone();
    let context = move || {
        provide(&state);
        more();
    };
    let draw = leptos_axum::render_app_async_with_context(context, move || app::shell(options.clone()));
    draw(request).await
}

/// The page of an address that is none.
pub async fn missing(State(state): State<AppState>, request: Request) -> Response<Body> {
    let mut response = draw(state, request, || ()).await;
    if response.status() == StatusCode::OK {
        *response.status_mut() = StatusCode::NOT_FOUND;
    }
    response
}
