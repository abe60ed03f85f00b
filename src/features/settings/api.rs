//! Page data and form actions of the settings.

use crate::{
    domain::{theme::Theme, user::AccountForm},
    error::AppError,
    features::action::form_action,
    http::{context, theme::keep},
    service::Error,
};

/// The account of the person who is signed in.
pub async fn get_account() -> Result<AccountForm, AppError> {
    let (caller, app) = context::caller()?;
    context::answer(app.accounts.profile(&caller).await)
}

form_action! {
    /// Saves their name and time zone. `zone` is an IANA name, or empty: as the browser says.
    SaveAccount(#[serde(default)] name: String, #[serde(default)] zone: String) -> () {
        let (caller, app) = context::caller()?;
        context::answer(app.accounts.save_profile(&caller, &name, &zone).await)
    }
}

form_action! {
    /// Keeps `system`, `light` or `dark` in this browser, for all its users.
    SaveTheme(#[serde(default)] theme: String) -> () {
        let app = context::app()?;
        let theme: Theme = context::answer(theme.parse().map_err(|e| Error::field("theme", e)))?;
        keep(theme, app.config.public_url.is_https());
        Ok(())
    }
}
