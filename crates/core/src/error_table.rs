//! The table of errors: the kind, the stable code, and the messages of each error of a use case.
//!
//! The interfaces take codes and messages from here. Each maps [`Kind`] to its status in one exhaustive match.

use super::{Error, management_client::ManagementError};
use keyward_domain::{count::format_number_of, security::SIGN_IN_PAUSE, time::format_duration};
use keyward_store as store;
use std::borrow::Cow;

/// The kind of an error. Each interface maps it to a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The object does not exist, or the caller has no access to it.
    NotFound,
    /// The caller's role or key does not allow the action.
    Forbidden,
    /// Allowed only with recent reauthentication.
    ReauthenticationRequired,
    /// A wrong password, or an unknown email address.
    BadCredentials,
    /// The token of the request no longer has access.
    AccessLost,
    /// The input is invalid.
    Invalid,
    /// The state of the object does not allow the action.
    Conflict,
    /// The object changed since the caller read it.
    Stale,
    /// Too many attempts.
    TooManyAttempts,
    /// The server or its database cannot process the request at the moment.
    Unavailable,
    /// The database has no space left.
    StorageFull,
    /// A bug in Keyward, or inconsistent data. The cause is only in the log.
    Internal,
}

/// The response to an error: its kind, its code, and its messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorDescription {
    pub kind: Kind,
    /// Stable error code for programs.
    pub code: &'static str,
    /// Message on a page.
    pub for_users: Cow<'static, str>,
    /// Message in a problem document or an OAuth error response.
    pub for_programs: Cow<'static, str>,
    /// Seconds until the next attempt can succeed.
    pub retry_after: Option<i64>,
}

impl ErrorDescription {
    fn new(
        kind: Kind,
        code: &'static str,
        for_users: impl Into<Cow<'static, str>>,
        for_programs: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { kind, code, for_users: for_users.into(), for_programs: for_programs.into(), retry_after: None }
    }

    /// The same message for users and programs.
    fn same(kind: Kind, code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        let message = message.into();
        Self::new(kind, code, message.clone(), message)
    }

    fn with_retry_after(self, seconds: i64) -> Self {
        Self { retry_after: Some(seconds), ..self }
    }

    /// The error of a write queue whose last write failed; `None` if the next write can succeed.
    pub fn from_trouble(trouble: Option<store::WriteTrouble>) -> Option<Self> {
        match trouble {
            Some(store::WriteTrouble::Failing(kind)) if kind != store::Kind::Fault => Some(kind.into()),
            _ => None,
        }
    }

    /// A session that was not saved because only this write failed, or because writes have just begun to succeed again.
    pub fn unsaved_session() -> Self {
        Self::same(Kind::Unavailable, "busy", "Your session could not be saved. Try again in a moment.")
            .with_retry_after(1)
    }
}

impl From<store::Kind> for ErrorDescription {
    fn from(kind: store::Kind) -> Self {
        match kind {
            store::Kind::Full => Self::same(
                Kind::StorageFull,
                "storage_full",
                "The database has no space left, so nothing was changed. Contact your administrator, and try again \
                    later.",
            ),
            store::Kind::Io | store::Kind::Damaged => Self::same(
                Kind::Unavailable,
                "storage_failed",
                "The disk or file of the database failed. Contact your administrator, and try again later.",
            )
            .with_retry_after(10),
            store::Kind::Unavailable => Self::same(
                Kind::Unavailable,
                "database_unavailable",
                "The database does not respond. Try again in a moment.",
            )
            .with_retry_after(2),
            store::Kind::Contended => {
                Self::same(Kind::Unavailable, "busy", "The database is busy. Try again in a moment.")
                    .with_retry_after(1)
            }
            store::Kind::Fault => internal(),
        }
    }
}

fn internal() -> ErrorDescription {
    let for_programs = "An internal error occurred. Try again.";
    ErrorDescription::new(Kind::Internal, "internal", "Something went wrong.", for_programs)
}

impl From<&ManagementError> for ErrorDescription {
    fn from(error: &ManagementError) -> Self {
        let (kind, code) = match error {
            ManagementError::AccessLost => (Kind::AccessLost, "invalid_token"),
            ManagementError::Stale => (Kind::Stale, "changed_meanwhile"),
            ManagementError::AlreadyCreated(_) => (Kind::Conflict, "already_made"),
            ManagementError::Reused => (Kind::Invalid, "idempotency_key_reused"),
            ManagementError::ExceedsPrivileges(_) => (Kind::Forbidden, "wider_than_maker"),
        };
        Self::same(kind, code, error.to_string())
    }
}

impl Error {
    /// Returns the kind, the code, and the messages of the error.
    pub fn describe(&self) -> ErrorDescription {
        use ErrorDescription as Row;
        match self {
            Self::NotFound => Row::new(
                Kind::NotFound,
                "not_found",
                "This item does not exist, or you do not have access to it.",
                "This resource does not exist, or you do not have access to it.",
            ),
            Self::Forbidden(why) => Row::same(Kind::Forbidden, "forbidden", *why),
            Self::Stopped { reason } => Row::same(Kind::Forbidden, "forbidden", Self::stopped_message(reason)),
            Self::ReauthenticationRequired => Row::new(
                Kind::ReauthenticationRequired,
                "step_up_required",
                "Confirm your identity, then submit the form again.",
                "Confirm your identity on a Keyward page and try again.",
            ),
            Self::Invalid(_) => Row::new(
                Kind::Invalid,
                "invalid",
                "Some fields are invalid. Correct them and try again.",
                "Some fields are not valid: see errors.",
            ),
            Self::Conflict(why) => Row::same(Kind::Conflict, "conflict", *why),
            Self::Management(error) => error.into(),
            Self::BadCredentials { tries_left } => Row::new(
                Kind::BadCredentials,
                "bad_credentials",
                bad_credentials_message(*tries_left),
                "Wrong email or password.",
            ),
            Self::Paused { seconds } => {
                let message = format!("Too many attempts. Try again in {}.", format_duration(*seconds));
                Row::same(Kind::TooManyAttempts, "paused", message).with_retry_after(*seconds)
            }
            Self::TooLong => Row::new(
                Kind::Unavailable,
                "busy",
                "Loading this list took too long. Filter by project, status, or environment, and try again.",
                "This list takes too long to load. Filter it, for example by status or environment, and try again.",
            )
            .with_retry_after(5),
            Self::Busy => {
                Row::same(Kind::Unavailable, "busy", "The server is busy. Try again in a moment.").with_retry_after(1)
            }
            Self::Store(error) => error.kind().into(),
            Self::Internal(_) | Self::Failed { .. } => internal(),
        }
    }

    /// Returns whether the error is a failure of the server, whose cause must be logged.
    pub fn is_failure(&self) -> bool {
        matches!(self, Self::Store(_) | Self::Internal(_) | Self::Failed { .. })
    }
}

fn bad_credentials_message(tries_left: Option<u32>) -> Cow<'static, str> {
    match tries_left {
        None => "Wrong email or password.".into(),
        Some(0) => format!("Wrong email or password. Try again in {}.", format_duration(SIGN_IN_PAUSE)).into(),
        Some(n) => format!(
            "Wrong email or password. You have {} left before a pause of {}.",
            format_number_of(n.into(), "attempt", "attempts"),
            format_duration(SIGN_IN_PAUSE)
        )
        .into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_tell_nothing_of_their_cause() {
        let cause = std::io::Error::other("the secret of the cause");
        for error in [Error::Internal("the secret of the cause"), Error::failed("signing", cause)] {
            let row = error.describe();
            assert_eq!((row.kind, row.code, &*row.for_users), (Kind::Internal, "internal", "Something went wrong."));
            assert!(error.is_failure() && !row.for_programs.contains("secret"));
        }
        let row = Error::Store(store::Error::Closed).describe();
        assert_eq!((row.kind, row.code, row.retry_after), (Kind::Unavailable, "database_unavailable", Some(2)));
    }

    #[test]
    fn pauses_have_their_unit() {
        let message = |error: Error| error.describe().for_users.into_owned();
        assert_eq!(message(Error::Paused { seconds: 1 }), "Too many attempts. Try again in 1 second.");
        assert_eq!(message(Error::Paused { seconds: 59 }), "Too many attempts. Try again in 59 seconds.");
        let left = |tries_left| message(Error::BadCredentials { tries_left });
        assert_eq!(left(Some(0)), "Wrong email or password. Try again in 1 minute.");
        assert_eq!(left(Some(1)), "Wrong email or password. You have 1 attempt left before a pause of 1 minute.");
        assert_eq!(left(Some(4)), "Wrong email or password. You have 4 attempts left before a pause of 1 minute.");
    }

    #[test]
    fn errors_of_management_clients_have_their_own_codes() {
        let row = Error::from(ManagementError::Stale).describe();
        assert_eq!((row.kind, row.code), (Kind::Stale, "changed_meanwhile"));
        let row = Error::from(ManagementError::ExceedsPrivileges(Vec::new())).describe();
        assert_eq!((row.kind, row.code), (Kind::Forbidden, "wider_than_maker"));
    }
}
