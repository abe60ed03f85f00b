//! Mapping of store errors to HTTP status codes and problem codes.

use axum::http::StatusCode;
use keyward_core::Error;
use keyward_store::{
    log_limit::LogLimit,
    {self as store, Kind, Location, WriteTrouble},
};
use std::sync::OnceLock;

/// Location of this process's database, for log messages.
static DATABASE: OnceLock<Location> = OnceLock::new();

/// Sets the database location, which the log names with advice when the database fails. Only the first call has an
/// effect.
pub fn set_database_location(location: &Location) {
    let _ = DATABASE.set(location.clone());
}

/// HTTP error response for a kind of database error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StorageProblem {
    pub status: StatusCode,
    /// `code` of the problem document.
    pub code: &'static str,
    pub detail: &'static str,
    /// Value of `Retry-After`, in seconds.
    pub retry_after: Option<&'static str>,
}

impl StorageProblem {
    /// The problem of a write queue whose last write failed; `None` if the next write can succeed.
    pub fn from_trouble(trouble: Option<WriteTrouble>) -> Option<Self> {
        match trouble {
            Some(WriteTrouble::Failing(kind)) if kind != Kind::Fault => Some(Self::from_kind(kind)),
            _ => None,
        }
    }

    pub fn from_kind(kind: Kind) -> Self {
        let unavailable = |code, detail, seconds| Self {
            status: StatusCode::SERVICE_UNAVAILABLE,
            code,
            detail,
            retry_after: Some(seconds),
        };
        match kind {
            Kind::Full => Self {
                status: StatusCode::INSUFFICIENT_STORAGE,
                code: "storage_full",
                detail: "The database has no space left, so nothing was changed. Contact your administrator, and try again \
                    later.",
                retry_after: None,
            },
            Kind::Io | Kind::Damaged => unavailable(
                "storage_failed",
                "The disk or file of the database failed. Contact your administrator, and try again later.",
                "10",
            ),
            Kind::Unavailable => {
                unavailable("database_unavailable", "The database does not respond. Try again in a moment.", "2")
            }
            Kind::Contended => unavailable("busy", "The database is busy. Try again in a moment.", "1"),
            Kind::Fault => Self {
                status: StatusCode::INTERNAL_SERVER_ERROR,
                code: "internal",
                detail: "An internal error occurred. Try again.",
                retry_after: None,
            },
        }
    }

    /// Logs an internal error and returns its response.
    pub fn report(error: &Error) -> Self {
        log_error(error);
        Self::from_kind(kind(error))
    }
}

fn kind(error: &Error) -> Kind {
    match error {
        Error::Store(error) => error.kind(),
        _ => Kind::Fault,
    }
}

/// Logs an internal error.
///
/// Database errors are limited to one log line per second: during an outage every request fails in the same way.
pub fn log_error(error: &Error) {
    static LIMIT: LogLimit = LogLimit::new();
    let advice = match (error, DATABASE.get()) {
        (Error::Store(error), Some(location)) => store::advice(error, location),
        _ => None,
    };
    match kind(error) {
        Kind::Fault => tracing::error!(%error, advice, "request.failed"),
        Kind::Full | Kind::Io | Kind::Damaged | Kind::Unavailable | Kind::Contended => {
            if let Some(requests) = LIMIT.count() {
                tracing::error!(%error, advice, requests, "database.failed");
            }
        }
    }
}
