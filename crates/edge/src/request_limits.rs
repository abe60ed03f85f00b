//! Limits of requests behind the fast path: body size, pauses while a body is received, response time, and panics.

use crate::{RESPONSE_TIME, problem};
use axum::{Router, extract::DefaultBodyLimit, http::StatusCode, response::IntoResponse as _};
use std::{any::Any, time::Duration};
use tower_http::{
    catch_panic::CatchPanicLayer,
    limit::RequestBodyLimitLayer,
    timeout::{RequestBodyTimeoutLayer, TimeoutLayer},
};

/// Maximum pause while a body is received.
const BODY_PAUSE: Duration = Duration::from_secs(10);

/// Adds limits for size and time, and panic handling. The layer that fills in error bodies must be outside of these.
pub fn with_limits<S: Clone + Send + Sync + 'static>(router: Router<S>, body: usize) -> Router<S> {
    router
        .layer(DefaultBodyLimit::max(body))
        .layer(RequestBodyLimitLayer::new(body))
        .layer(RequestBodyTimeoutLayer::new(BODY_PAUSE))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, RESPONSE_TIME))
        .layer(CatchPanicLayer::custom(|_: Box<dyn Any + Send>| problem::panic_problem(None).into_response()))
}
