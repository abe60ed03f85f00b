//! Conversion of use case errors into problem documents.

use super::{
    bearer,
    problem::{Problem, Wrong},
    storage::Trouble,
};
use axum::http::{HeaderName, StatusCode, header};
use keyward_core::{Error, Field, program::ProgramRefused};

/// Converts invalid fields into the `errors` members of a problem document.
pub fn invalid_params(fields: Vec<Field>) -> Vec<Wrong> {
    fields.into_iter().map(|field| Wrong { name: field.name.to_owned(), detail: field.message }).collect()
}

impl From<ProgramRefused> for Problem {
    fn from(why: ProgramRefused) -> Self {
        let words = why.to_string();
        match why {
            ProgramRefused::Ended => {
                bearer::challenged(StatusCode::UNAUTHORIZED, "invalid_token", &words, Some("invalid_token"), None)
            }
            ProgramRefused::Stale => Self::new(StatusCode::PRECONDITION_FAILED, "changed_meanwhile", words),
            ProgramRefused::Repeated(key) => Self::new(StatusCode::CONFLICT, "already_made", words)
                .header(HeaderName::from_static("x-keyward-key-id"), &key.to_string()),
            ProgramRefused::Reused => Self::new(StatusCode::UNPROCESSABLE_ENTITY, "idempotency_key_reused", words),
            ProgramRefused::Wider(fields) => {
                Self { errors: invalid_params(fields), ..Self::new(StatusCode::FORBIDDEN, "wider_than_maker", words) }
            }
        }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::NotFound => Self::new(StatusCode::NOT_FOUND, "not_found", "There is nothing here for you."),
            Error::Forbidden(why) => Self::new(StatusCode::FORBIDDEN, "forbidden", why),
            Error::StepUp => {
                Self::new(StatusCode::FORBIDDEN, "step_up_required", "Confirm on a page that it is you, and try again.")
            }
            Error::Stopped { reason } => Self::new(StatusCode::FORBIDDEN, "forbidden", Error::stopped(&reason)),
            Error::Invalid(fields) => {
                let problem =
                    Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", "Some members are wrong: see errors.");
                Self { errors: invalid_params(fields), ..problem }
            }
            Error::Program(why) => why.into(),
            Error::Conflict(why) => Self::new(StatusCode::CONFLICT, "conflict", why),
            Error::BadCredentials { .. } => {
                Self::new(StatusCode::UNAUTHORIZED, "bad_credentials", "E-mail or password is wrong.")
            }
            Error::Paused { seconds } => {
                Self::new(StatusCode::TOO_MANY_REQUESTS, "paused", format!("Try again in {seconds} seconds."))
                    .header(header::RETRY_AFTER, &seconds.to_string())
            }
            Error::TooLong => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "busy",
                "Reading this list takes too long. Narrow it, for example by status or environment, and try again.",
            )
            .header(header::RETRY_AFTER, "5"),
            Error::Busy => Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", "Try again in a moment.")
                .header(header::RETRY_AFTER, "1"),
            error @ (Error::Store(_) | Error::Internal(_)) => {
                let Trouble { status, code, detail, retry_after } = Trouble::report(&error);
                let problem = Self::new(status, code, detail);
                match retry_after {
                    Some(seconds) => problem.header(header::RETRY_AFTER, seconds),
                    None => problem,
                }
            }
        }
    }
}
