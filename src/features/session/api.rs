//! The server functions of signing in, signing out and the first start.

use crate::{
    domain::{
        security::{Entrance, Proof},
        sensitive::Password,
        user::{Instance, Me},
    },
    error::AppError,
};
use leptos::prelude::*;

/// Who is signed in; `None` if nobody is.
#[server(name = GetMe, endpoint = "session/me")]
pub async fn me() -> Result<Option<Me>, AppError> {
    Ok(crate::http::context::signed_in().map(|caller| caller.me()))
}

/// What every page may know of this Keyward.
#[server(name = GetInstance, endpoint = "session/instance")]
pub async fn instance() -> Result<Instance, AppError> {
    use crate::http::context;
    let app = context::app()?;
    context::answer(app.accounts.instance().await)
}

/// Signs in, or leads on to the second factor. A wrong password and an unknown address get the same answer, in the same time.
#[server(endpoint = "session/sign_in")]
pub async fn sign_in(#[server(default)] email: String, password: Password) -> Result<Entrance, AppError> {
    use crate::http::context;
    let (app, origin) = (context::app()?, context::origin()?);
    let signed_in = context::answer(app.accounts.sign_in(&email, &password, &origin).await)?;
    context::enter(signed_in.who, signed_in.code_needed).await
}

/// Whether a password was right on this browser, and the second factor is asked for.
#[server(endpoint = "session/pending")]
pub async fn awaits_code() -> Result<bool, AppError> {
    Ok(crate::http::context::pending().is_some())
}

/// Signs in with a code of the second factor, or a recovery code, after the right password.
#[server(endpoint = "session/sign_in_code")]
pub async fn sign_in_code(one_time_code: Password) -> Result<(), AppError> {
    use crate::{error::ErrorKind, http::context};
    let (app, origin) = (context::app()?, context::origin()?);
    let Some(who) = context::pending() else {
        return context::refuse(AppError::new(ErrorKind::SignedOut, "This took too long. Sign in again."));
    };
    context::answer(app.accounts.sign_in_code(who.user, &one_time_code, &origin).await)?;
    context::start_session(who).await
}

/// How the person who is signed in proves again who they are.
#[server(name = GetProof, endpoint = "session/proof")]
pub async fn how_to_prove() -> Result<Proof, AppError> {
    use crate::http::context;
    let (caller, app) = context::caller()?;
    context::answer(app.accounts.proof_of(&caller).await)
}

/// Takes a proof of who is signed in: for a quarter of an hour what asks for one is open.
#[server(endpoint = "session/confirm")]
pub async fn confirm(proof: Password) -> Result<(), AppError> {
    crate::http::context::confirm(&proof).await
}

/// Ends this session.
#[server(endpoint = "session/sign_out")]
pub async fn sign_out() -> Result<(), AppError> {
    use crate::http::context;
    if let Some(caller) = context::signed_in() {
        context::answer(context::app()?.accounts.sign_out(&caller).await)?;
    }
    context::end_session().await
}

/// Makes the first administrator; asks for the code that was printed at this start.
#[server(endpoint = "session/setup")]
pub async fn set_up(
    #[server(default)] code: String,
    #[server(default)] name: String,
    #[server(default)] email: String,
    password: Password,
    #[server(default)] project: String,
) -> Result<(), AppError> {
    use crate::{http::context, service::accounts::FirstUser};
    let (app, origin) = (context::app()?, context::origin()?);
    let first = FirstUser { code, name, email, password, project };
    let user = context::answer(app.accounts.set_up(first, &origin).await)?;
    context::start_session(user).await
}
