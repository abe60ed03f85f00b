//! Page data and the form action of the policy. For anyone but an administrator the response is 404.

use crate::{
    domain::policy::{PolicyDraft, PolicyForm, PolicySaved},
    error::AppError,
    features::action::form_action,
    http::context,
};

/// What the form needs: the policy that holds.
pub async fn policy_form() -> Result<PolicyForm, AppError> {
    let (caller, app) = context::caller()?;
    context::answer(app.policy.form(&caller).await)
}

form_action! {
    /// Writes the policy. `may_never_expire` is a checkbox; `confirmed` comes from a response that listed what the change affects.
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
        context::answer(app.policy.save(&caller, draft, &confirmed).await)
    }
}
