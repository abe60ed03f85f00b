//! The server functions of the policy. For whoever is no administrator there is nothing here.

#![allow(clippy::too_many_arguments, reason = "one argument a field of the form")]

use crate::{
    domain::policy::{PolicyForm, PolicySaved},
    error::AppError,
};
use leptos::prelude::*;

/// What the form needs: the policy that holds.
#[server(name = GetPolicyForm, endpoint = "admin/policy/get")]
pub async fn policy_form() -> Result<PolicyForm, AppError> {
    use crate::http::context;
    let (caller, app) = context::caller()?;
    context::answer(app.policy.form(&caller).await)
}

/// Writes the policy. `may_never_expire` is a checkbox; `confirmed` comes from an answer that said what it touches.
#[server(endpoint = "admin/policy/save")]
pub async fn save_policy(
    #[server(default)] version: String,
    #[server(default)] key_life_max: String,
    #[server(default)] may_never_expire: String,
    #[server(default)] token_life: String,
    #[server(default)] token_unit: String,
    #[server(default)] sign_up: String,
    #[server(default)] keys_per_project: String,
    #[server(default)] second_factor: String,
    #[server(default)] confirmed: String,
) -> Result<PolicySaved, AppError> {
    use crate::{domain::policy::PolicyDraft, http::context};
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
