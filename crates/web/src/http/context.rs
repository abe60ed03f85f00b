//! Bridge from the Leptos context to the service: the caller of a request, and the status of its response.

use super::{AppState, sessions, sessions::SessionContext, storage::StorageProblem};
use crate::{
    domain::{filter::KeyFilter, security::SignInStep, sensitive::Password},
    error::{AppError, ErrorKind, FieldError},
    service::{
        self, Error, Services,
        accounts::{ACCOUNT_CHANGED, PendingSession},
        actor::{Caller, Origin},
    },
};
use axum::http::{HeaderValue, StatusCode, header, request::Parts};
use leptos::prelude::{use_context, with_context};
use leptos_axum::ResponseOptions;

/// Returns an extension of the current request.
fn extension<T: Clone + Send + Sync + 'static>() -> Option<T> {
    with_context::<Parts, _>(|parts| parts.extensions.get::<T>().cloned()).flatten()
}

/// Returns the service.
///
/// # Errors
/// [`ErrorKind::Internal`] outside of a request, which is a bug.
pub fn app() -> Result<Services, AppError> {
    let state = use_context::<AppState>();
    state.map(|state| state.app).ok_or_else(|| AppError::new(ErrorKind::Internal, "The request context is missing."))
}

/// Returns the origin of the current request: client address, user agent, request id, and time zone.
///
/// # Errors
/// [`ErrorKind::Internal`] outside of a request, which is a bug.
pub fn origin() -> Result<Origin, AppError> {
    extension().ok_or_else(|| AppError::new(ErrorKind::Internal, "The request context is missing."))
}

/// Returns the signed-in user, if any.
pub fn signed_in() -> Option<Caller> {
    extension::<SessionContext>().and_then(|visit| visit.caller)
}

/// Returns the signed-in user and the service.
///
/// # Errors
/// [`ErrorKind::SignedOut`] if no user is signed in.
pub fn caller() -> Result<(Caller, Services), AppError> {
    let Some(caller) = signed_in() else { return Err(signed_out_error()) };
    Ok((caller, app()?))
}

/// Returns the error for a caller without a session, and sets its status.
pub fn signed_out_error() -> AppError {
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

/// Returns the error and sets its status.
///
/// # Errors
/// Always returns `error`.
pub fn fail_with<T>(error: AppError) -> Result<T, AppError> {
    set_status(error.kind);
    Err(error)
}

/// Sets `Cache-Control: no-store` on the response.
pub fn no_store() {
    if let Some(options) = use_context::<ResponseOptions>() {
        options.insert_header(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}

/// Adds an origin to the `form-action` directive of the page. The caller must have validated the origin.
pub fn allow_form_action(origin: &str) {
    const OWN: &str = "form-action 'self'";
    let Some(options) = use_context::<ResponseOptions>() else { return };
    let policy = options.0.read().ok().and_then(|parts| parts.headers.get(header::CONTENT_SECURITY_POLICY).cloned());
    let Some(policy) = policy.as_ref().and_then(|policy| policy.to_str().ok()) else { return };
    if let Ok(policy) = HeaderValue::from_str(&policy.replace(OWN, &format!("{OWN} {origin}"))) {
        options.insert_header(header::CONTENT_SECURITY_POLICY, policy);
    }
}

/// Converts a service error into an error for the user, and sets its status.
///
/// # Errors
/// The converted service error.
pub fn to_app_result<T>(result: Result<T, Error>) -> Result<T, AppError> {
    result.map_err(|error| {
        let error = to_app_error(error);
        set_status(error.kind);
        error
    })
}

/// Converts a service error into a page error.
pub(super) fn to_app_error(error: Error) -> AppError {
    match error {
        Error::NotFound => {
            AppError::new(ErrorKind::NotFound, "This item does not exist, or you do not have access to it.")
        }
        Error::Forbidden(why) => AppError::new(ErrorKind::Forbidden, why),
        Error::ReauthenticationRequired => {
            AppError::new(ErrorKind::StepUp, "Confirm your identity, then submit the form again.")
        }
        Error::Stopped { reason } => AppError::new(ErrorKind::Forbidden, Error::stopped_message(&reason)),
        Error::Invalid(fields) => AppError::invalid(
            fields
                .into_iter()
                .map(|service::InvalidField { name, message }| FieldError { field: name.to_owned(), message })
                .collect(),
        ),
        Error::Conflict(why) => AppError::new(ErrorKind::Conflict, why),
        // No page acts as a management client.
        Error::Management(why) => AppError::new(ErrorKind::Forbidden, why.to_string()),
        Error::BadCredentials { tries_left } => AppError::new(
            ErrorKind::Invalid,
            match tries_left {
                None => "Wrong email or password.".to_owned(),
                Some(0) => "Wrong email or password. Try again in 1 minute.".to_owned(),
                Some(1) => "Wrong email or password. You have 1 attempt left before a 1-minute pause.".to_owned(),
                Some(n) => {
                    format!("Wrong email or password. You have {n} attempts left before a 1-minute pause.")
                }
            },
        ),
        Error::Paused { seconds } => {
            AppError::new(ErrorKind::TooMany, format!("Too many attempts. Try again in {seconds} seconds."))
        }
        Error::TooLong => AppError::new(
            ErrorKind::Busy,
            "Loading this list took too long. Filter by project, status, or environment, and try again.",
        ),
        Error::Busy => AppError::new(ErrorKind::Busy, "The server is busy. Try again in a moment."),
        error @ (Error::Store(_) | Error::Internal(_)) => {
            let StorageProblem { status, detail, .. } = StorageProblem::report(&error);
            let kind = match status {
                StatusCode::INSUFFICIENT_STORAGE => ErrorKind::Full,
                StatusCode::SERVICE_UNAVAILABLE => ErrorKind::Busy,
                _ => ErrorKind::Internal,
            };
            AppError::new(kind, detail)
        }
    }
}

/// Builds the filter of a list from the values of its query.
pub fn key_filter(status: &str, project: &str, environment: &str, sort: &str) -> KeyFilter {
    KeyFilter::from_query(|name| {
        let value = match name {
            "status" => status,
            "project" => project,
            "environment" => environment,
            "sort" => sort,
            _ => return None,
        };
        Some(value.to_owned())
    })
}

fn session_context() -> Result<SessionContext, AppError> {
    extension().ok_or_else(|| AppError::new(ErrorKind::Internal, "The session context is missing."))
}

fn session_error(error: tower_sessions::session::Error) -> AppError {
    if sessions::is_account_changed(&error) {
        let error = AppError::new(ErrorKind::Conflict, ACCOUNT_CHANGED);
        set_status(error.kind);
        return error;
    }
    let kind = match error {
        // The store's error was logged where it was converted into this one.
        tower_sessions::session::Error::Store(tower_sessions::session_store::Error::Backend(_)) => ErrorKind::Busy,
        error => {
            tracing::error!(%error, "sessions.failed");
            ErrorKind::Internal
        }
    };
    let error = AppError::new(kind, "Your session could not be saved. Try again in a moment.");
    set_status(error.kind);
    error
}

/// Starts a session for a user in this browser.
///
/// # Errors
/// [`ErrorKind::Conflict`] if the account changed meanwhile; other kinds if the session cannot be saved.
pub async fn start_session(who: impl Into<PendingSession>) -> Result<(), AppError> {
    let (visit, now) = (session_context()?, app()?.context.now());
    sessions::start(&visit, who.into(), now, now).await.map_err(session_error)
}

/// Starts a session for a user in this browser, or a pending session if the second factor is still required.
///
/// # Errors
/// If the session cannot be saved.
pub async fn sign_in(who: PendingSession, code_needed: bool) -> Result<SignInStep, AppError> {
    if code_needed {
        start_pending_session(who).await?;
        return Ok(SignInStep::Code);
    }
    start_session(who).await?;
    Ok(SignInStep::In)
}

/// Starts a pending session: the password was correct, the second factor is still required.
///
/// # Errors
/// If the session cannot be saved.
async fn start_pending_session(who: PendingSession) -> Result<(), AppError> {
    let (visit, now) = (session_context()?, app()?.context.now());
    sessions::start_pending(&visit, who, now).await.map_err(session_error)
}

/// Returns the pending session of this browser: the password was correct, the second factor is still required.
pub fn pending_session() -> Option<PendingSession> {
    extension::<SessionContext>().and_then(|visit| visit.pending)
}

/// Returns the digest under which this browser's session is stored.
///
/// # Errors
/// [`ErrorKind::Internal`] if there is no session, which is a bug.
pub fn session_digest() -> Result<[u8; 32], AppError> {
    session_context()?.digest().ok_or_else(|| AppError::new(ErrorKind::Internal, "The session context is missing."))
}

/// Checks a reauthentication and records it in the session.
///
/// # Errors
/// [`ErrorKind::StepUp`] with the field `proof` if it is wrong; [`ErrorKind::TooMany`] after too many failures.
pub(super) async fn verify_reauthentication(
    app: &Services,
    visit: &SessionContext,
    proof: &Password,
) -> Result<(), AppError> {
    let Some(caller) = &visit.caller else { return Ok(()) };
    let beside = |error: AppError| AppError {
        fields: vec![FieldError { field: "proof".to_owned(), message: error.message.clone() }],
        ..error
    };
    match app.accounts.reauthenticate(caller, proof).await {
        Ok(true) => sessions::mark_reauthenticated(visit, app.context.now()).await.map_err(session_error),
        Ok(false) => {
            Err(beside(AppError::new(ErrorKind::StepUp, "Wrong password or code. Nothing was changed. Try again.")))
        }
        Err(error) => Err(beside(to_app_error(error))),
    }
}

/// Reauthenticates the caller and records it in their session.
///
/// # Errors
/// As [`verify_reauthentication`]; [`ErrorKind::SignedOut`] if no user is signed in.
pub async fn reauthenticate(proof: &Password) -> Result<(), AppError> {
    let (_, app) = caller()?;
    verify_reauthentication(&app, &session_context()?, proof).await.inspect_err(|error| set_status(error.kind))
}

/// Ends this browser's session.
///
/// # Errors
/// If the session cannot be ended.
pub async fn end_session() -> Result<(), AppError> {
    sessions::end(&session_context()?).await.map_err(session_error)
}
