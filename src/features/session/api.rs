//! The server functions of signing in, signing out and the first start.

use crate::{
    domain::{
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

/// Signs in. A wrong password and an unknown address get the same answer, in the same time.
#[server(endpoint = "session/sign_in")]
pub async fn sign_in(#[server(default)] email: String, password: Password) -> Result<(), AppError> {
    use crate::http::context;
    let (app, origin) = (context::app()?, context::origin()?);
    let user = context::answer(app.accounts.sign_in(&email, &password, &origin).await)?;
    context::start_session(user).await
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
