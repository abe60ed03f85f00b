//! Page data and form actions of OAuth consent (RFC 6749) and device authorization (RFC 8628).

use crate::{
    domain::{
        consent::{Authorization, ProjectGrants, ResponseDelivery},
        ids::{ClientId, GrantId, ProjectId},
    },
    error::AppError,
    features::action::form_action,
    http::context,
};

/// Returns the authorization request in the query of `/authorize`. Without a session, only a request with an unknown
/// client or redirect URI is returned; for all others the error is
/// [`ErrorKind::SignedOut`](crate::error::ErrorKind::SignedOut).
pub async fn authorization(request: String) -> Result<Authorization, AppError> {
    let (app, who) = (context::app()?, context::signed_in());
    let (request_page, leads) = context::to_app_result(app.consent.prompt(who.as_ref(), &request).await)?;
    if let Some(leads) = leads {
        context::allow_form_action(&leads);
    }
    match request_page {
        Some(request_page) => Ok(request_page),
        None => Err(context::signed_out_error()),
    }
}

form_action! {
    /// Grants or denies an authorization request. With `answer` = `allow`, the grant has the selected `scopes` and a
    /// lifetime of `life` seconds; any other value denies the request.
    SubmitConsent(
        #[serde(default)] request: String,
        #[serde(default)] answer: String,
        #[serde(default)] scopes: Vec<String>,
        #[serde(default)] life: i64,
    ) -> ResponseDelivery {
        let (caller, app) = context::caller()?;
        context::no_store();
        context::to_app_result(match answer.as_str() {
            "allow" => app.consent.approve(&caller, &request, scopes, life).await,
            _ => app.consent.deny(&request).await,
        })
    }
}

form_action! {
    /// Checks that a device authorization with this user code is pending. Returns the code for the page that shows the
    /// request.
    CheckDevice(#[serde(default)] user_code: String) -> String {
        let (caller, app) = context::caller()?;
        context::to_app_result(app.consent.device_prompt(&caller, &user_code).await).map(|_| user_code)
    }
}

/// Returns the authorization request of the device with this user code.
pub async fn device(user_code: String) -> Result<Authorization, AppError> {
    let (caller, app) = context::caller()?;
    context::to_app_result(app.consent.device_prompt(&caller, &user_code).await)
}

form_action! {
    /// Grants or denies the request of the device with this user code. Returns whether it was granted. The fields are
    /// those of [`SubmitConsent`].
    SubmitDeviceConsent(
        #[serde(default)] user_code: String,
        #[serde(default)] answer: String,
        #[serde(default)] scopes: Vec<String>,
        #[serde(default)] life: i64,
    ) -> bool {
        let (caller, app) = context::caller()?;
        let allowed = answer == "allow";
        let yes = allowed.then_some((scopes, life));
        context::to_app_result(app.consent.decide_device(&caller, &user_code, yes).await).map(|()| allowed)
    }
}

/// Returns the valid grants of the user.
pub async fn my_grants() -> Result<ProjectGrants, AppError> {
    let (caller, app) = context::caller()?;
    context::to_app_result(app.consent.list_own(&caller).await)
}

form_action! {
    /// Revokes a grant of the user.
    RevokeOwnGrant(grant: GrantId) -> () {
        let (caller, app) = context::caller()?;
        context::to_app_result(app.consent.revoke(&caller, None, grant).await)
    }
}

/// Returns the valid grants and the clients of a project, for its members.
pub async fn project_grants(id: ProjectId) -> Result<ProjectGrants, AppError> {
    let (caller, app) = context::caller()?;
    context::to_app_result(app.consent.list_by_project(&caller, id).await)
}

form_action! {
    /// Revokes a grant in a project. Members can revoke their own grants, owners all grants.
    RevokeGrant(id: ProjectId, grant: GrantId) -> () {
        let (caller, app) = context::caller()?;
        context::to_app_result(app.consent.revoke(&caller, Some(id), grant).await)
    }
}

form_action! {
    /// Registers an OAuth client for a project, with one redirect URI on each line. For project owners.
    RegisterClient(id: ProjectId, #[serde(default)] name: String, #[serde(default)] redirects: String) -> ClientId {
        let (caller, app) = context::caller()?;
        context::to_app_result(app.consent.register(&caller, id, &name, &redirects).await)
    }
}

form_action! {
    /// Removes an OAuth client from a project and revokes its grants. For project owners.
    RemoveClient(id: ProjectId, client: ClientId) -> () {
        let (caller, app) = context::caller()?;
        context::to_app_result(app.consent.remove(&caller, id, client).await)
    }
}
