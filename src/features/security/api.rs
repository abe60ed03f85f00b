//! The server functions of a person's own security.

use crate::{
    domain::{
        security::{Enrolment, RecoveryCodes, Security},
        sensitive::Password,
    },
    error::AppError,
};
use leptos::prelude::*;

/// What the page of security shows to the person who is signed in.
#[server(endpoint = "security/get")]
pub async fn get_security() -> Result<Security, AppError> {
    use crate::http::context;
    let (caller, app) = context::caller()?;
    context::answer(app.accounts.security(&caller, context::session_digest().ok()).await)
}

/// Changes the password, and ends the other sessions.
#[server(endpoint = "security/change_password")]
pub async fn change_password(password: Password, new_password: Password) -> Result<(), AppError> {
    use crate::http::context;
    let (caller, app) = context::caller()?;
    let here = context::session_digest()?;
    context::answer(app.accounts.change_password(&caller, &password, &new_password, here).await)
}

/// Ends one of the person's own sessions, named by its handle.
#[server(endpoint = "security/end_session")]
pub async fn end_session(#[server(default)] session: String) -> Result<(), AppError> {
    use crate::http::context;
    let (caller, app) = context::caller()?;
    context::answer(app.accounts.end_session(&caller, &session).await)
}

/// Ends all of the person's sessions but this one.
#[server(endpoint = "security/end_sessions")]
pub async fn end_other_sessions() -> Result<(), AppError> {
    use crate::http::context;
    let (caller, app) = context::caller()?;
    let here = context::session_digest()?;
    context::answer(app.accounts.end_other_sessions(&caller, here).await)
}

/// Makes a secret for a second factor, or shows again the one in `sealed`. Nothing is stored.
#[server(endpoint = "security/begin")]
pub async fn begin_second_factor(#[server(default)] sealed: String) -> Result<Enrolment, AppError> {
    use crate::http::context;
    let (caller, app) = context::caller()?;
    context::no_store();
    context::answer(app.accounts.begin_second_factor(&caller, &sealed).await)
}

/// Turns the second factor on. The recovery codes are in the answer, and nowhere else.
#[server(endpoint = "security/turn_on")]
pub async fn confirm_second_factor(
    #[server(default)] sealed: String,
    one_time_code: Password,
) -> Result<RecoveryCodes, AppError> {
    use crate::http::context;
    let (caller, app) = context::caller()?;
    context::no_store();
    context::answer(app.accounts.confirm_second_factor(&caller, &sealed, &one_time_code).await)
}

/// Turns the second factor off; asks for a fresh proof.
#[server(endpoint = "security/turn_off")]
pub async fn turn_off_second_factor() -> Result<(), AppError> {
    use crate::http::context;
    let (caller, app) = context::caller()?;
    context::answer(app.accounts.turn_off_second_factor(&caller).await)
}

/// Makes new recovery codes in place of all that there were; asks for a fresh proof.
#[server(endpoint = "security/new_codes")]
pub async fn new_recovery_codes() -> Result<RecoveryCodes, AppError> {
    use crate::http::context;
    let (caller, app) = context::caller()?;
    context::no_store();
    context::answer(app.accounts.new_recovery_codes(&caller).await)
}
