//! Conversion of use case errors into problem documents, and the HTTP status of each kind of error.

use super::{
    bearer,
    problem::{InvalidParam, Problem},
};
use axum::http::{HeaderName, StatusCode, header};
use keyward_core::{Error, ErrorDescription, InvalidField, Kind, management_client::ManagementError};
use std::sync::Arc;

/// Returns the HTTP status of a response to a program.
pub const fn status_of(kind: Kind) -> StatusCode {
    match kind {
        Kind::BadCredentials | Kind::AccessLost => StatusCode::UNAUTHORIZED,
        Kind::Forbidden | Kind::ReauthenticationRequired => StatusCode::FORBIDDEN,
        Kind::NotFound => StatusCode::NOT_FOUND,
        Kind::Conflict => StatusCode::CONFLICT,
        Kind::Stale => StatusCode::PRECONDITION_FAILED,
        Kind::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
        Kind::TooManyAttempts => StatusCode::TOO_MANY_REQUESTS,
        Kind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Kind::StorageFull => StatusCode::INSUFFICIENT_STORAGE,
        Kind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// Converts invalid fields into the `errors` members of a problem document.
pub fn invalid_params(fields: Vec<InvalidField>) -> Vec<InvalidParam> {
    fields.into_iter().map(|field| InvalidParam { name: field.name.to_owned(), detail: field.message }).collect()
}

impl From<ErrorDescription> for Problem {
    fn from(row: ErrorDescription) -> Self {
        let status = status_of(row.kind);
        let problem = match row.kind {
            Kind::AccessLost => bearer::challenge_problem(status, row.code, &row.for_programs, Some(row.code), None),
            _ => Self::new(status, row.code, row.for_programs),
        };
        match row.retry_after {
            Some(seconds) => problem.header(header::RETRY_AFTER, &seconds.to_string()),
            None => problem,
        }
    }
}

impl From<ManagementError> for Problem {
    fn from(error: ManagementError) -> Self {
        let problem = Self::from(ErrorDescription::from(&error));
        match error {
            ManagementError::AlreadyCreated(key) => {
                problem.header(HeaderName::from_static("x-keyward-key-id"), &key.to_string())
            }
            ManagementError::ExceedsPrivileges(fields) => Self { errors: invalid_params(fields), ..problem },
            ManagementError::AccessLost | ManagementError::Stale | ManagementError::Reused => problem,
        }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let problem = Self::from(error.describe());
        match error {
            Error::Management(error) => error.into(),
            Error::Invalid(fields) => Self { errors: invalid_params(fields), ..problem },
            error if error.is_failure() => Self { cause: Some(Arc::new(error)), ..problem },
            _ => problem,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_has_the_status_of_its_kind() {
        let of = |error: Error| {
            let problem = Problem::from(error);
            (problem.status.as_u16(), problem.code, problem.cause.is_some(), problem.headers.len())
        };
        assert_eq!(of(Error::NotFound), (404, "not_found", false, 0));
        assert_eq!(of(Error::Paused { seconds: 5 }), (429, "paused", false, 1));
        assert_eq!(of(Error::Internal("a bug")), (500, "internal", true, 0));
        assert_eq!(of(Error::Store(keyward_store::Error::Closed)), (503, "database_unavailable", true, 1));
        assert_eq!(of(ManagementError::AccessLost.into()), (401, "invalid_token", false, 1));
        assert_eq!(of(ManagementError::Reused.into()), (422, "idempotency_key_reused", false, 0));
        let wider =
            Problem::from(Error::from(ManagementError::ExceedsPrivileges(vec![InvalidField::new("scopes", "x")])));
        assert_eq!((wider.status, wider.errors.len()), (StatusCode::FORBIDDEN, 1));
    }
}
