//! The server functions of the settings.

use crate::{domain::user::AccountForm, error::AppError};
use leptos::prelude::*;

/// The account of the person who is signed in.
#[server(endpoint = "settings/account")]
pub async fn get_account() -> Result<AccountForm, AppError> {
    use crate::http::context;
    let (caller, app) = context::caller()?;
    context::answer(app.accounts.profile(&caller).await)
}

/// Saves their name and time zone. `zone` is an IANA name, or empty: as the browser says.
#[server(endpoint = "settings/save_account")]
pub async fn save_account(#[server(default)] name: String, #[server(default)] zone: String) -> Result<(), AppError> {
    use crate::http::context;
    let (caller, app) = context::caller()?;
    context::answer(app.accounts.save_profile(&caller, &name, &zone).await)
}

/// Keeps `system`, `light` or `dark` in this browser, whoever is signed in.
#[server(endpoint = "settings/theme")]
pub async fn save_theme(#[server(default)] theme: String) -> Result<(), AppError> {
    use crate::{
        domain::theme::Theme,
        http::{context, theme::keep},
        service::Error,
    };
    let app = context::app()?;
    let theme: Theme = context::answer(theme.parse().map_err(|e| Error::field("theme", e)))?;
    keep(theme, app.config.public_url.is_https());
    Ok(())
}
