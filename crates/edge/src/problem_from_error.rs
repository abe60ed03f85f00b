//! Conversion of use case errors into problem documents.

use super::{
    bearer,
    problem::{InvalidParam, Problem},
    storage::StorageProblem,
};
use axum::http::{HeaderName, StatusCode, header};
use keyward_core::{Error, InvalidField, management_client::ManagementError};

/// Converts invalid fields into the `errors` members of a problem document.
pub fn invalid_params(fields: Vec<InvalidField>) -> Vec<InvalidParam> {
    fields.into_iter().map(|field| InvalidParam { name: field.name.to_owned(), detail: field.message }).collect()
}

impl From<ManagementError> for Problem {
    fn from(why: ManagementError) -> Self {
        let words = why.to_string();
        match why {
            ManagementError::AccessLost => bearer::challenge_problem(
                StatusCode::UNAUTHORIZED,
                "invalid_token",
                &words,
                Some("invalid_token"),
                None,
            ),
            ManagementError::Stale => Self::new(StatusCode::PRECONDITION_FAILED, "changed_meanwhile", words),
            ManagementError::AlreadyCreated(key) => Self::new(StatusCode::CONFLICT, "already_made", words)
                .header(HeaderName::from_static("x-keyward-key-id"), &key.to_string()),
            ManagementError::Reused => Self::new(StatusCode::UNPROCESSABLE_ENTITY, "idempotency_key_reused", words),
            ManagementError::ExceedsPrivileges(fields) => {
                Self { errors: invalid_params(fields), ..Self::new(StatusCode::FORBIDDEN, "wider_than_maker", words) }
            }
        }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::NotFound => Self::new(
                StatusCode::NOT_FOUND,
                "not_found",
                "This resource does not exist, or you do not have access to it.",
            ),
            Error::Forbidden(why) => Self::new(StatusCode::FORBIDDEN, "forbidden", why),
            Error::ReauthenticationRequired => Self::new(
                StatusCode::FORBIDDEN,
                "step_up_required",
                "Confirm your identity on a Keyward page and try again.",
            ),
            Error::Stopped { reason } => Self::new(StatusCode::FORBIDDEN, "forbidden", Error::stopped_message(&reason)),
            Error::Invalid(fields) => {
                let problem =
                    Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", "Some fields are not valid: see errors.");
                Self { errors: invalid_params(fields), ..problem }
            }
            Error::Management(why) => why.into(),
            Error::Conflict(why) => Self::new(StatusCode::CONFLICT, "conflict", why),
            Error::BadCredentials { .. } => {
                Self::new(StatusCode::UNAUTHORIZED, "bad_credentials", "Wrong email or password.")
            }
            Error::Paused { seconds } => Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                "paused",
                format!("Too many attempts. Try again in {seconds} seconds."),
            )
            .header(header::RETRY_AFTER, &seconds.to_string()),
            Error::TooLong => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "busy",
                "This list takes too long to load. Filter it, for example by status or environment, and try again.",
            )
            .header(header::RETRY_AFTER, "5"),
            Error::Busy => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", "The server is busy. Try again in a moment.")
                    .header(header::RETRY_AFTER, "1")
            }
            error @ (Error::Store(_) | Error::Internal(_)) => {
                let StorageProblem { status, code, detail, retry_after } = StorageProblem::report(&error);
                let problem = Self::new(status, code, detail);
                match retry_after {
                    Some(seconds) => problem.header(header::RETRY_AFTER, seconds),
                    None => problem,
                }
            }
        }
    }
}
