//! What a use case refuses with, as a problem document.

use super::{
    problem::{Problem, Wrong},
    storage::Trouble,
};
use crate::service;
use axum::http::{StatusCode, header};

impl From<service::Error> for Problem {
    fn from(error: service::Error) -> Self {
        use service::Error;
        match error {
            Error::NotFound => Self::new(StatusCode::NOT_FOUND, "not_found", "There is nothing here for you."),
            Error::Forbidden(why) => Self::new(StatusCode::FORBIDDEN, "forbidden", why),
            Error::StepUp => {
                Self::new(StatusCode::FORBIDDEN, "step_up_required", "Confirm on a page that it is you, and try again.")
            }
            Error::Stopped { reason } => Self::new(StatusCode::FORBIDDEN, "forbidden", Error::stopped(&reason)),
            Error::Invalid(fields) => {
                let errors = fields.into_iter().map(|f| Wrong { name: f.name.to_owned(), detail: f.message }).collect();
                let problem =
                    Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", "Some members are wrong: see errors.");
                Self { errors, ..problem }
            }
            Error::Program(why) => super::management::refused(why),
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
