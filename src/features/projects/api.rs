//! The server functions of projects.

use crate::{
    domain::{
        ids::{InvitationId, ProjectId, UserId},
        project::{InvitationView, Invited, Joined, Members, ProjectKeys, ProjectSummary, ProjectView, ScopesForm},
    },
    error::AppError,
};
use leptos::prelude::*;

/// The projects that the person is a member of, by name.
#[server(endpoint = "projects/list")]
pub async fn list_projects() -> Result<Vec<ProjectSummary>, AppError> {
    use crate::http::context;
    let (caller, app) = context::caller()?;
    context::answer(app.projects.list(&caller).await)
}

/// One project, for its members, and for administrators after a fresh proof.
#[server(endpoint = "projects/get")]
pub async fn get_project(id: ProjectId) -> Result<ProjectView, AppError> {
    use crate::http::context;
    let (caller, app) = context::caller()?;
    context::answer(app.projects.get(&caller, id).await)
}

/// Saves a project's config, which was written starting from the config of this version. For its owners.
#[server(endpoint = "projects/save_config")]
pub async fn save_config(
    id: ProjectId,
    #[server(default)] version: String,
    #[server(default)] config: String,
) -> Result<(), AppError> {
    use crate::http::context;
    let (caller, app) = context::caller()?;
    context::answer(app.projects.save_config(&caller, id, &version, &config).await)
}

/// Makes a project, whose owner the person becomes.
#[server(endpoint = "projects/create")]
pub async fn create_project(#[server(default)] name: String) -> Result<ProjectId, AppError> {
    use crate::{http::context, service::actor::Actor};
    let (caller, app) = context::caller()?;
    let owner = caller.user;
    context::answer(app.projects.create(&Actor::User(caller), owner, &name).await)
}

/// Renames a project that was called `version` when the form was drawn. For its owners.
#[server(endpoint = "projects/rename")]
pub async fn rename_project(
    id: ProjectId,
    #[server(default)] version: String,
    #[server(default)] name: String,
) -> Result<(), AppError> {
    use crate::{http::context, service::actor::Actor};
    let (caller, app) = context::caller()?;
    context::answer(app.projects.rename(&Actor::User(caller), id, Some(&version), &name).await)
}

/// Archives a project: its keys are refused from the next request on. For its owners.
#[server(endpoint = "projects/archive")]
pub async fn archive_project(id: ProjectId) -> Result<(), AppError> {
    use crate::{http::context, service::actor::Actor};
    let (caller, app) = context::caller()?;
    context::answer(app.projects.archive(&Actor::User(caller), id, false).await)
}

/// Takes the archiving of a project back. For its owners.
#[server(endpoint = "projects/unarchive")]
pub async fn unarchive_project(id: ProjectId) -> Result<(), AppError> {
    use crate::{http::context, service::actor::Actor};
    let (caller, app) = context::caller()?;
    context::answer(app.projects.archive(&Actor::User(caller), id, true).await)
}

/// Sets the longest life of a project's tokens; `version` is what it was in seconds when the form was drawn. For its owners.
#[server(endpoint = "projects/set_life")]
pub async fn set_token_life(
    id: ProjectId,
    version: i64,
    #[server(default)] amount: String,
    #[server(default)] unit: String,
) -> Result<(), AppError> {
    use crate::{http::context, service::actor::Actor};
    let (caller, app) = context::caller()?;
    context::answer(app.projects.set_token_life(&Actor::User(caller), id, version, &amount, &unit).await)
}

/// What there is to choose for a project. For administrators.
#[server(name = GetScopesForm, endpoint = "projects/scopes_form")]
pub async fn scopes_form(id: ProjectId) -> Result<ScopesForm, AppError> {
    use crate::http::context;
    let (caller, app) = context::caller()?;
    context::answer(app.projects.scopes_form(&caller, id).await)
}

/// Chooses what a project offers: `set` is `default` or `own`; `retire` names what is dropped although keys hold it. For
/// administrators.
#[server(endpoint = "projects/set_scopes")]
pub async fn set_scopes(
    id: ProjectId,
    #[server(default)] version: String,
    #[server(default)] set: String,
    #[server(default)] scopes: Vec<String>,
    #[server(default)] retire: Vec<String>,
) -> Result<(), AppError> {
    use crate::{http::context, service::projects::ScopesChoice};
    let (caller, app) = context::caller()?;
    let choice = ScopesChoice { version, default: set != "own", scopes, retire };
    context::answer(app.projects.set_scopes(&caller, id, choice).await)
}

/// The keys of a project, by whom they were issued to.
#[server(name = GetProjectKeys, endpoint = "projects/keys")]
pub async fn project_keys(id: ProjectId) -> Result<ProjectKeys, AppError> {
    use crate::http::context;
    let (caller, app) = context::caller()?;
    context::answer(app.keys.of_project(&caller, id).await)
}

/// The members of a project; for its owners, the open invitations too.
#[server(name = GetMembers, endpoint = "projects/members")]
pub async fn members(id: ProjectId) -> Result<Members, AppError> {
    use crate::http::context;
    let (caller, app) = context::caller()?;
    context::answer(app.projects.members(&caller, id).await)
}

/// Invites somebody to a project. The link is in the answer unless it was mailed, and nowhere else. For its owners.
#[server(endpoint = "projects/invite")]
pub async fn invite(
    id: ProjectId,
    #[server(default)] role: String,
    #[server(default)] email: String,
) -> Result<Invited, AppError> {
    use crate::http::context;
    let (caller, app) = context::caller()?;
    context::no_store();
    context::answer(app.projects.invite(&caller, id, &role, &email, &app.config).await)
}

/// Withdraws an open invitation. For the project's owners.
#[server(endpoint = "projects/withdraw")]
pub async fn withdraw_invitation(id: ProjectId, invitation: InvitationId) -> Result<(), AppError> {
    use crate::http::context;
    let (caller, app) = context::caller()?;
    context::answer(app.projects.withdraw(&caller, id, invitation).await)
}

/// Gives a member, who was `version` when the form was drawn, another role. For the project's owners.
#[server(endpoint = "projects/set_role")]
pub async fn set_role(
    id: ProjectId,
    user: UserId,
    #[server(default)] version: String,
    #[server(default)] role: String,
) -> Result<(), AppError> {
    use crate::http::context;
    let (caller, app) = context::caller()?;
    context::answer(app.projects.set_role(&caller, id, user, &version, &role).await)
}

/// Takes a member out of a project. For its owners.
#[server(endpoint = "projects/remove_member")]
pub async fn remove_member(id: ProjectId, user: UserId) -> Result<(), AppError> {
    use crate::http::context;
    let (caller, app) = context::caller()?;
    context::answer(app.projects.remove_member(&caller, id, user).await)
}

/// Leaves a project.
#[server(endpoint = "projects/leave")]
pub async fn leave_project(id: ProjectId) -> Result<(), AppError> {
    use crate::http::context;
    let (caller, app) = context::caller()?;
    context::answer(app.projects.leave(&caller, id).await)
}

/// Becomes a member of another's project as an administrator, which its members see.
#[server(endpoint = "projects/join")]
pub async fn join_project(id: ProjectId, #[server(default)] role: String) -> Result<(), AppError> {
    use crate::http::context;
    let (caller, app) = context::caller()?;
    context::answer(app.projects.join(&caller, id, &role).await)
}

/// What an invitation says, to whoever holds its code, signed in or not.
#[server(name = GetInvitation, endpoint = "projects/invitation")]
pub async fn invitation(#[server(default)] code: String) -> Result<InvitationView, AppError> {
    use crate::http::context;
    let app = context::app()?;
    context::no_store();
    let answer = context::answer(app.projects.invitation(context::signed_in().as_ref(), &code).await);
    answer.map_err(gone)
}

/// Becomes a member by an invitation.
#[server(endpoint = "projects/accept")]
pub async fn accept_invitation(#[server(default)] code: String) -> Result<Joined, AppError> {
    use crate::http::context;
    let (caller, app) = context::caller()?;
    context::answer(app.projects.accept(&caller, &code).await).map_err(gone)
}

/// The one sentence for a link that was used or withdrawn, has expired, or never was.
fn gone(error: AppError) -> AppError {
    use crate::error::ErrorKind;
    match error.kind {
        ErrorKind::NotFound => AppError::new(
            ErrorKind::NotFound,
            "This link does not work any more. It works once, for 7 days. Ask whoever invited you for another.",
        ),
        _ => error,
    }
}
