//! Page data and form actions of sign-in, sign-out, and first setup.

use crate::{
    domain::{
        security::{ReauthenticationMethod, SignInStep},
        sensitive::Password,
        user::{CurrentUser, Instance},
    },
    error::{AppError, ErrorKind},
    features::action::form_action,
    http::context,
    service::accounts::FirstUser,
};

/// Returns the user of the session, if there is one.
pub async fn me() -> Result<Option<CurrentUser>, AppError> {
    Ok(context::signed_in().map(|caller| caller.current_user()))
}

/// Returns the public information on this instance, for every page.
pub async fn instance() -> Result<Instance, AppError> {
    let app = context::app()?;
    context::to_app_result(app.accounts.instance().await)
}

form_action! {
    /// Signs in, or redirects to the second factor. A wrong password and an unknown address get the same response in
    /// the same time.
    SignIn(#[serde(default)] email: String, password: Password) -> SignInStep {
        let (app, origin) = (context::app()?, context::origin()?);
        let signed_in = context::to_app_result(app.accounts.sign_in(&email, &password, &origin).await)?;
        context::sign_in(signed_in.pending_session, signed_in.requires_code).await
    }
}

/// Returns whether this browser has sent the correct password and still needs the second factor.
pub async fn needs_second_factor() -> Result<bool, AppError> {
    Ok(context::pending_session().is_some())
}

form_action! {
    /// Signs in with a one-time code of the second factor or a recovery code, after the correct password.
    SignInCode(one_time_code: Password) -> () {
        let (app, origin) = (context::app()?, context::origin()?);
        let Some(who) = context::pending_session() else {
            return context::fail_with(AppError::new(ErrorKind::SignedOut, "Your sign-in expired. Sign in again."));
        };
        context::to_app_result(app.accounts.sign_in_code(who.user, &one_time_code, &origin).await)?;
        context::start_session(who).await
    }
}

/// Returns the reauthentication method of the user.
pub async fn reauthentication_method() -> Result<ReauthenticationMethod, AppError> {
    let (caller, app) = context::caller()?;
    context::to_app_result(app.accounts.reauthentication_method(&caller).await)
}

form_action! {
    /// Reauthenticates the user. Actions that require recent reauthentication are available for the next 15 minutes.
    Confirm(proof: Password) -> () {
        context::reauthenticate(&proof).await
    }
}

form_action! {
    /// Ends the current session.
    SignOut() -> () {
        if let Some(caller) = context::signed_in() {
            context::to_app_result(context::app()?.accounts.sign_out(&caller).await)?;
        }
        context::end_session().await
    }
}

form_action! {
    /// Creates the first administrator. Requires the setup code that the server printed when it started.
    SetUp(
        #[serde(default)] code: String,
        #[serde(default)] name: String,
        #[serde(default)] email: String,
        password: Password,
        #[serde(default)] project: String,
    ) -> () {
        let (app, origin) = (context::app()?, context::origin()?);
        let first = FirstUser { code, name, email, password, project };
        let user = context::to_app_result(app.accounts.set_up(first, &origin).await)?;
        context::start_session(user).await
    }
}
