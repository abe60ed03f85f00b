//! Page data and form actions of projects.

use crate::{
    domain::{
        ids::{InvitationId, ProjectId, UserId},
        project::{InvitationView, Invited, Joined, Members, ProjectKeys, ProjectSummary, ProjectView, ScopesForm},
    },
    error::{AppError, ErrorKind},
    features::action::form_action,
    http::context,
    service::{actor::Actor, projects::ScopesChoice},
};

/// The projects that the person is a member of, by name.
pub async fn list_projects() -> Result<Vec<ProjectSummary>, AppError> {
    let (caller, app) = context::caller()?;
    context::answer(app.projects.list(&caller).await)
}

/// One project, for its members, and for administrators after a fresh proof.
pub async fn get_project(id: ProjectId) -> Result<ProjectView, AppError> {
    let (caller, app) = context::caller()?;
    context::answer(app.projects.get(&caller, id).await)
}

form_action! {
    /// Saves a project's config, which was written starting from the config of this version. For its owners.
    SaveConfig(id: ProjectId, #[serde(default)] version: String, #[serde(default)] config: String) -> () {
        let (caller, app) = context::caller()?;
        context::answer(app.projects.save_config(&caller, id, &version, &config).await)
    }
}

form_action! {
    /// Makes a project, whose owner the person becomes.
    CreateProject(#[serde(default)] name: String) -> ProjectId {
        let (caller, app) = context::caller()?;
        let owner = caller.user;
        context::answer(app.projects.create(&Actor::User(caller), owner, &name).await)
    }
}

form_action! {
    /// Renames a project that was called `version` when the form was drawn. For its owners.
    RenameProject(id: ProjectId, #[serde(default)] version: String, #[serde(default)] name: String) -> () {
        let (caller, app) = context::caller()?;
        context::answer(app.projects.rename(&Actor::User(caller), id, Some(&version), &name).await)
    }
}

form_action! {
    /// Archives a project: its keys are refused from the next request on. For its owners.
    ArchiveProject(id: ProjectId) -> () {
        let (caller, app) = context::caller()?;
        context::answer(app.projects.archive(&Actor::User(caller), id, false).await)
    }
}

form_action! {
    /// Takes the archiving of a project back. For its owners.
    UnarchiveProject(id: ProjectId) -> () {
        let (caller, app) = context::caller()?;
        context::answer(app.projects.archive(&Actor::User(caller), id, true).await)
    }
}

form_action! {
    /// Sets the longest life of a project's tokens; `version` is what it was in seconds when the form was drawn. For its owners.
    SetTokenLife(
        id: ProjectId,
        version: i64,
        #[serde(default)] amount: String,
        #[serde(default)] unit: String,
    ) -> () {
        let (caller, app) = context::caller()?;
        context::answer(app.projects.set_token_life(&Actor::User(caller), id, version, &amount, &unit).await)
    }
}

/// What there is to choose for a project. For administrators.
pub async fn scopes_form(id: ProjectId) -> Result<ScopesForm, AppError> {
    let (caller, app) = context::caller()?;
    context::answer(app.projects.scopes_form(&caller, id).await)
}

form_action! {
    /// Chooses what a project offers: `set` is `default` or `own`; `retire` names what is dropped although keys hold it. For
    /// administrators.
    SetScopes(
        id: ProjectId,
        #[serde(default)] version: String,
        #[serde(default)] set: String,
        #[serde(default)] scopes: Vec<String>,
        #[serde(default)] retire: Vec<String>,
    ) -> () {
        let (caller, app) = context::caller()?;
        let choice = ScopesChoice { version, default: set != "own", scopes, retire };
        context::answer(app.projects.set_scopes(&caller, id, choice).await)
    }
}

/// The keys of a project, by whom they were issued to.
pub async fn project_keys(id: ProjectId) -> Result<ProjectKeys, AppError> {
    let (caller, app) = context::caller()?;
    context::answer(app.keys.of_project(&caller, id).await)
}

/// The members of a project; for its owners, the open invitations too.
pub async fn members(id: ProjectId) -> Result<Members, AppError> {
    let (caller, app) = context::caller()?;
    context::answer(app.projects.members(&caller, id).await)
}

form_action! {
    /// Invites a person to a project. The link is in the response unless it was mailed, and nowhere else. For its owners.
    Invite(id: ProjectId, #[serde(default)] role: String, #[serde(default)] email: String) -> Invited {
        let (caller, app) = context::caller()?;
        context::no_store();
        context::answer(app.projects.invite(&caller, id, &role, &email, &app.config).await)
    }
}

form_action! {
    /// Withdraws an open invitation. For the project's owners.
    WithdrawInvitation(id: ProjectId, invitation: InvitationId) -> () {
        let (caller, app) = context::caller()?;
        context::answer(app.projects.withdraw(&caller, id, invitation).await)
    }
}

form_action! {
    /// Gives a member, who was `version` when the form was drawn, another role. For the project's owners.
    SetRole(id: ProjectId, user: UserId, #[serde(default)] version: String, #[serde(default)] role: String) -> () {
        let (caller, app) = context::caller()?;
        context::answer(app.projects.set_role(&caller, id, user, &version, &role).await)
    }
}

form_action! {
    /// Takes a member out of a project. For its owners.
    RemoveMember(id: ProjectId, user: UserId) -> () {
        let (caller, app) = context::caller()?;
        context::answer(app.projects.remove_member(&caller, id, user).await)
    }
}

form_action! {
    /// Leaves a project.
    LeaveProject(id: ProjectId) -> () {
        let (caller, app) = context::caller()?;
        context::answer(app.projects.leave(&caller, id).await)
    }
}

form_action! {
    /// Becomes a member of another's project as an administrator, which its members see.
    JoinProject(id: ProjectId, #[serde(default)] role: String) -> () {
        let (caller, app) = context::caller()?;
        context::answer(app.projects.join(&caller, id, &role).await)
    }
}

/// The invitation with this code, with and without a session.
pub async fn invitation(code: String) -> Result<InvitationView, AppError> {
    let app = context::app()?;
    context::no_store();
    let answer = context::answer(app.projects.invitation(context::signed_in().as_ref(), &code).await);
    answer.map_err(gone)
}

form_action! {
    /// Becomes a member by an invitation.
    AcceptInvitation(#[serde(default)] code: String) -> Joined {
        let (caller, app) = context::caller()?;
        context::answer(app.projects.accept(&caller, &code).await).map_err(gone)
    }
}

/// The one sentence for a link that was used or withdrawn, has expired, or never was.
fn gone(error: AppError) -> AppError {
    match error.kind {
        ErrorKind::NotFound => AppError::new(
            ErrorKind::NotFound,
            "This link does not work any more. It works once, for 7 days. Ask whoever invited you for another.",
        ),
        _ => error,
    }
}
