//! The server functions about people. For whoever is no administrator there is nothing here.

use crate::{
    domain::{
        ids::{ProjectId, UserId},
        people::{InvitedUser, UserPage, UserView},
    },
    error::AppError,
};
use leptos::prelude::*;

/// One page of everybody whose name or address has `search` in it; `after` comes from the page before.
#[server(endpoint = "admin/users/list")]
pub async fn list_users(
    #[server(default)] search: String,
    #[server(default)] after: String,
) -> Result<UserPage, AppError> {
    use crate::http::context;
    let (caller, app) = context::caller()?;
    context::answer(app.users.list(&caller, &search, &after).await)
}

/// One person, with their projects.
#[server(endpoint = "admin/users/get")]
pub async fn get_user(id: UserId) -> Result<UserView, AppError> {
    use crate::http::context;
    let (caller, app) = context::caller()?;
    context::answer(app.users.get(&caller, id).await)
}

/// Invites somebody by mail; without mail the link is in the answer, and nowhere else.
#[server(endpoint = "admin/users/invite")]
pub async fn invite_user(#[server(default)] email: String) -> Result<InvitedUser, AppError> {
    use crate::{
        http::context,
        service::{
            Error,
            actor::Actor,
            can::{Power, has},
        },
    };
    let (caller, app) = context::caller()?;
    if !has(caller.admin, Power::ManageUsers) {
        return context::answer(Err(Error::NotFound));
    }
    let invited = context::answer(app.accounts.invite(&Actor::User(caller), &email).await)?;
    context::no_store();
    Ok(InvitedUser { email: invited.email.to_string(), link: (!invited.mailed).then_some(invited.link) })
}

/// Signs the person out everywhere, and lets them in no more. `keys` is a checkbox: the keys that they made are deactivated too.
#[server(endpoint = "admin/users/disable")]
pub async fn disable_user(
    id: UserId,
    #[server(default)] reason: String,
    #[server(default)] keys: String,
) -> Result<(), AppError> {
    use crate::{http::context, service::actor::Actor};
    let (caller, app) = context::caller()?;
    let done = app.users.disable(&Actor::User(caller), id, &reason, !keys.is_empty()).await;
    context::answer(done.map(|_| ()))
}

/// Lets the person in again.
#[server(endpoint = "admin/users/enable")]
pub async fn enable_user(id: UserId) -> Result<(), AppError> {
    use crate::{http::context, service::actor::Actor};
    let (caller, app) = context::caller()?;
    context::answer(app.users.enable(&Actor::User(caller), id).await)
}

/// Makes the person an administrator.
#[server(endpoint = "admin/users/make_administrator")]
pub async fn make_administrator(id: UserId) -> Result<(), AppError> {
    use crate::{http::context, service::actor::Actor};
    let (caller, app) = context::caller()?;
    context::answer(app.users.make_administrator(&Actor::User(caller), id).await)
}

/// Makes the person one like anybody else.
#[server(endpoint = "admin/users/unmake_administrator")]
pub async fn unmake_administrator(id: UserId) -> Result<(), AppError> {
    use crate::{http::context, service::actor::Actor};
    let (caller, app) = context::caller()?;
    context::answer(app.users.unmake_administrator(&Actor::User(caller), id).await)
}

/// Gives a project of theirs to somebody else. `stays` is a checkbox: they stay in it as an operator.
#[server(endpoint = "admin/users/transfer")]
pub async fn transfer_project(
    id: UserId,
    project: ProjectId,
    #[server(default)] to: String,
    #[server(default)] stays: String,
) -> Result<(), AppError> {
    use crate::{http::context, service::actor::Actor};
    let (caller, app) = context::caller()?;
    context::answer(app.users.transfer(&Actor::User(caller), id, project, &to, !stays.is_empty()).await)
}

/// Deletes the person. `projects` are those that they alone own, `heirs` in the same order what becomes of each: somebody's id, or
/// `archive`.
#[server(endpoint = "admin/users/delete")]
pub async fn delete_user(
    id: UserId,
    #[server(default)] reason: String,
    #[server(default)] projects: Vec<ProjectId>,
    #[server(default)] heirs: Vec<String>,
) -> Result<(), AppError> {
    use crate::{
        http::context,
        service::{actor::Actor, users::Fate},
    };
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
