//! Page data and form actions of registration and password reset.

use crate::{
    domain::{registration::RegistrationPrefill, sensitive::Password},
    error::AppError,
    features::action::form_action,
    http::context,
    service::accounts::NewAccount,
};

form_action! {
    /// Requests a one-time link for registration. The response is the same for every address.
    RequestSignUpLink(#[serde(default)] email: String) -> () {
        let (app, origin) = (context::app()?, context::origin()?);
        context::to_app_result(app.accounts.request_sign_up(&email, &origin).await)
    }
}

/// Returns the email address that the code of a one-time link can register.
pub async fn registration_prefill(code: String) -> Result<RegistrationPrefill, AppError> {
    let app = context::app()?;
    context::to_app_result(app.accounts.registration_prefill(&code).await)
}

form_action! {
    /// Creates the account, starts a session, and returns the path of the next page.
    SignUp(#[serde(default)] code: String, #[serde(default)] name: String, password: Password) -> String {
        let (app, origin) = (context::app()?, context::origin()?);
        let (user, next) = context::to_app_result(app.accounts.sign_up(NewAccount { code, name, password }, &origin).await)?;
        context::start_session(user).await?;
        Ok(next)
    }
}

form_action! {
    /// Requests a one-time link for a password reset. The response is the same for every address.
    RequestPasswordReset(#[serde(default)] email: String) -> () {
        let (app, origin) = (context::app()?, context::origin()?);
        context::to_app_result(app.accounts.request_reset(&email, &origin).await)
    }
}

/// Checks that the code of a one-time link can reset a password.
pub async fn check_reset_link(code: String) -> Result<(), AppError> {
    let app = context::app()?;
    context::to_app_result(app.accounts.check_reset_code(&code).await)
}

form_action! {
    /// Sets a new password and ends all sessions of the user, including the session of this browser. It does not start
    /// a session.
    ResetPassword(#[serde(default)] code: String, password: Password) -> () {
        let (app, origin) = (context::app()?, context::origin()?);
        context::to_app_result(app.accounts.reset_password(&code, &password, &origin).await)
    }
}
