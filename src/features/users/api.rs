//! Page data and form actions about users. For anyone but an administrator the response is 404.

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
        can::{Power, has},
        users::Fate,
    },
};

/// One page of the users whose name or address contains `search`; `after` comes from the page before.
pub async fn list_users(search: String, after: String) -> Result<UserPage, AppError> {
    let (caller, app) = context::caller()?;
    context::answer(app.users.list(&caller, &search, &after).await)
}

/// One person, with their projects.
pub async fn get_user(id: UserId) -> Result<UserView, AppError> {
    let (caller, app) = context::caller()?;
    context::answer(app.users.get(&caller, id).await)
}

form_action! {
    /// Invites a person by email. Without a mail server the link is in the response, and nowhere else.
    InviteUser(#[serde(default)] email: String) -> InvitedUser {
        let (caller, app) = context::caller()?;
        if !has(caller.admin, Power::ManageUsers) {
            return context::answer(Err(Error::NotFound));
        }
        let invited = context::answer(app.accounts.invite(&Actor::User(caller), &email).await)?;
        context::no_store();
        Ok(InvitedUser { email: invited.email.to_string(), link: (!invited.mailed).then_some(invited.link) })
    }
}

form_action! {
    /// Signs the person out everywhere, and lets them in no more. `keys` is a checkbox: the keys that they made are deactivated too.
    DisableUser(id: UserId, #[serde(default)] reason: String, #[serde(default)] keys: String) -> () {
        let (caller, app) = context::caller()?;
        let done = app.users.disable(&Actor::User(caller), id, &reason, !keys.is_empty()).await;
        context::answer(done.map(|_| ()))
    }
}

form_action! {
    /// Lets the person in again.
    EnableUser(id: UserId) -> () {
        let (caller, app) = context::caller()?;
        context::answer(app.users.enable(&Actor::User(caller), id).await)
    }
}

form_action! {
    /// Makes the person an administrator.
    MakeAdministrator(id: UserId) -> () {
        let (caller, app) = context::caller()?;
        context::answer(app.users.make_administrator(&Actor::User(caller), id).await)
    }
}

form_action! {
    /// Removes the administrator's role from the person.
    UnmakeAdministrator(id: UserId) -> () {
        let (caller, app) = context::caller()?;
        context::answer(app.users.unmake_administrator(&Actor::User(caller), id).await)
    }
}

form_action! {
    /// Gives one of their projects to another user. `stays` is a checkbox: they stay in it as an operator.
    TransferProject(
        id: UserId,
        project: ProjectId,
        #[serde(default)] to: String,
        #[serde(default)] stays: String,
    ) -> () {
        let (caller, app) = context::caller()?;
        context::answer(app.users.transfer(&Actor::User(caller), id, project, &to, !stays.is_empty()).await)
    }
}

form_action! {
    /// Deletes the person. `projects` are those that they alone own, `heirs` in the same order what becomes of each: a user's id, or
    /// `archive`.
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
                    None | Some("") => Fate::Unsaid,
                    Some("archive") => Fate::Archive,
                    Some(to) => Fate::To(to.to_owned()),
                };
                (project, fate)
            })
            .collect();
        context::answer(app.users.delete(&Actor::User(caller), id, &reason, &plan).await)
    }
}
