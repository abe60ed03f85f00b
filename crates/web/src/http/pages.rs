//! Page rendering with Leptos: the table of page routes, the context of a page, and its response.

use super::{AppState, cookies, sessions::SessionContext, theme_cookie};
use crate::{
    app::{self, App},
    error::RejectedForm,
    features::keys::InBrowserNavigation,
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

/// The routes of all pages, computed once per process.
///
/// To find them, Leptos renders the complete application, and no thread loads a resource meanwhile. A router exists
/// only afterwards, so no page is rendered at the same time.
static ROUTES: LazyLock<Vec<AxumRouteListing>> = LazyLock::new(|| generate_route_list(App));

/// Adds values to the context of a page. One type for all callers, because each generic parameter here would compile
/// the rendering of Leptos once more.
pub type ContextProvider = Arc<dyn Fn() + Send + Sync>;

/// Returns the paths of all pages as the router mounts them (`/keys/{id}/edit`), sorted and without duplicates.
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
    render(state, request, None).await
}

/// Provides the context of every page, form action, and server function. Also sets a page's content security policy,
/// since the nonce is known here.
pub fn provide(state: &AppState) {
    provide_context(state.clone());
    provide_context(theme_cookie::current());
    let font =
        with_context::<Parts, _>(|parts| cookies::value(&parts.headers, app::FONT_COOKIE).map(ToOwned::to_owned));
    if let Some(font) = font.flatten() {
        provide_context(app::HasFont(font));
    }
    // A restored draft is rendered like a rejected form.
    if let Some(refusal) = with_context::<Parts, _>(|parts| parts.extensions.get::<RejectedForm>().cloned()).flatten() {
        provide_context(refusal);
    }
    let caller =
        with_context::<Parts, _>(|parts| parts.extensions.get::<SessionContext>()?.caller.as_ref().map(|it| it.user));
    if let Some(user) = caller.flatten() {
        provide_context(DraftMark(state.app.drafts.mark(user)));
    }
    if with_context::<Parts, _>(|parts| is_in_browser_navigation(&parts.headers)).unwrap_or_default() {
        provide_context(InBrowserNavigation);
    }
    let (Some(nonce), Some(options)) = (use_nonce(), use_context::<ResponseOptions>()) else { return };
    // Under `make dev` the page also connects to the watcher, which triggers reloads.
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

/// Whether the request comes from in-browser navigation, which replaces the current document with the response.
pub fn is_in_browser_navigation(headers: &HeaderMap) -> bool {
    headers.contains_key("x-keyward-live")
}

/// Renders the page at the request's path, with the values of `more` in its context.
pub async fn render(state: AppState, request: Request, more: Option<ContextProvider>) -> Response<Body> {
    let options = state.leptos.clone();
    let context: ContextProvider = Arc::new(move || {
        provide(&state);
        if let Some(more) = &more {
            more();
        }
    });
    let context = move || context();
    let draw = leptos_axum::render_app_async_with_context(context, move || app::shell(options.clone()));
    draw(request).await
}

/// The response for a path without a page: 404.
pub async fn not_found(State(state): State<AppState>, request: Request) -> Response<Body> {
    let mut response = render(state, request, None).await;
    if response.status() == StatusCode::OK {
        *response.status_mut() = StatusCode::NOT_FOUND;
    }
    response
}
