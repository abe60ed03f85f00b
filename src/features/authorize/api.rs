//! Page data and form actions of consent.

use crate::{
    domain::{
        consent::{Allowed, Answered, Authorization},
        ids::{ClientId, GrantId, ProjectId},
    },
    error::AppError,
    features::action::form_action,
    http::context,
};

/// The authorization request in the query of `/authorize`. Without a session the response shows only requests that are refused
/// before any consent.
pub async fn authorization(request: String) -> Result<Authorization, AppError> {
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

form_action! {
    /// The person's answer to the same request: `allow`, with the scopes that are left ticked and the seconds for which; or no.
    AnswerAuthorization(
        #[serde(default)] request: String,
        #[serde(default)] answer: String,
        #[serde(default)] scopes: Vec<String>,
        #[serde(default)] life: i64,
    ) -> Answered {
        let (caller, app) = context::caller()?;
        context::no_store();
        context::answer(match answer.as_str() {
            "allow" => app.consent.allow(&caller, &request, scopes, life).await,
            _ => app.consent.deny(&request).await,
        })
    }
}

form_action! {
    /// Checks that a device waits with this code, and returns the code for the page that shows the request.
    CheckDevice(#[serde(default)] user_code: String) -> String {
        let (caller, app) = context::caller()?;
        context::answer(app.consent.ask_for_device(&caller, &user_code).await).map(|_| user_code)
    }
}

/// The request of the device with this code.
pub async fn device(user_code: String) -> Result<Authorization, AppError> {
    let (caller, app) = context::caller()?;
    context::answer(app.consent.ask_for_device(&caller, &user_code).await)
}

form_action! {
    /// The person's answer to the device with this code; returns whether it was yes.
    AnswerDevice(
        #[serde(default)] user_code: String,
        #[serde(default)] answer: String,
        #[serde(default)] scopes: Vec<String>,
        #[serde(default)] life: i64,
    ) -> bool {
        let (caller, app) = context::caller()?;
        let allowed = answer == "allow";
        let yes = allowed.then_some((scopes, life));
        context::answer(app.consent.answer_device(&caller, &user_code, yes).await).map(|()| allowed)
    }
}

/// What the person allowed and what holds.
pub async fn my_grants() -> Result<Allowed, AppError> {
    let (caller, app) = context::caller()?;
    context::answer(app.consent.mine(&caller).await)
}

form_action! {
    /// Takes back what the person allowed.
    RevokeMine(grant: GrantId) -> () {
        let (caller, app) = context::caller()?;
        context::answer(app.consent.revoke(&caller, None, grant).await)
    }
}

/// What holds in a project, and its programs, for its members.
pub async fn project_grants(id: ProjectId) -> Result<Allowed, AppError> {
    let (caller, app) = context::caller()?;
    context::answer(app.consent.of_project(&caller, id).await)
}

form_action! {
    /// Revokes a grant in a project: one's own, or any grant for its owners.
    RevokeGrant(id: ProjectId, grant: GrantId) -> () {
        let (caller, app) = context::caller()?;
        context::answer(app.consent.revoke(&caller, Some(id), grant).await)
    }
}

form_action! {
    /// Registers a program with a project, with one redirect URI a line. For its owners.
    RegisterClient(id: ProjectId, #[serde(default)] name: String, #[serde(default)] redirects: String) -> ClientId {
        let (caller, app) = context::caller()?;
        context::answer(app.consent.register(&caller, id, &name, &redirects).await)
    }
}

form_action! {
    /// Removes a program from a project, and ends what was allowed to it. For its owners.
    RemoveClient(id: ProjectId, client: ClientId) -> () {
        let (caller, app) = context::caller()?;
        context::answer(app.consent.remove(&caller, id, client).await)
    }
}
