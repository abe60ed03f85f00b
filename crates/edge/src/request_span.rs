//! The tracing span of a request outside of the fast path, and its line in the log.

use super::logged::loggable_method;
use axum::http::{Method, StatusCode};
use std::{
    fmt,
    net::IpAddr,
    sync::{Arc, OnceLock},
    time::Duration,
};
use tracing::{Span, field::Empty};

/// The span of a request. It has the method, the route, the client address, and the request id from the start, and the
/// actor, the status, and the duration as soon as they are known. Clones share the span: handlers find it in the
/// extensions of the request.
#[derive(Clone, Debug)]
pub struct RequestSpan(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    span: Span,
    method: &'static str,
    /// The route, never the requested path: a path and a query can contain secrets.
    route: String,
    client: Option<IpAddr>,
    request_id: String,
    actor: OnceLock<String>,
}

impl RequestSpan {
    /// Creates the span. `route`: the pattern of the matched route.
    pub fn new(method: &Method, route: &str, client: Option<IpAddr>, request_id: &str) -> Self {
        let method = loggable_method(method);
        // Of level `error`, so that each event of the request has the id at every level of the log.
        let span = tracing::error_span!(
            "request",
            http.method = method,
            http.route = route,
            client.ip = client.map(tracing::field::display),
            request.id = request_id,
            actor = Empty,
            http.status = Empty,
            micros = Empty
        );
        let (route, request_id) = (route.to_owned(), request_id.to_owned());
        Self(Arc::new(Parts { span, method, route, client, request_id, actor: OnceLock::new() }))
    }

    /// Returns the span, to instrument the handling of the request.
    pub fn span(&self) -> Span {
        self.0.span.clone()
    }

    /// Records the authenticated actor. Only the first call has an effect.
    pub fn set_actor(&self, actor: impl fmt::Display) {
        let actor = actor.to_string();
        if self.0.actor.set(actor.clone()).is_ok() {
            self.0.span.record("actor", actor.as_str());
        }
    }

    /// Records the response, and writes the line of the request. The line is outside of the span, because it has all of
    /// its fields.
    pub fn finish(&self, status: StatusCode, took: Duration) {
        let Parts { span, method, route, client, request_id, actor } = &*self.0;
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        span.record("http.status", status.as_u16()).record("micros", micros);
        macro_rules! line {
            ($level:ident) => {
                tracing::$level!(
                    http.method = *method,
                    http.route = route.as_str(),
                    http.status = status.as_u16(),
                    client.ip = client.map(tracing::field::display),
                    request.id = request_id.as_str(),
                    actor = actor.get().map(String::as_str),
                    micros,
                    "request"
                )
            };
        }
        // A page has about ten assets, whose lines would hide the others.
        if is_asset(route) && !status.is_server_error() {
            line!(debug);
        } else {
            line!(info);
        }
    }
}

/// Whether the route serves the files of the site.
fn is_asset(route: &str) -> bool {
    route.starts_with("/pkg/")
}

#[cfg(test)]
mod tests {
    use super::is_asset;

    #[test]
    fn only_files_of_the_site_are_assets() {
        assert!(is_asset("/pkg/0123456789abcdef/{*path}"));
        assert!(!is_asset("/keys") && !is_asset("/sdk/{file}") && !is_asset("(none)"));
    }
}
