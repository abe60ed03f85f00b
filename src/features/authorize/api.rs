//! The server functions of consent.

use crate::{
    domain::{
        consent::{Allowed, Answered, Authorization},
        ids::{ClientId, GrantId, ProjectId},
    },
    error::AppError,
};
use leptos::prelude::*;

/// What becomes of a request to be allowed something: the query of `/authorize`. Whoever is not signed in learns only of requests
/// that are put to nobody.
#[server(name = GetAuthorization, endpoint = "authorize/get")]
pub async fn authorization(#[server(default)] request: String) -> Result<Authorization, AppError> {
    use crate::http::context;
    let (app, who) = (context::app()?, context::signed_in());
    let (asked, leads) = context::answer(app.consent.ask(who.as_ref(), &request).await)?;
    if let Some(leads) = leads {
        context::may_lead_to(&leads);
    }
    match asked {
        Some(asked) => Ok(asked),
        None => Err(context::signed_out()),
    }
}

/// The person's answer to the same request: `allow`, with the scopes that are left ticked and the seconds for which; or no.
#[server(endpoint = "authorize/answer")]
pub async fn answer_authorization(
    #[server(default)] request: String,
    #[server(default)] answer: String,
    #[server(default)] scopes: Vec<String>,
    #[server(default)] life: i64,
) -> Result<Answered, AppError> {
    use crate::http::context;
    let (caller, app) = context::caller()?;
    context::no_store();
    context::answer(match answer.as_str() {
        "allow" => app.consent.allow(&caller, &request, scopes, life).await,
        _ => app.consent.deny(&request).await,
    })
}

/// Whether a device waits with this code: the code, for the page that asks.
#[server(endpoint = "device/check")]
pub async fn check_device(#[server(default)] user_code: String) -> Result<String, AppError> {
    use crate::http::context;
    let (caller, app) = context::caller()?;
    context::answer(app.consent.ask_for_device(&caller, &user_code).await).map(|_| user_code)
}

/// What the device with this code asks.
#[server(name = GetDevice, endpoint = "device/get")]
pub async fn device(#[server(default)] user_code: String) -> Result<Authorization, AppError> {
    use crate::http::context;
    let (caller, app) = context::caller()?;
    context::answer(app.consent.ask_for_device(&caller, &user_code).await)
}

/// The person's answer to the device with this code; says whether it was yes.
#[server(endpoint = "device/answer")]
pub async fn answer_device(
    #[server(default)] user_code: String,
    #[server(default)] answer: String,
    #[server(default)] scopes: Vec<String>,
    #[server(default)] life: i64,
) -> Result<bool, AppError> {
    use crate::http::context;
    let (caller, app) = context::caller()?;
    let allowed = answer == "allow";
    let yes = allowed.then_some((scopes, life));
    context::answer(app.consent.answer_device(&caller, &user_code, yes).await).map(|()| allowed)
}

/// What the person allowed and what holds.
#[server(name = GetMyGrants, endpoint = "grants/mine")]
pub async fn my_grants() -> Result<Allowed, AppError> {
    use crate::http::context;
    let (caller, app) = context::caller()?;
    context::answer(app.consent.mine(&caller).await)
}

/// Takes back what the person allowed.
#[server(endpoint = "grants/revoke_mine")]
pub async fn revoke_mine(grant: GrantId) -> Result<(), AppError> {
    use crate::http::context;
    let (caller, app) = context::caller()?;
    context::answer(app.consent.revoke(&caller, None, grant).await)
}

/// What holds in a project, and its programs, for its members.
#[server(name = GetProjectGrants, endpoint = "grants/of_project")]
pub async fn project_grants(id: ProjectId) -> Result<Allowed, AppError> {
    use crate::http::context;
    let (caller, app) = context::caller()?;
    context::answer(app.consent.of_project(&caller, id).await)
}

/// Takes back what was allowed in a project: one's own, or anybody's for its owners.
#[server(endpoint = "grants/revoke")]
pub async fn revoke_grant(id: ProjectId, grant: GrantId) -> Result<(), AppError> {
    use crate::http::context;
    let (caller, app) = context::caller()?;
    context::answer(app.consent.revoke(&caller, Some(id), grant).await)
}

/// Registers a program with a project; its addresses stand one a line. For its owners.
#[server(endpoint = "clients/register")]
pub async fn register_client(
    id: ProjectId,
    #[server(default)] name: String,
    #[server(default)] redirects: String,
) -> Result<ClientId, AppError> {
    use crate::http::context;
    let (caller, app) = context::caller()?;
    context::answer(app.consent.register(&caller, id, &name, &redirects).await)
}

/// Removes a program from a project, and ends what was allowed to it. For its owners.
#[server(endpoint = "clients/remove")]
pub async fn remove_client(id: ProjectId, client: ClientId) -> Result<(), AppError> {
    use crate::http::context;
    let (caller, app) = context::caller()?;
    context::answer(app.consent.remove(&caller, id, client).await)
}
