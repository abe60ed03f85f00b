//! Projects, members and their roles, invitations, and project settings.

use super::{
    expiry::ExpiryOption,
    ids::{FormNumber, InvitationId, ProjectId, UserId},
    key::{Key, LabelError, label},
    scope::ScopeView,
    sensitive::RevealedSecret,
    time::{Moment, Timestamp},
};
use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// Role of a member in a project, most privileged first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    Owner,
    Operator,
    Viewer,
}

impl Role {
    /// Whether the role counts for the rule that a project keeps at least one owner. `core::permissions` defines
    /// the permissions of a role.
    pub const fn is_owner(self) -> bool {
        matches!(self, Self::Owner)
    }

    /// All roles, most privileged first.
    pub const ALL: [Self; 3] = [Self::Owner, Self::Operator, Self::Viewer];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Operator => "operator",
            Self::Viewer => "viewer",
        }
    }
}

/// Parse error: unknown role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Choose the role owner, operator, or viewer.")]
pub struct UnknownRole;

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        match text {
            "owner" => Ok(Self::Owner),
            "operator" => Ok(Self::Operator),
            "viewer" => Ok(Self::Viewer),
            _ => Err(UnknownRole),
        }
    }
}

/// Id and name of a project, for lists and selection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectName {
    pub id: ProjectId,
    pub name: String,
}

/// A project in which the requesting user may create keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectChoice {
    pub id: ProjectId,
    pub name: String,
    /// Scopes that its keys may have.
    pub scopes: Vec<ScopeView>,
}

/// Data of the form that creates a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyForm {
    pub projects: Vec<ProjectChoice>,
    /// Presets and "never", as far as the policy allows them. The page adds `date` itself.
    pub expiries: Vec<ExpiryOption>,
    /// Initial selection: `90d`, or the longest allowed shorter period.
    pub usual: String,
    /// Description of the policy's rule for key lifetimes, if there is one.
    pub policy: Option<String>,
    /// Name of the time zone in which dates end and times are formatted.
    pub zone: String,
    /// One-time number of this form, which makes its submission idempotent.
    pub number: FormNumber,
    pub now: Timestamp,
}

/// A project in the list of the user's own projects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectSummary {
    pub id: ProjectId,
    pub name: String,
    /// Role of the requesting user.
    pub role: Role,
    /// Number of keys that are not deleted.
    pub keys: u64,
    /// Number of keys that are active now.
    pub active: u64,
    pub members: u64,
    pub created: Moment,
    pub archived: bool,
}

/// Project page for a member or an administrator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectView {
    pub id: ProjectId,
    pub name: String,
    /// Role of the requesting user. `None`: not a member; the user sees the project as an administrator.
    pub role: Option<Role>,
    /// Scopes that its keys may have.
    pub scopes: Vec<ScopeView>,
    /// Scopes that keys of the project have but the project no longer offers, each with the number of keys.
    pub retired: Vec<HeldScope>,
    /// Whether the project offers the instance's default scopes and none of its own.
    pub default_scopes: bool,
    /// Maximum lifetime of the project's tokens, in seconds.
    pub token_life_max: i64,
    /// Maximum lifetime that the policy allows, formatted.
    pub token_life_most: String,
    /// The project's maximum token lifetime, formatted: "1 day".
    pub token_life: String,
    /// Pretty-printed JSON.
    pub config: String,
    /// Version for optimistic locking: a change of the config is denied if the config changed since the page was
    /// loaded.
    pub version: String,
    /// Number of keys that are not deleted.
    pub keys: u64,
    pub created: Moment,
    pub archived: bool,
    /// Whether the requesting user may change the name, the config, and the token lifetime.
    pub may_configure: bool,
    /// Whether the requesting user may archive and unarchive the project.
    pub may_archive: bool,
    /// Whether the requesting user may invite and remove members and change roles.
    pub may_manage_members: bool,
    /// Whether the requesting user may create keys in the project.
    pub may_make_keys: bool,
    /// Whether the requesting user may choose the scopes that the project offers.
    pub may_choose_scopes: bool,
}

/// Maximum length of a project's name, in characters.
pub const PROJECT_NAME_MAX: usize = 100;

/// A project's name: one line of 1 to 100 characters in any script, trimmed. A label, not unique.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectTitle(String);

/// Validation error of a [`ProjectTitle`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TitleError {
    #[error("Enter a project name.")]
    Empty,
    #[error(transparent)]
    Label(LabelError),
}

impl FromStr for ProjectTitle {
    type Err = TitleError;

    fn from_str(text: &str) -> Result<Self, TitleError> {
        label(text, PROJECT_NAME_MAX).map(Self).map_err(|error| match error {
            LabelError::Empty => TitleError::Empty,
            other => TitleError::Label(other),
        })
    }
}

impl ProjectTitle {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A scope with the number of keys that have it and are not deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldScope {
    pub name: String,
    pub keys: u64,
}

/// A scope of the catalog in the form where an administrator chooses a project's scopes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScopeOffer {
    pub name: String,
    pub description: String,
    pub in_default: bool,
    /// Whether the project currently offers it.
    pub offered: bool,
    /// Number of keys of the project that have it and are not deleted.
    pub keys: u64,
}

/// Data of the form for a project's scopes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScopesForm {
    /// Whether the project offers the default scopes.
    pub default: bool,
    /// Available scopes, without retired ones.
    pub scopes: Vec<ScopeOffer>,
    /// Version for optimistic locking: the choice is denied if the scopes changed since the form was loaded.
    pub version: String,
}

/// A member of a project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    pub user: UserId,
    pub name: String,
    pub email: String,
    pub role: Role,
    pub since: Moment,
    /// Whether this is the requesting user.
    pub you: bool,
}

/// A valid invitation. It does not contain the link, which is shown only once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenInvitation {
    pub id: InvitationId,
    pub role: Role,
    pub email: Option<String>,
    pub invited_by: String,
    pub ends: Moment,
}

/// Members of a project and, for its owners, pending invitations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Members {
    pub members: Vec<Member>,
    pub invitations: Vec<OpenInvitation>,
    pub now: Timestamp,
}

/// Response to a new invitation. This is the only response that contains its link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invited {
    pub project: ProjectId,
    pub role: Role,
    pub email: Option<String>,
    /// One-time link for the inviting user to pass on. `None`: it was sent by email.
    pub link: Option<RevealedSecret>,
    /// Whether sending the link by email failed.
    pub mail_failed: bool,
    pub ends: Moment,
}

/// Invitation page, opened by its one-time link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvitationView {
    pub project: ProjectId,
    pub name: String,
    pub role: Role,
    pub invited_by: String,
    pub ends: Moment,
    /// Email address of the signed-in user, if there is a session.
    pub signed_in_as: Option<String>,
    /// Whether the signed-in user is already a member.
    pub member: bool,
    /// Whether the policy lets an invited user register.
    pub sign_up: bool,
}

/// Result of accepting an invitation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Joined {
    pub project: ProjectId,
    /// The user was already a member: nothing changed, and the link remains valid.
    pub already: bool,
}

/// Keys of a project that were issued to the same name, each as a `K`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssuedKeys<K = Key> {
    /// `None`: issued to no particular recipient.
    pub to: Option<String>,
    pub keys: Vec<K>,
}

/// Keys of one project, grouped by "issued to".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectKeys<K = Key> {
    pub id: ProjectId,
    pub name: String,
    pub archived: bool,
    /// Whether the user is a member. Otherwise the user is an administrator.
    pub is_member: bool,
    pub may_make_keys: bool,
    /// By name. The group without a recipient is last.
    pub groups: Vec<IssuedKeys<K>>,
    /// Total number of keys, including those not shown.
    pub total: u64,
    pub now: Timestamp,
}

impl ProjectKeys {
    /// Converts each key, for example into the view of a page.
    pub fn map<K>(self, mut convert: impl FnMut(Key) -> K) -> ProjectKeys<K> {
        let Self { id, name, archived, is_member, may_make_keys, groups, total, now } = self;
        let groups = groups
            .into_iter()
            .map(|IssuedKeys { to, keys }| IssuedKeys { to, keys: keys.into_iter().map(&mut convert).collect() })
            .collect();
        ProjectKeys { id, name, archived, is_member, may_make_keys, groups, total, now }
    }
}
