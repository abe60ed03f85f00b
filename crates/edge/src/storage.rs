//! Errors of the store, as the interfaces report them.

use axum::http::StatusCode;
use keyward_core::Error;
use keyward_store::{
    log_limit::LogLimit,
    {self as store, Kind, Location},
};
use std::sync::OnceLock;

/// The database of this process, for the log.
static DATABASE: OnceLock<Location> = OnceLock::new();

/// Names the database in the log when it fails, with what to do. The first call counts.
pub fn name_database(location: &Location) {
    let _ = DATABASE.set(location.clone());
}

/// What is reported of a kind of trouble with the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trouble {
    pub status: StatusCode,
    /// Of a problem document.
    pub code: &'static str,
    pub detail: &'static str,
    /// Value of `Retry-After`, in seconds.
    pub retry_after: Option<&'static str>,
}

impl Trouble {
    pub fn of(kind: Kind) -> Self {
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
                detail: "There is no space left for the database, so nothing was changed. Tell the people who run this \
                    Keyward; try again when there is space.",
                retry_after: None,
            },
            Kind::Io | Kind::Damaged => unavailable(
                "storage_failed",
                "The disk or the file of the database failed. Tell the people who run this Keyward, and try again later.",
                "10",
            ),
            Kind::Unavailable => {
                unavailable("database_unavailable", "The database does not answer. Try again in a moment.", "2")
            }
            Kind::Contended => unavailable("busy", "The database is busy. Try again in a moment.", "1"),
            Kind::Fault => Self {
                status: StatusCode::INTERNAL_SERVER_ERROR,
                code: "internal",
                detail: "Something went wrong on our side. Try again.",
                retry_after: None,
            },
        }
    }

    /// What is reported of an error that is not the caller's, after it was logged.
    pub fn report(error: &Error) -> Self {
        log(error);
        Self::of(kind(error))
    }
}

fn kind(error: &Error) -> Kind {
    match error {
        Error::Store(error) => error.kind(),
        _ => Kind::Fault,
    }
}

/// Logs an error that is not the caller's: one line a second while the database is in trouble, for each request would write the
/// same.
pub fn log(error: &Error) {
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
