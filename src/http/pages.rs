//! Page rendering with Leptos: the table of page routes, the context of a page, and its response.

use super::{AppState, cookies, sessions::Visit, theme};
use crate::{
    app::{self, App},
    error::Refusal,
    features::keys::Live,
    ui::form::DraftMark,
};
use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    response::Response,
};
use leptos::{
    nonce::use_nonce,
    prelude::{provide_context, use_context, with_context},
};
use leptos_axum::{AxumRouteListing, LeptosRoutes as _, ResponseOptions, generate_route_list};
use std::sync::{Arc, LazyLock};

/// The routes of all pages, computed once a process.
///
/// Leptos renders the whole application to find them, and loads no resource in any thread meanwhile. A router exists only
/// after that, so no page is ever rendered at the same time.
static ROUTES: LazyLock<Vec<AxumRouteListing>> = LazyLock::new(|| generate_route_list(App));

/// Adds values to the context of a page. One type for all callers: each generic parameter here would compile Leptos'
/// rendering once more.
pub type Context = Arc<dyn Fn() + Send + Sync>;

/// The paths of all pages as the router mounts them (`/keys/{id}/edit`), sorted, each once.
pub fn page_paths() -> Vec<&'static str> {
    let path = |listing: &'static AxumRouteListing| match listing.path().trim_end_matches('/') {
        "" => "/",
        path => path,
    };
    let mut paths: Vec<_> = ROUTES.iter().map(path).collect();
    paths.sort_unstable();
    paths.dedup();
    paths
}

/// Mounts all pages.
pub fn mount(router: Router<AppState>) -> Router<AppState> {
    router.leptos_routes_with_handler(ROUTES.clone(), page)
}

async fn page(State(state): State<AppState>, request: Request) -> Response<Body> {
    draw(state, request, None).await
}

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
    // A draft that the person gets back is drawn as a form that was refused.
    if let Some(refusal) = with_context::<Parts, _>(|parts| parts.extensions.get::<Refusal>().cloned()).flatten() {
        provide_context(refusal);
    }
    let caller = with_context::<Parts, _>(|parts| parts.extensions.get::<Visit>()?.caller.as_ref().map(|it| it.user));
    if let Some(user) = caller.flatten() {
        provide_context(DraftMark(state.app.drafts.mark(user)));
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

/// Renders the page at the request's path, with the values of `more` in its context.
pub async fn draw(state: AppState, request: Request, more: Option<Context>) -> Response<Body> {
    let options = state.leptos.clone();
    let context: Context = Arc::new(move || {
        provide(&state);
        if let Some(more) = &more {
            more();
        }
    });
    let context = move || context();
    let draw = leptos_axum::render_app_async_with_context(context, move || app::shell(options.clone()));
    draw(request).await
}

/// The page of an address that is none.
pub async fn missing(State(state): State<AppState>, request: Request) -> Response<Body> {
    let mut response = draw(state, request, None).await;
    if response.status() == StatusCode::OK {
        *response.status_mut() = StatusCode::NOT_FOUND;
    }
    response
}
