//! Page data and form actions of projects.

use crate::{
    domain::{
        ids::{InvitationId, KeyId, ProjectId, UserId},
        key::Key,
        project::{InvitationView, Invited, Joined, Members, ProjectKeys, ProjectSummary, ProjectView, ScopesForm},
        registration::INVITATION_LIFETIME,
        time::format_duration,
        transition::Transition,
    },
    error::{AppError, ErrorKind},
    features::{action::form_action, keys::KeyView},
    http::context,
    service::{actor::Actor, keys::Precondition, projects::ScopesChoice},
};

/// Returns the projects that the user is a member of, sorted by name.
pub async fn list_projects() -> Result<Vec<ProjectSummary>, AppError> {
    let (caller, app) = context::caller()?;
    context::to_app_result(app.projects.list(&caller).await)
}

/// Returns a project, for its members, and for administrators after reauthentication.
pub async fn get_project(id: ProjectId) -> Result<ProjectView, AppError> {
    let (caller, app) = context::caller()?;
    context::to_app_result(app.projects.get(&caller, id).await)
}

form_action! {
    /// Saves a project's config. `version` is the version that the edit started from. For project owners.
    SaveConfig(id: ProjectId, #[serde(default)] version: String, #[serde(default)] config: String) -> () {
        let (caller, app) = context::caller()?;
        context::to_app_result(app.projects.save_config(&caller, id, &version, &config).await)
    }
}

form_action! {
    /// Creates a project with the user as its owner.
    CreateProject(#[serde(default)] name: String) -> ProjectId {
        let (caller, app) = context::caller()?;
        let owner = caller.user;
        context::to_app_result(app.projects.create(&Actor::User(caller), owner, &name).await)
    }
}

form_action! {
    /// Renames a project. `version` is the name when the form was rendered. For project owners.
    RenameProject(id: ProjectId, #[serde(default)] version: String, #[serde(default)] name: String) -> () {
        let (caller, app) = context::caller()?;
        context::to_app_result(app.projects.rename(&Actor::User(caller), id, Some(&version), &name).await)
    }
}

form_action! {
    /// Archives a project: its keys are denied from the next request. For project owners.
    ArchiveProject(id: ProjectId) -> () {
        let (caller, app) = context::caller()?;
        context::to_app_result(app.projects.archive(&Actor::User(caller), id, false).await)
    }
}

form_action! {
    /// Unarchives a project. For project owners.
    UnarchiveProject(id: ProjectId) -> () {
        let (caller, app) = context::caller()?;
        context::to_app_result(app.projects.archive(&Actor::User(caller), id, true).await)
    }
}

form_action! {
    /// Sets the maximum lifetime of a project's tokens. `version` is the lifetime in seconds when the form was
    /// rendered. For project owners.
    SetTokenLife(
        id: ProjectId,
        version: i64,
        #[serde(default)] amount: String,
        #[serde(default)] unit: String,
    ) -> () {
        let (caller, app) = context::caller()?;
        context::to_app_result(app.projects.set_token_life(&Actor::User(caller), id, version, &amount, &unit).await)
    }
}

/// Returns the data of the form for a project's scopes. For administrators.
pub async fn scopes_form(id: ProjectId) -> Result<ScopesForm, AppError> {
    let (caller, app) = context::caller()?;
    context::to_app_result(app.projects.scopes_form(&caller, id).await)
}

form_action! {
    /// Sets the scopes that a project offers. `set` is `default` or `own`; `retire` lists the scopes to remove although
    /// keys have them. For administrators.
    SetScopes(
        id: ProjectId,
        #[serde(default)] version: String,
        #[serde(default)] set: String,
        #[serde(default)] scopes: Vec<String>,
        #[serde(default)] retire: Vec<String>,
    ) -> () {
        let (caller, app) = context::caller()?;
        let choice = ScopesChoice { version, default: set != "own", scopes, retire };
        context::to_app_result(app.projects.set_scopes(&caller, id, choice).await)
    }
}

/// Returns the keys of a project, grouped by the name they were issued to.
pub async fn project_keys(id: ProjectId) -> Result<ProjectKeys<KeyView>, AppError> {
    let (caller, app) = context::caller()?;
    let keys = context::to_app_result(app.keys.list_by_project(&caller, id).await)?;
    Ok(keys.map(|key| KeyView::new(key, &caller)))
}

form_action! {
    /// Deletes a key of a project. It is denied from the next request; it can be restored for 7 days.
    DeleteProjectKey(project: ProjectId, id: KeyId) -> Key {
        let (caller, app) = context::caller()?;
        let precondition = Precondition { project: Some(project), ..Precondition::default() };
        let deleted = app.keys.transition(&Actor::User(caller), id, Transition::Delete, precondition).await;
        context::to_app_result(deleted)
    }
}

/// Returns the members of a project, and for its owners also the open invitations.
pub async fn members(id: ProjectId) -> Result<Members, AppError> {
    let (caller, app) = context::caller()?;
    context::to_app_result(app.projects.members(&caller, id).await)
}

form_action! {
    /// Invites a person to a project. The one-time link is in this response only, unless it was sent by email. For
    /// project owners.
    Invite(id: ProjectId, #[serde(default)] role: String, #[serde(default)] email: String) -> Invited {
        let (caller, app) = context::caller()?;
        context::no_store();
        context::to_app_result(app.projects.invite(&caller, id, &role, &email, &app.config).await)
    }
}

form_action! {
    /// Revokes an open invitation. For project owners.
    WithdrawInvitation(id: ProjectId, invitation: InvitationId) -> () {
        let (caller, app) = context::caller()?;
        context::to_app_result(app.projects.withdraw(&caller, id, invitation).await)
    }
}

form_action! {
    /// Changes a member's role. `version` is the role when the form was rendered. For project owners.
    SetRole(id: ProjectId, user: UserId, #[serde(default)] version: String, #[serde(default)] role: String) -> () {
        let (caller, app) = context::caller()?;
        context::to_app_result(app.projects.set_role(&caller, id, user, &version, &role).await)
    }
}

form_action! {
    /// Removes a member from a project. For project owners.
    RemoveMember(id: ProjectId, user: UserId) -> () {
        let (caller, app) = context::caller()?;
        context::to_app_result(app.projects.remove_member(&caller, id, user).await)
    }
}

form_action! {
    /// Removes the user from a project.
    LeaveProject(id: ProjectId) -> () {
        let (caller, app) = context::caller()?;
        context::to_app_result(app.projects.leave(&caller, id).await)
    }
}

form_action! {
    /// Adds an administrator to a project of other users. The members can see this.
    JoinProject(id: ProjectId, #[serde(default)] role: String) -> () {
        let (caller, app) = context::caller()?;
        context::to_app_result(app.projects.join(&caller, id, &role).await)
    }
}

/// Returns the invitation with this code, with or without a session.
pub async fn invitation(code: String) -> Result<InvitationView, AppError> {
    let app = context::app()?;
    context::no_store();
    let answer = context::to_app_result(app.projects.invitation(context::signed_in().as_ref(), &code).await);
    answer.map_err(invalid_link_error)
}

form_action! {
    /// Accepts an invitation: adds the user to the project.
    AcceptInvitation(#[serde(default)] code: String) -> Joined {
        let (caller, app) = context::caller()?;
        context::to_app_result(app.projects.accept(&caller, &code).await).map_err(invalid_link_error)
    }
}

/// Replaces the message of a "not found" error: it is the same for a link that was used, was revoked, has expired, or
/// never existed.
fn invalid_link_error(error: AppError) -> AppError {
    match error.kind {
        ErrorKind::NotFound => AppError::new(
            ErrorKind::NotFound,
            format!(
                "Invitation links can be used once and expire after {}. Ask a project owner for a new link.",
                format_duration(INVITATION_LIFETIME)
            ),
        ),
        _ => error,
    }
}
