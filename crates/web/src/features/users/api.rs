//! Page data and form actions of user administration. For all users except administrators the response is 404.

use crate::{
    domain::{
        ids::{ProjectId, UserId},
        people::{InvitedUser, UserPage, UserView},
    },
    error::AppError,
    features::action::form_action,
    http::context,
    service::{
        Error,
        actor::Actor,
        permissions::{AdminPermission, is_allowed},
        users::Disposition,
    },
};

/// Returns one page of the users whose name or email address contains `search`; `after` is the cursor from the previous
/// page.
pub async fn list_users(search: String, after: String) -> Result<UserPage, AppError> {
    let (caller, app) = context::caller()?;
    context::to_app_result(app.users.list(&caller, &search, &after).await)
}

/// Returns a user with their projects.
pub async fn get_user(id: UserId) -> Result<UserView, AppError> {
    let (caller, app) = context::caller()?;
    context::to_app_result(app.users.get(&caller, id).await)
}

form_action! {
    /// Invites a person by email. Without a mail server, the one-time link is in this response only.
    InviteUser(#[serde(default)] email: String) -> InvitedUser {
        let (caller, app) = context::caller()?;
        if !is_allowed(caller.admin, AdminPermission::ManageUsers) {
            return context::to_app_result(Err(Error::NotFound));
        }
        let invited = context::to_app_result(app.accounts.invite(&Actor::User(caller), &email).await)?;
        context::no_store();
        Ok(InvitedUser { email: invited.email.to_string(), link: (!invited.mailed).then_some(invited.link) })
    }
}

form_action! {
    /// Disables a user: ends all their sessions and denies sign-in. `keys` is a checkbox: it also deactivates the keys
    /// that the user created.
    DisableUser(id: UserId, #[serde(default)] reason: String, #[serde(default)] keys: String) -> () {
        let (caller, app) = context::caller()?;
        let done = app.users.disable(&Actor::User(caller), id, &reason, !keys.is_empty()).await;
        context::to_app_result(done.map(|_| ()))
    }
}

form_action! {
    /// Enables a disabled user: they can sign in again.
    EnableUser(id: UserId) -> () {
        let (caller, app) = context::caller()?;
        context::to_app_result(app.users.enable(&Actor::User(caller), id).await)
    }
}

form_action! {
    /// Gives a user the administrator role.
    MakeAdministrator(id: UserId) -> () {
        let (caller, app) = context::caller()?;
        context::to_app_result(app.users.grant_administrator(&Actor::User(caller), id).await)
    }
}

form_action! {
    /// Removes the administrator role from a user.
    UnmakeAdministrator(id: UserId) -> () {
        let (caller, app) = context::caller()?;
        context::to_app_result(app.users.revoke_administrator(&Actor::User(caller), id).await)
    }
}

form_action! {
    /// Transfers one of the user's projects to another user. `stays` is a checkbox: the user stays a member as an
    /// operator.
    TransferProject(
        id: UserId,
        project: ProjectId,
        #[serde(default)] to: String,
        #[serde(default)] stays: String,
    ) -> () {
        let (caller, app) = context::caller()?;
        context::to_app_result(app.users.transfer(&Actor::User(caller), id, project, &to, !stays.is_empty()).await)
    }
}

form_action! {
    /// Deletes a user. `projects` are the projects of which the user is the only owner. `heirs` has the disposition of
    /// each project in the same order: a user ID, or `archive`.
    DeleteUser(
        id: UserId,
        #[serde(default)] reason: String,
        #[serde(default)] projects: Vec<ProjectId>,
        #[serde(default)] heirs: Vec<String>,
    ) -> () {
        let (caller, app) = context::caller()?;
        let mut heirs = heirs.into_iter();
        let plan = projects
            .into_iter()
            .map(|project| {
                let fate = match heirs.next().as_deref() {
                    None | Some("") => Disposition::Missing,
                    Some("archive") => Disposition::Archive,
                    Some(to) => Disposition::TransferTo(to.to_owned()),
                };
                (project, fate)
            })
            .collect();
        context::to_app_result(app.users.delete(&Actor::User(caller), id, &reason, &plan).await)
    }
}
