//! Page data and form actions of the user settings.

use crate::{
    domain::{theme::Theme, user::AccountForm},
    error::AppError,
    features::action::form_action,
    http::{context, theme_cookie::set_cookie},
    service::Error,
};

/// Returns the account of the user.
pub async fn get_account() -> Result<AccountForm, AppError> {
    let (caller, app) = context::caller()?;
    context::to_app_result(app.accounts.profile(&caller).await)
}

form_action! {
    /// Saves the user's name and time zone. `zone` is an IANA name; if it is empty, the browser's time zone applies.
    SaveAccount(#[serde(default)] name: String, #[serde(default)] zone: String) -> () {
        let (caller, app) = context::caller()?;
        context::to_app_result(app.accounts.save_profile(&caller, &name, &zone).await)
    }
}

form_action! {
    /// Saves the theme (`system`, `light`, or `dark`) in a cookie of this browser. It applies to all users of the
    /// browser.
    SaveTheme(#[serde(default)] theme: String) -> () {
        let app = context::app()?;
        let theme: Theme = context::to_app_result(theme.parse().map_err(|e| Error::field("theme", e)))?;
        set_cookie(theme, app.config.public_url.is_https());
        Ok(())
    }
}
