//! The one bridge from Leptos' context to the service: who asks, and how an answer gets its status.

use super::{AppState, sessions, sessions::Visit, storage::Trouble};
use crate::{
    domain::{filter::KeyFilter, security::Entrance, sensitive::Password},
    error::{AppError, ErrorKind, FieldError},
    service::{
        self, App, Error,
        accounts::{ACCOUNT_CHANGED, Entering},
        actor::{Caller, Origin},
    },
};
use axum::http::{HeaderValue, StatusCode, header, request::Parts};
use leptos::prelude::{use_context, with_context};
use leptos_axum::ResponseOptions;

/// An extension of the request at hand.
fn extension<T: Clone + Send + Sync + 'static>() -> Option<T> {
    with_context::<Parts, _>(|parts| parts.extensions.get::<T>().cloned()).flatten()
}

/// The service.
///
/// # Errors
/// If there is no request: a fault of ours.
pub fn app() -> Result<App, AppError> {
    let state = use_context::<AppState>();
    state.map(|state| state.app).ok_or_else(|| AppError::new(ErrorKind::Internal, "There is no request."))
}

/// Where the request comes from.
///
/// # Errors
/// If there is no request: a fault of ours.
pub fn origin() -> Result<Origin, AppError> {
    extension().ok_or_else(|| AppError::new(ErrorKind::Internal, "There is no request."))
}

/// Who is signed in, if anybody.
pub fn signed_in() -> Option<Caller> {
    extension::<Visit>().and_then(|visit| visit.caller)
}

/// Who asks, and the service.
///
/// # Errors
/// [`ErrorKind::SignedOut`] if nobody is signed in.
pub fn caller() -> Result<(Caller, App), AppError> {
    let Some(caller) = signed_in() else { return Err(signed_out()) };
    Ok((caller, app()?))
}

/// What is said to whoever is not signed in.
pub fn signed_out() -> AppError {
    let error = AppError::new(ErrorKind::SignedOut, "Your session has ended. Sign in again.");
    set_status(error.kind);
    error
}

fn set_status(kind: ErrorKind) {
    if let (Some(options), Ok(status)) = (use_context::<ResponseOptions>(), StatusCode::from_u16(kind.status())) {
        options.set_status(status);
        if status == StatusCode::SERVICE_UNAVAILABLE {
            options.insert_header(header::RETRY_AFTER, HeaderValue::from_static("2"));
        }
    }
}

/// A refusal with its status.
///
/// # Errors
/// Always: the refusal.
pub fn refuse<T>(error: AppError) -> Result<T, AppError> {
    set_status(error.kind);
    Err(error)
}

/// Nobody may keep this answer.
pub fn no_store() {
    if let Some(options) = use_context::<ResponseOptions>() {
        options.insert_header(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}

/// The forms of this page may lead to this origin, which was checked, besides our own.
pub fn may_lead_to(origin: &str) {
    const OWN: &str = "form-action 'self'";
    let Some(options) = use_context::<ResponseOptions>() else { return };
    let policy = options.0.read().ok().and_then(|said| said.headers.get(header::CONTENT_SECURITY_POLICY).cloned());
    let Some(policy) = policy.as_ref().and_then(|policy| policy.to_str().ok()) else { return };
    if let Ok(policy) = HeaderValue::from_str(&policy.replace(OWN, &format!("{OWN} {origin}"))) {
        options.insert_header(header::CONTENT_SECURITY_POLICY, policy);
    }
}

/// What a person may learn of the service's answer, with the status that belongs to it.
///
/// # Errors
/// The service's refusal, in words.
pub fn answer<T>(result: Result<T, Error>) -> Result<T, AppError> {
    result.map_err(|error| {
        let error = explain(error);
        set_status(error.kind);
        error
    })
}

/// The error of a page, for the service's refusal.
pub(super) fn explain(error: Error) -> AppError {
    match error {
        Error::NotFound => {
            AppError::new(ErrorKind::NotFound, "It does not exist any more, or it belongs to someone else.")
        }
        Error::Forbidden(why) => AppError::new(ErrorKind::Forbidden, why),
        Error::StepUp => AppError::new(ErrorKind::StepUp, "Confirm that it is you, and send this again."),
        Error::Stopped { reason } => AppError::new(ErrorKind::Forbidden, Error::stopped(&reason)),
        Error::Invalid(fields) => AppError::invalid(
            fields
                .into_iter()
                .map(|service::Field { name, message }| FieldError { field: name.to_owned(), message })
                .collect(),
        ),
        Error::Conflict(why) => AppError::new(ErrorKind::Conflict, why),
        // No page acts as a program.
        Error::Program(why) => AppError::new(ErrorKind::Forbidden, why.to_string()),
        Error::BadCredentials { tries_left } => AppError::new(
            ErrorKind::Invalid,
            match tries_left {
                None => "E-mail or password is wrong.".to_owned(),
                Some(0) => "E-mail or password is wrong. You can try again in a minute.".to_owned(),
                Some(1) => "E-mail or password is wrong. You can try once more before a pause of a minute.".to_owned(),
                Some(n) => {
                    format!("E-mail or password is wrong. You can try {n} more times before a pause of a minute.")
                }
            },
        ),
        Error::Paused { seconds } => {
            AppError::new(ErrorKind::TooMany, format!("Too many tries. You can try again in {seconds} seconds."))
        }
        Error::TooLong => AppError::new(
            ErrorKind::Busy,
            "Reading this list takes too long. Choose a project, a status or an environment, and try again.",
        ),
        Error::Busy => AppError::new(ErrorKind::Busy, "There is too much to do just now. Try again in a moment."),
        error @ (Error::Store(_) | Error::Internal(_)) => {
            let Trouble { status, detail, .. } = Trouble::report(&error);
            let kind = match status {
                StatusCode::INSUFFICIENT_STORAGE => ErrorKind::Full,
                StatusCode::SERVICE_UNAVAILABLE => ErrorKind::Busy,
                _ => ErrorKind::Internal,
            };
            AppError::new(kind, detail)
        }
    }
}

/// The filter of a list, from the arguments of a server function.
pub fn filter(status: &str, project: &str, environment: &str, sort: &str) -> KeyFilter {
    KeyFilter::read(|name| {
        let said = match name {
            "status" => status,
            "project" => project,
            "environment" => environment,
            "sort" => sort,
            _ => return None,
        };
        Some(said.to_owned())
    })
}

fn visit() -> Result<Visit, AppError> {
    extension().ok_or_else(|| AppError::new(ErrorKind::Internal, "There is no session."))
}

fn session_fault(error: tower_sessions::session::Error) -> AppError {
    if sessions::is_account_changed(&error) {
        let error = AppError::new(ErrorKind::Conflict, ACCOUNT_CHANGED);
        set_status(error.kind);
        return error;
    }
    let kind = match error {
        // The store's own error was logged where it was turned into this one.
        tower_sessions::session::Error::Store(tower_sessions::session_store::Error::Backend(_)) => ErrorKind::Busy,
        error => {
            tracing::error!(%error, "sessions.failed");
            ErrorKind::Internal
        }
    };
    let error = AppError::new(kind, "Your session could not be kept. Try again in a moment.");
    set_status(error.kind);
    error
}

/// Signs a person in on this browser.
///
/// # Errors
/// [`ErrorKind::Conflict`] if their account changed meanwhile; others if the session cannot be kept.
pub async fn start_session(who: impl Into<Entering>) -> Result<(), AppError> {
    let (visit, now) = (visit()?, app()?.ground.now());
    sessions::start(&visit, who.into(), now, now).await.map_err(session_fault)
}

/// Signs a person in on this browser, or leads them on to their second factor.
///
/// # Errors
/// If the session cannot be kept.
pub async fn enter(who: Entering, code_needed: bool) -> Result<Entrance, AppError> {
    if code_needed {
        start_pending_session(who).await?;
        return Ok(Entrance::Code);
    }
    start_session(who).await?;
    Ok(Entrance::In)
}

/// Keeps whose password was right on this browser, until their second factor is too.
///
/// # Errors
/// If the session cannot be kept.
async fn start_pending_session(who: Entering) -> Result<(), AppError> {
    let (visit, now) = (visit()?, app()?.ground.now());
    sessions::start_pending(&visit, who, now).await.map_err(session_fault)
}

/// Whose password was right on this browser, while their second factor is asked for.
pub fn pending() -> Option<Entering> {
    extension::<Visit>().and_then(|visit| visit.pending)
}

/// What this browser's session is stored under.
///
/// # Errors
/// If there is none: a fault of ours.
pub fn session_digest() -> Result<[u8; 32], AppError> {
    visit()?.digest().ok_or_else(|| AppError::new(ErrorKind::Internal, "There is no session."))
}

/// Checks a proof of who somebody is, and notes in their session that it was right.
///
/// # Errors
/// [`ErrorKind::StepUp`] if it is wrong, with the field `proof`; [`ErrorKind::TooMany`] after too many failures.
pub(super) async fn check_proof(app: &App, visit: &Visit, proof: &Password) -> Result<(), AppError> {
    let Some(caller) = &visit.caller else { return Ok(()) };
    let beside = |error: AppError| AppError {
        fields: vec![FieldError { field: "proof".to_owned(), message: error.message.clone() }],
        ..error
    };
    match app.accounts.prove(caller, proof).await {
        Ok(true) => sessions::prove(visit, app.ground.now()).await.map_err(session_fault),
        Ok(false) => Err(beside(AppError::new(ErrorKind::StepUp, "That was wrong. Nothing was done yet: try again."))),
        Err(error) => Err(beside(explain(error))),
    }
}

/// Checks a proof of who asks, and notes in their session that it was right.
///
/// # Errors
/// As [`check_proof`]; [`ErrorKind::SignedOut`] if nobody is signed in.
pub async fn confirm(proof: &Password) -> Result<(), AppError> {
    let (_, app) = caller()?;
    check_proof(&app, &visit()?, proof).await.inspect_err(|error| set_status(error.kind))
}

/// Signs out on this browser.
///
/// # Errors
/// If the session cannot be ended.
pub async fn end_session() -> Result<(), AppError> {
    sessions::end(&visit()?).await.map_err(session_fault)
}
