//! Bridge from the Leptos context to the service: the caller of a request, and the status of its response.

use super::{AppState, failure::with_request_id, sessions, sessions::SessionContext, storage::log_error};
use crate::{
    domain::{error_chain::ErrorChain, security::SignInStep, sensitive::Password},
    error::{AppError, ErrorKind, FieldError},
    service::{
        self, Error, ErrorDescription, Kind, Services,
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

/// Sets the status of an error. The message of a failure (5xx) gets the request id.
fn respond_with(error: AppError) -> AppError {
    set_status(error.kind);
    let id = extension::<Origin>().and_then(|origin| origin.request_id);
    name_request(error, id.as_deref())
}

/// Appends the request id to the message of a failure (5xx).
fn name_request(error: AppError, request_id: Option<&str>) -> AppError {
    match request_id {
        Some(id) if error.kind.status() >= 500 => AppError { message: with_request_id(&error.message, id), ..error },
        _ => error,
    }
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
    Err(respond_with(error))
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
    result.map_err(|error| respond_with(convert(error)))
}

/// Converts a service error into a page error. `request_id`: the id of the request, which the message of a failure
/// names.
pub(super) fn to_app_error(error: Error, request_id: Option<&str>) -> AppError {
    name_request(convert(error), request_id)
}

/// Converts a service error, and logs a failure.
fn convert(error: Error) -> AppError {
    if error.is_failure() {
        log_error(&error, None);
    }
    let ErrorDescription { kind, for_users, .. } = error.describe();
    match error {
        Error::Invalid(fields) => AppError::invalid(
            fields
                .into_iter()
                .map(|service::InvalidField { name, message }| FieldError { field: name.to_owned(), message })
                .collect(),
        ),
        _ => AppError::new(page_kind(kind), for_users),
    }
}

/// Returns the kind of a page error, which has a status of its own ([`ErrorKind::status`]).
const fn page_kind(kind: Kind) -> ErrorKind {
    match kind {
        Kind::NotFound => ErrorKind::NotFound,
        // No page acts as a management client.
        Kind::Forbidden | Kind::AccessLost => ErrorKind::Forbidden,
        Kind::ReauthenticationRequired => ErrorKind::StepUp,
        Kind::Invalid | Kind::BadCredentials => ErrorKind::Invalid,
        Kind::Conflict | Kind::Stale => ErrorKind::Conflict,
        Kind::TooManyAttempts => ErrorKind::TooMany,
        Kind::Unavailable => ErrorKind::Busy,
        Kind::StorageFull => ErrorKind::Full,
        Kind::Internal => ErrorKind::Internal,
    }
}

fn session_context() -> Result<SessionContext, AppError> {
    extension().ok_or_else(|| AppError::new(ErrorKind::Internal, "The session context is missing."))
}

fn session_error(error: tower_sessions::session::Error) -> AppError {
    if sessions::is_account_changed(&error) {
        return respond_with(AppError::new(ErrorKind::Conflict, ACCOUNT_CHANGED));
    }
    let kind = match error {
        // The store's error was logged where it was converted into this one.
        tower_sessions::session::Error::Store(tower_sessions::session_store::Error::Backend(_)) => ErrorKind::Busy,
        error => {
            tracing::error!(error = %ErrorChain(&error), "sessions.failed");
            ErrorKind::Internal
        }
    };
    respond_with(AppError::new(kind, "Your session could not be saved. Try again in a moment."))
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
        Err(error) => Err(beside(to_app_error(error, caller.origin.request_id.as_deref()))),
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
