//! Log entries of failures, with advice for the operator.

use keyward_core::Error;
use keyward_domain::error_chain::ErrorChain;
use keyward_store::{
    log_limit::LogLimit,
    {self as store, Kind, Location},
};
use std::sync::OnceLock;

/// Location of this process's database, for log messages.
static DATABASE: OnceLock<Location> = OnceLock::new();

/// Sets the database location, which the log names with advice when the database fails. Only the first call has an
/// effect.
pub fn set_database_location(location: &Location) {
    let _ = DATABASE.set(location.clone());
}

/// Logs a failure with its causes, where a response to it is made.
///
/// Database errors are limited to one log line per second: during an outage every request fails in the same way.
/// `request_id`: the id of a request without a span, that is, of a request on the fast path.
pub fn log_error(error: &Error, request_id: Option<&str>) {
    static LIMIT: LogLimit = LogLimit::new();
    let (kind, advice) = match error {
        Error::Store(error) => (error.kind(), DATABASE.get().and_then(|location| store::advice(error, location))),
        _ => (Kind::Fault, None),
    };
    let error = ErrorChain(error);
    match kind {
        Kind::Fault => tracing::error!(%error, advice, request.id = request_id, "request.failed"),
        Kind::Full | Kind::Io | Kind::Damaged | Kind::Unavailable | Kind::Contended => {
            if let Some(requests) = LIMIT.count() {
                tracing::error!(%error, advice, requests, request.id = request_id, "database.failed");
            }
        }
    }
}
