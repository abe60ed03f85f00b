//! The two routers, and the layers around them.
//!
//! The browser's has the cookie, and takes no unsafe request from elsewhere. The programs' never reads a cookie. What lies around
//! both: the edge (host, address, id, log), the catching of panics, limits of size and time.

use super::{
    AppState, RESPONSE_TIME, Site, assets, audit, drafts, edge, error_page, forms, oauth, oidc, openapi, opener,
    origin, pages, problem, routes, server_functions, sessions, unmet,
};
use crate::{error::AppError, features::session::own_path};
use axum::{
    Router,
    body::Body,
    extract::{DefaultBodyLimit, MatchedPath, Request},
    http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, Version, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::get,
};
use http_body_util::Limited;
use leptos::server_fn::error::SERVER_FN_ERROR_HEADER;
use std::{any::Any, time::Duration};
use tower_http::{
    CompressionLevel,
    catch_panic::CatchPanicLayer,
    compression::{
        CompressionLayer,
        predicate::{Predicate as _, SizeAbove},
    },
    cors::{Any as AnyOrigin, CorsLayer},
    limit::RequestBodyLimitLayer,
    timeout::{RequestBodyTimeoutLayer, TimeoutLayer},
};

/// The largest body that a program's route takes, in bytes.
const BODY_MAX: usize = 64 * 1024;
/// How long a body may pause.
const BODY_PAUSE: Duration = Duration::from_secs(10);
/// All of it, as one router.
pub fn router(state: AppState) -> Router {
    Router::new().fallback_service(site(state))
}

/// The public address: the hot path, and the routers behind it.
pub fn site(state: AppState) -> Site {
    Site::public(state.edge.clone(), pages_and_programs(state))
}

/// What is behind the hot path.
fn pages_and_programs(state: AppState) -> Router {
    let browser = browser(&state);
    let programs = programs(&state);
    Router::new()
        .merge(programs)
        .merge(browser)
        .layer(middleware::from_fn_with_state(state.clone(), edge::watch))
        .with_state(state)
}

/// The limits of size and time, and the net for a fault of ours. They lie within what gives an error its words.
fn bounded(router: Router<AppState>, body: usize) -> Router<AppState> {
    router
        .layer(DefaultBodyLimit::max(body))
        .layer(RequestBodyLimitLayer::new(body))
        .layer(RequestBodyTimeoutLayer::new(BODY_PAUSE))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, RESPONSE_TIME))
        .layer(CatchPanicLayer::custom(|_: Box<dyn Any + Send>| problem::panicked().into_response()))
}

/// What programs call.
fn programs(state: &AppState) -> Router<AppState> {
    let cors = CorsLayer::new()
        .allow_origin(AnyOrigin)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE, header::ACCEPT])
        .max_age(Duration::from_secs(600));
    let (mut own, mut shared) = (Router::new(), Router::new());
    for route in routes::ROUTES {
        // Answered in front.
        let Some(handler) = route.handler else { continue };
        let router = if route.cors { &mut shared } else { &mut own };
        *router = std::mem::take(router).route(route.path, handler());
    }
    // Outside the limits: a page elsewhere reads what it was refused with, too.
    let shared = bounded(shared, BODY_MAX).layer(cors);
    let announce = middleware::from_fn_with_state(state.clone(), oauth::protected_resource::announce);
    bounded(own, BODY_MAX).merge(shared).layer(announce).layer(middleware::from_fn(unmet::fill))
}

/// What browsers call.
fn browser(state: &AppState) -> Router<AppState> {
    let pages = pages::mount(server_functions::mount(Router::new()));
    let cookies = oidc::mount(audit::mount(forms::mount(pages)))
        .route("/docs/api", get(openapi::page))
        .fallback(fallback)
        .layer(middleware::from_fn_with_state(state.clone(), drafts::restore))
        .layer(middleware::from_fn_with_state(state.clone(), sessions::recognise))
        .layer(sessions::layer(state))
        .layer(middleware::from_fn_with_state(state.clone(), sessions::unsaved))
        .layer(middleware::from_fn(sessions::take_back))
        .layer(middleware::from_fn_with_state(state.clone(), origin::guard))
        .layer(middleware::from_fn(bound_form));
    bounded(cookies, forms::CONFIG_FORM_MAX)
        .layer(compressed())
        .layer(middleware::from_fn(opener::policy))
        .layer(middleware::from_fn(browser_only))
        .route(&format!("/{}/{{*path}}", assets::prefix()), get(assets::serve))
}

/// Bounds the body by its route: before sign-in, nobody makes the server hold as much as a config may have at another address.
async fn bound_form(request: Request, next: Next) -> Response {
    let most = forms::longest(request.extensions().get::<MatchedPath>().map(MatchedPath::as_str));
    let length = request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    if length.and_then(|length| length.parse::<usize>().ok()).is_some_and(|length| length > most) {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    }
    next.run(request.map(|body| Body::new(Limited::new(body, most)))).await
}

/// Pages are mostly the same words again and again: a list of fifty keys is a tenth as long. Programs and files are not meant.
fn compressed() -> CompressionLayer<impl tower_http::compression::predicate::Predicate> {
    let is_page = |_: StatusCode, _: Version, headers: &HeaderMap, _: &Extensions| {
        headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"))
    };
    CompressionLayer::new().quality(CompressionLevel::Fastest).compress_when(SizeAbove::new(1024).and(is_page))
}

/// An address that is none: a problem document for programs, our page for people.
async fn fallback(state: axum::extract::State<AppState>, request: Request) -> Response {
    let path = request.uri().path();
    if path.starts_with("/api/") || !request.method().is_safe() {
        let (code, words) = problem::of_status(StatusCode::NOT_FOUND);
        return error_page::respond(StatusCode::NOT_FOUND, code, words, request.headers(), path);
    }
    pages::missing(state, request).await
}

/// What holds for everything a browser is shown: it is kept nowhere; server functions are not for plain forms (their pages are);
/// and what Leptos would read from a query that anybody can write is dropped.
async fn browser_only(mut request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    if routes::PREFIXES.iter().any(|prefix| path.starts_with(prefix)) {
        // Programs' own, and none of their routes: no cookie is read and no origin asked for on the way to a 404.
        let (code, words) = problem::of_status(StatusCode::NOT_FOUND);
        return unmet::answer(&path, StatusCode::NOT_FOUND, code, words);
    }
    let accepts = request.headers().get(header::ACCEPT).and_then(|v| v.to_str().ok()).unwrap_or_default();
    if path.starts_with("/api/") && accepts.contains("text/html") {
        let words = "Forms are sent to the address of their page.";
        return kept_nowhere(
            problem::Problem::new(StatusCode::NOT_ACCEPTABLE, "not_acceptable", words).into_response(),
        );
    }
    if let Some(uri) = without_leptos_parameters(request.uri()) {
        if request.method().is_safe() {
            // The browser reads its own address too: it must not have them either.
            return kept_nowhere(forms::see(own_path(&uri.to_string()).unwrap_or("/keys")));
        }
        *request.uri_mut() = uri;
    }
    if !request.method().is_safe() {
        // The answer may hold a secret beside what was typed: its length must not tell how alike they are (BREACH).
        request.headers_mut().remove(header::ACCEPT_ENCODING);
    }
    let asked = request.headers().clone();
    let mut response = with_own_status(next.run(request).await).await;
    let status = response.status();
    // What the router and the layers answer by themselves has no page yet.
    let bare = !response.headers().contains_key(header::CONTENT_SECURITY_POLICY);
    let by_itself = [
        StatusCode::METHOD_NOT_ALLOWED,
        StatusCode::PAYLOAD_TOO_LARGE,
        StatusCode::SERVICE_UNAVAILABLE,
        StatusCode::INTERNAL_SERVER_ERROR,
    ];
    // A server function's own refusal says what is wrong, and a problem document does to who reads no pages.
    let is_problem = response.headers().get(header::CONTENT_TYPE).is_some_and(|it| it == "application/problem+json");
    let said = response.headers().contains_key(SERVER_FN_ERROR_HEADER)
        || is_problem && !error_page::reads_pages(&asked, &path);
    if by_itself.contains(&status) && bare && !said {
        let (code, words) = problem::of_status(status);
        let mut filled = error_page::respond(status, code, words, &asked, &path);
        if let Some(allow) = response.headers_mut().remove(header::ALLOW) {
            filled.headers_mut().insert(header::ALLOW, allow);
        }
        response = filled;
    }
    kept_nowhere(response)
}

/// No cache keeps what a browser was shown, and no other origin's page includes it.
fn kept_nowhere(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin"));
    response
}

/// Leptos answers 500 to arguments that it cannot read; the status that belongs to the error stands in the error.
async fn with_own_status(response: Response) -> Response {
    if response.status() != StatusCode::INTERNAL_SERVER_ERROR
        || !response.headers().contains_key(SERVER_FN_ERROR_HEADER)
    {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, BODY_MAX).await.unwrap_or_default();
    if let Ok(error) = serde_json::from_slice::<AppError>(&bytes) {
        parts.status = StatusCode::from_u16(error.kind.status()).unwrap_or(parts.status);
    }
    Response::from_parts(parts, bytes.into())
}

/// The same address without `__err` and `__path`; `None` if it has neither.
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
