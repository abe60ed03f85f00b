//! Page data and the form action of the policy. For all users except administrators the response is 404.

use crate::{
    domain::policy::{PolicyDraft, PolicyForm, PolicySaved},
    error::AppError,
    features::action::form_action,
    http::context,
};

/// Returns the data of the form: the current policy.
pub async fn policy_form() -> Result<PolicyForm, AppError> {
    let (caller, app) = context::caller()?;
    context::to_app_result(app.policy.form(&caller).await)
}

form_action! {
    /// Saves the policy. `may_never_expire` is a checkbox; `confirmed` comes from a response that listed the effects of
    /// the change.
    SavePolicy(
        #[serde(default)] version: String,
        #[serde(default)] key_life_max: String,
        #[serde(default)] may_never_expire: String,
        #[serde(default)] token_life: String,
        #[serde(default)] token_unit: String,
        #[serde(default)] sign_up: String,
        #[serde(default)] keys_per_project: String,
        #[serde(default)] second_factor: String,
        #[serde(default)] confirmed: String,
    ) -> PolicySaved {
        let (caller, app) = context::caller()?;
        let draft = PolicyDraft {
            key_life_max,
            may_never_expire: !may_never_expire.is_empty(),
            token_life,
            token_unit,
            sign_up,
            keys_per_project,
            second_factor,
            version,
        };
        context::to_app_result(app.policy.save(&caller, draft, &confirmed).await)
    }
}
