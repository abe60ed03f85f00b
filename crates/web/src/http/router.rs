//! The browser router and the API router, and their middleware.
//!
//! The browser router uses the session cookie and denies unsafe requests from other origins. The API router never reads
//! a cookie. Both share the request middleware (host, client address, request id, log), panic handling, and limits for
//! size and time.

use super::{
    AppState, HttpService, assets, audit_export, cross_origin_opener_policy, csrf, drafts,
    error_page::{self, RequestInfo},
    form_actions, oidc, pages, problem, request_middleware, server_functions, sessions,
};
use crate::{error::AppError, features::session::local_path};
use axum::{
    Router,
    body::Body,
    extract::{MatchedPath, Request},
    http::{Extensions, HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, Version, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::get,
};
use http_body_util::Limited;
use keyward_api::{self as api, openapi};
use keyward_edge::{
    fallback::{self, API_PREFIXES},
    request_limits::with_limits,
};
use leptos::server_fn::error::SERVER_FN_ERROR_HEADER;
use tower_http::{
    CompressionLevel,
    compression::{
        CompressionLayer,
        predicate::{Predicate as _, SizeAbove},
    },
};

/// Maximum size of the error body of a server function, in bytes.
const ERROR_BODY_MAX: usize = 64 * 1024;

/// Returns the complete service as one router.
pub fn router(state: AppState) -> Router {
    Router::new().fallback_service(http_service(state))
}

/// Returns the service of the public listener: the fast path with the routers behind it.
pub fn http_service(state: AppState) -> HttpService {
    HttpService::public(state.edge.clone(), slow_path_router(state))
}

/// Returns the routers behind the fast path.
fn slow_path_router(state: AppState) -> Router {
    let browser = browser_router(&state).with_state(state.clone());
    Router::new()
        .merge(api::router(state.api.clone()))
        .merge(browser)
        .layer(middleware::from_fn_with_state(state, request_middleware::handle_request))
}

/// The browser router.
fn browser_router(state: &AppState) -> Router<AppState> {
    let pages = pages::mount(server_functions::mount(Router::new()));
    let cookies = oidc::mount(audit_export::mount(form_actions::mount(pages)))
        .route("/docs/api", get(openapi::page).with_state(state.api.clone()))
        .fallback(fallback)
        .layer(middleware::from_fn_with_state(state.clone(), drafts::restore))
        .layer(middleware::from_fn_with_state(state.clone(), sessions::load_session))
        .layer(sessions::layer(state))
        .layer(middleware::from_fn_with_state(state.clone(), sessions::report_unsaved_session))
        .layer(middleware::from_fn(sessions::restore_session_cookie))
        .layer(middleware::from_fn_with_state(state.clone(), csrf::guard))
        .layer(middleware::from_fn(limit_form_body));
    with_limits(cookies, form_actions::max_form_len())
        .layer(compressed())
        .layer(middleware::from_fn(cross_origin_opener_policy::set_policy))
        .layer(middleware::from_fn(browser_only))
        .route(&format!("/{}/{{*path}}", assets::prefix()), get(assets::serve))
}

/// Limits the body by route: without it, an unauthenticated caller could send a body of the maximum config size to
/// every path.
async fn limit_form_body(request: Request, next: Next) -> Response {
    let most = form_actions::max_body_len(request.extensions().get::<MatchedPath>().map(MatchedPath::as_str));
    let length = request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    if length.and_then(|length| length.parse::<usize>().ok()).is_some_and(|length| length > most) {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    }
    next.run(request.map(|body| Body::new(Limited::new(body, most)))).await
}

/// Compresses pages, which are repetitive: a list of fifty keys shrinks to a tenth. API responses and static files are
/// not compressed here.
fn compressed() -> CompressionLayer<impl tower_http::compression::predicate::Predicate> {
    let is_page = |_: StatusCode, _: Version, headers: &HeaderMap, _: &Extensions| {
        headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"))
    };
    CompressionLayer::new().quality(CompressionLevel::Fastest).compress_when(SizeAbove::new(1024).and(is_page))
}

/// Response for an unknown path: a problem document for clients, the 404 page for browsers.
async fn fallback(state: axum::extract::State<AppState>, request: Request) -> Response {
    let (path, info) = (request.uri().path(), RequestInfo::of(&request));
    if path.starts_with("/api/") || !request.method().is_safe() || info.prefers_json() {
        let (code, words) = problem::default_for_status(StatusCode::NOT_FOUND);
        return error_page::respond(StatusCode::NOT_FOUND, code, words, &info);
    }
    pages::not_found(state, request).await
}

/// Outer middleware of the browser router: forbids caching, rejects plain form submissions to server functions (their
/// pages take them), and drops query parameters that Leptos would interpret but every caller can set.
async fn browser_only(mut request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    if API_PREFIXES.iter().any(|prefix| path.starts_with(prefix)) {
        // An API prefix without a matching route: respond with 404 before cookies are read and the origin is checked.
        let (code, words) = problem::default_for_status(StatusCode::NOT_FOUND);
        return fallback::error_response(&path, StatusCode::NOT_FOUND, code, words);
    }
    let accepts = request.headers().get(header::ACCEPT).and_then(|v| v.to_str().ok()).unwrap_or_default();
    if path.starts_with("/api/") && accepts.contains("text/html") {
        let words = "Submit forms to the URL of their page.";
        return forbid_caching(
            problem::Problem::new(StatusCode::NOT_ACCEPTABLE, "not_acceptable", words).into_response(),
        );
    }
    if let Some(uri) = without_leptos_parameters(request.uri()) {
        if request.method().is_safe() {
            // The browser also reads its own URL, so the parameters must be removed there, too.
            return forbid_caching(form_actions::see_other(local_path(&uri.to_string()).unwrap_or("/keys")));
        }
        *request.uri_mut() = uri;
    }
    if !request.method().is_safe() {
        // The response can contain a secret next to user input. Compressed, its length would leak how similar they are
        // (BREACH).
        request.headers_mut().remove(header::ACCEPT_ENCODING);
    }
    let info = RequestInfo::of(&request);
    let mut response = with_error_status(next.run(request).await).await;
    let status = response.status();
    // The response of the router or a layer itself, which has no page yet.
    let bare = !response.headers().contains_key(header::CONTENT_SECURITY_POLICY);
    let by_itself = [
        StatusCode::METHOD_NOT_ALLOWED,
        StatusCode::PAYLOAD_TOO_LARGE,
        StatusCode::SERVICE_UNAVAILABLE,
        StatusCode::INTERNAL_SERVER_ERROR,
    ];
    // An error of a server function has its message already, and a problem document is complete for clients that do not
    // accept HTML.
    let is_problem = response.headers().get(header::CONTENT_TYPE).is_some_and(|it| it == "application/problem+json");
    let has_message = response.headers().contains_key(SERVER_FN_ERROR_HEADER) || is_problem && !info.accepts_html();
    if by_itself.contains(&status) && bare && !has_message {
        let (code, words) = problem::default_for_status(status);
        let mut filled = error_page::respond(status, code, words, &info);
        if let Some(allow) = response.headers_mut().remove(header::ALLOW) {
            filled.headers_mut().insert(header::ALLOW, allow);
        }
        response = filled;
    }
    // The error page of a page route, for example of a key that does not exist. A rejected form (422) is no such page.
    let is_page =
        response.headers().get(header::CONTENT_TYPE).is_some_and(|it| it.as_bytes().starts_with(b"text/html"));
    let is_error = status.is_server_error() || matches!(status.as_u16(), 403 | 404 | 405 | 413);
    if is_page && is_error && info.prefers_json() {
        let (code, words) = problem::default_for_status(status);
        response = error_page::respond(status, code, words, &info);
    }
    forbid_caching(response)
}

/// Forbids caching, and forbids other origins to embed the response.
fn forbid_caching(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin"));
    response
}

/// Leptos responds with 500 to arguments that it cannot parse. Sets the status of the contained error instead.
async fn with_error_status(response: Response) -> Response {
    if response.status() != StatusCode::INTERNAL_SERVER_ERROR
        || !response.headers().contains_key(SERVER_FN_ERROR_HEADER)
    {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, ERROR_BODY_MAX).await.unwrap_or_default();
    if let Ok(error) = serde_json::from_slice::<AppError>(&bytes) {
        parts.status = StatusCode::from_u16(error.kind.status()).unwrap_or(parts.status);
    }
    Response::from_parts(parts, bytes.into())
}

/// Returns the URI without `__err` and `__path`. `None` if it has neither.
fn without_leptos_parameters(uri: &Uri) -> Option<Uri> {
    let query = uri.query()?;
    let is_theirs =
        |pair: &&str| url::form_urlencoded::parse(pair.as_bytes()).any(|(name, _)| name == "__err" || name == "__path");
    if !query.split('&').any(|pair| is_theirs(&pair)) {
        return None;
    }
    let kept: Vec<_> = query.split('&').filter(|pair| !is_theirs(pair)).collect();
    let mark = if kept.is_empty() { "" } else { "?" };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(format!("{}{mark}{}", uri.path(), kept.join("&")).parse().ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_leptos_reads_is_dropped() {
        let drop = |uri: &str| without_leptos_parameters(&uri.parse().unwrap()).map(|uri| uri.to_string());
        assert_eq!(drop("/keys?status=deleted"), None);
        assert_eq!(drop("/keys"), None);
        assert_eq!(drop("/keys?__err=x&status=deleted&__path=%2F").unwrap(), "/keys?status=deleted");
        assert_eq!(drop("/keys?__path=y").unwrap(), "/keys");
        assert_eq!(drop("/keys?%5F_err=x&a=b").unwrap(), "/keys?a=b");
    }
}
