//! Page data and form actions of the user's security settings.

use crate::{
    domain::{
        security::{RecoveryCodes, SecondFactorEnrollment, Security},
        sensitive::Password,
    },
    error::AppError,
    features::action::form_action,
    http::context,
};

/// Returns the data of the security page for the user.
pub async fn get_security() -> Result<Security, AppError> {
    let (caller, app) = context::caller()?;
    context::to_app_result(app.accounts.security(&caller, context::session_digest().ok()).await)
}

form_action! {
    /// Changes the password and ends the user's other sessions.
    ChangePassword(password: Password, new_password: Password) -> () {
        let (caller, app) = context::caller()?;
        let here = context::session_digest()?;
        context::to_app_result(app.accounts.change_password(&caller, &password, &new_password, here).await)
    }
}

form_action! {
    /// Ends one of the user's own sessions, identified by its handle.
    EndSession(#[serde(default)] session: String) -> () {
        let (caller, app) = context::caller()?;
        context::to_app_result(app.accounts.end_session(&caller, &session).await)
    }
}

form_action! {
    /// Ends all of the user's sessions except the current one.
    EndOtherSessions() -> () {
        let (caller, app) = context::caller()?;
        let here = context::session_digest()?;
        context::to_app_result(app.accounts.end_other_sessions(&caller, here).await)
    }
}

/// Generates a secret for a second factor, or returns the secret in `sealed` again. Nothing is stored.
pub async fn begin_second_factor(sealed: String) -> Result<SecondFactorEnrollment, AppError> {
    let (caller, app) = context::caller()?;
    context::no_store();
    context::to_app_result(app.accounts.begin_second_factor(&caller, &sealed).await)
}

form_action! {
    /// Turns the second factor on. The recovery codes are only in this response.
    ConfirmSecondFactor(#[serde(default)] sealed: String, one_time_code: Password) -> RecoveryCodes {
        let (caller, app) = context::caller()?;
        context::no_store();
        context::to_app_result(app.accounts.confirm_second_factor(&caller, &sealed, &one_time_code).await)
    }
}

form_action! {
    /// Turns the second factor off. Requires recent reauthentication.
    TurnOffSecondFactor() -> () {
        let (caller, app) = context::caller()?;
        context::to_app_result(app.accounts.turn_off_second_factor(&caller).await)
    }
}

form_action! {
    /// Replaces all recovery codes. Requires recent reauthentication.
    NewRecoveryCodes() -> RecoveryCodes {
        let (caller, app) = context::caller()?;
        context::no_store();
        context::to_app_result(app.accounts.new_recovery_codes(&caller).await)
    }
}
