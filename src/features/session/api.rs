//! Page data and form actions of signing in, signing out and the first start.

use crate::{
    domain::{
        security::{Entrance, Proof},
        sensitive::Password,
        user::{Instance, Me},
    },
    error::{AppError, ErrorKind},
    features::action::form_action,
    http::context,
    service::accounts::FirstUser,
};

/// The user who is signed in, if there is one.
pub async fn me() -> Result<Option<Me>, AppError> {
    Ok(context::signed_in().map(|caller| caller.me()))
}

/// What every page may know of this Keyward.
pub async fn instance() -> Result<Instance, AppError> {
    let app = context::app()?;
    context::answer(app.accounts.instance().await)
}

form_action! {
    /// Signs in, or leads on to the second factor. A wrong password and an unknown address get the same answer, in the same time.
    SignIn(#[serde(default)] email: String, password: Password) -> Entrance {
        let (app, origin) = (context::app()?, context::origin()?);
        let signed_in = context::answer(app.accounts.sign_in(&email, &password, &origin).await)?;
        context::enter(signed_in.who, signed_in.code_needed).await
    }
}

/// Whether this browser has sent the right password and still needs the second factor.
pub async fn awaits_code() -> Result<bool, AppError> {
    Ok(context::pending().is_some())
}

form_action! {
    /// Signs in with a code of the second factor, or a recovery code, after the right password.
    SignInCode(one_time_code: Password) -> () {
        let (app, origin) = (context::app()?, context::origin()?);
        let Some(who) = context::pending() else {
            return context::refuse(AppError::new(ErrorKind::SignedOut, "This took too long. Sign in again."));
        };
        context::answer(app.accounts.sign_in_code(who.user, &one_time_code, &origin).await)?;
        context::start_session(who).await
    }
}

/// How the person who is signed in proves again who they are.
pub async fn how_to_prove() -> Result<Proof, AppError> {
    let (caller, app) = context::caller()?;
    context::answer(app.accounts.proof_of(&caller).await)
}

form_action! {
    /// Checks a proof of identity. Actions that require a fresh proof are open for the next 15 minutes.
    Confirm(proof: Password) -> () {
        context::confirm(&proof).await
    }
}

form_action! {
    /// Ends this session.
    SignOut() -> () {
        if let Some(caller) = context::signed_in() {
            context::answer(context::app()?.accounts.sign_out(&caller).await)?;
        }
        context::end_session().await
    }
}

form_action! {
    /// Creates the first administrator; requires the code that was printed at this start.
    SetUp(
        #[serde(default)] code: String,
        #[serde(default)] name: String,
        #[serde(default)] email: String,
        password: Password,
        #[serde(default)] project: String,
    ) -> () {
        let (app, origin) = (context::app()?, context::origin()?);
        let first = FirstUser { code, name, email, password, project };
        let user = context::answer(app.accounts.set_up(first, &origin).await)?;
        context::start_session(user).await
    }
}
