//! The server functions of signing up and of a new password.

use crate::{
    domain::{entry::Welcome, sensitive::Password},
    error::AppError,
};
use leptos::prelude::*;

/// Asks for the link to an account. The answer is the same for every address.
#[server(endpoint = "entry/ask_sign_up")]
pub async fn ask_sign_up(#[server(default)] email: String) -> Result<(), AppError> {
    use crate::http::context;
    let (app, origin) = (context::app()?, context::origin()?);
    context::answer(app.accounts.ask_sign_up(&email, &origin).await)
}

/// Whom a code lets make an account.
#[server(name = GetWelcome, endpoint = "entry/welcome")]
pub async fn welcome(#[server(default)] code: String) -> Result<Welcome, AppError> {
    use crate::http::context;
    let app = context::app()?;
    context::answer(app.accounts.welcome(&code).await)
}

/// Makes the account, signs in, and says where to go next.
#[server(endpoint = "entry/sign_up")]
pub async fn sign_up(
    #[server(default)] code: String,
    #[server(default)] name: String,
    password: Password,
) -> Result<String, AppError> {
    use crate::{http::context, service::accounts::NewAccount};
    let (app, origin) = (context::app()?, context::origin()?);
    let (user, next) = context::answer(app.accounts.sign_up(NewAccount { code, name, password }, &origin).await)?;
    context::start_session(user).await?;
    Ok(next)
}

/// Asks for the link to a new password. The answer is the same for every address.
#[server(endpoint = "entry/ask_reset")]
pub async fn ask_reset(#[server(default)] email: String) -> Result<(), AppError> {
    use crate::http::context;
    let (app, origin) = (context::app()?, context::origin()?);
    context::answer(app.accounts.ask_reset(&email, &origin).await)
}

/// Whether a code lets choose a new password.
#[server(endpoint = "entry/reset_opens")]
pub async fn reset_opens(#[server(default)] code: String) -> Result<(), AppError> {
    use crate::http::context;
    let app = context::app()?;
    context::answer(app.accounts.reset_opens(&code).await)
}

/// Sets a new password and ends every session of the person, this browser's too. Nobody is signed in by it.
#[server(endpoint = "entry/reset")]
pub async fn reset_password(#[server(default)] code: String, password: Password) -> Result<(), AppError> {
    use crate::http::context;
    let (app, origin) = (context::app()?, context::origin()?);
    context::answer(app.accounts.reset_password(&code, &password, &origin).await)
}
