//! Projects, and who is what in them.

use super::{
    expiry::ExpiryOption,
    ids::{FormNumber, InvitationId, ProjectId, UserId},
    key::{KeyView, LabelError, label},
    scope::ScopeView,
    sensitive::RevealedSecret,
    time::{Moment, Timestamp},
};
use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// What a member of a project may do, most first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    Owner,
    Operator,
    Viewer,
}

impl Role {
    /// Whether it is one of those of whom a project keeps at least one. What a role may do is `service::can`'s to say.
    pub const fn owns(self) -> bool {
        matches!(self, Self::Owner)
    }

    /// All of them, most first.
    pub const ALL: [Self; 3] = [Self::Owner, Self::Operator, Self::Viewer];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Operator => "operator",
            Self::Viewer => "viewer",
        }
    }
}

/// Not the name of a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("A role is owner, operator or viewer.")]
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

/// A project, to be chosen or named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectName {
    pub id: ProjectId,
    pub name: String,
}

/// A project in which the asking person may make keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectChoice {
    pub id: ProjectId,
    pub name: String,
    /// What its keys may be given.
    pub scopes: Vec<ScopeView>,
}

/// What the form for a new key needs to be drawn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyForm {
    pub projects: Vec<ProjectChoice>,
    /// The presets, and never, as far as the policy allows them; `date` is the page's own.
    pub expiries: Vec<ExpiryOption>,
    /// The choice at first: `90d`, or the longest allowed that is shorter.
    pub usual: String,
    /// What the policy says of the life of a key, if it says anything.
    pub policy: Option<String>,
    /// The name of the time zone in which dates end, and times are written.
    pub zone: String,
    /// The one-time number of this form.
    pub number: FormNumber,
    pub now: Timestamp,
}

/// A project in the list of somebody's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectSummary {
    pub id: ProjectId,
    pub name: String,
    /// What the person who asked is in it.
    pub role: Role,
    /// Its keys that are not deleted.
    pub keys: u64,
    /// Those among them that are good now.
    pub active: u64,
    pub members: u64,
    pub created: Moment,
    pub archived: bool,
}

/// A project as its page shows it to a member, or to an administrator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectView {
    pub id: ProjectId,
    pub name: String,
    /// What the person who asked is in it; `None`: no member, they see it as an administrator.
    pub role: Option<Role>,
    /// What its keys may be given.
    pub scopes: Vec<ScopeView>,
    /// What keys of it hold although it is offered no more, each with how many hold it.
    pub retired: Vec<HeldScope>,
    /// Whether these are the instance's default set, and none of its own.
    pub default_scopes: bool,
    /// The longest life of its tokens, in seconds.
    pub token_life_max: i64,
    /// The longest that the policy allows, in words.
    pub token_life_most: String,
    /// The same in words: "1 day".
    pub token_life: String,
    /// JSON, laid out to be read.
    pub config: String,
    /// Goes back with a changed config: it is refused if the config was changed meanwhile.
    pub version: String,
    /// Its keys that are not deleted.
    pub keys: u64,
    pub created: Moment,
    pub archived: bool,
    /// Whether the person who asked may change its name, its config, how long its tokens live.
    pub may_configure: bool,
    /// Whether they may archive it, and take that back.
    pub may_archive: bool,
    /// Whether they may invite, change roles, remove.
    pub may_manage_members: bool,
    /// Whether they may make keys of it.
    pub may_make_keys: bool,
    /// Whether they may choose what it offers.
    pub may_choose_scopes: bool,
}

/// Most characters in a project's name.
pub const PROJECT_NAME_MAX: usize = 100;

/// A project's name: one line of 1 to 100 characters in any script, trimmed. A label, not unique.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectTitle(String);

/// Why a text is not a [`ProjectTitle`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TitleError {
    #[error("Give the project a name, as its members should see it.")]
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

/// A scope, and how many keys that are not deleted hold it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldScope {
    pub name: String,
    pub keys: u64,
}

/// A scope of the catalogue, as an administrator chooses what a project offers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScopeOffer {
    pub name: String,
    pub description: String,
    pub in_default: bool,
    /// Whether the project offers it now.
    pub offered: bool,
    /// Keys of the project that hold it and are not deleted.
    pub keys: u64,
}

/// What the form for a project's scopes needs to be drawn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScopesForm {
    /// Whether it offers the default set.
    pub default: bool,
    /// What there is to choose: no retired scope.
    pub scopes: Vec<ScopeOffer>,
    /// Goes back with the choice: it is refused if another was made meanwhile.
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
    /// Whether it is the person who asked.
    pub you: bool,
}

/// An invitation that still works. Its link is not in it: that was shown once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenInvitation {
    pub id: InvitationId,
    pub role: Role,
    pub email: Option<String>,
    pub invited_by: String,
    pub ends: Moment,
}

/// Who is in a project, and, for its owners, who may come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Members {
    pub members: Vec<Member>,
    pub invitations: Vec<OpenInvitation>,
    pub now: Timestamp,
}

/// The answer to a new invitation, the only one that ever holds its link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invited {
    pub project: ProjectId,
    pub role: Role,
    pub email: Option<String>,
    /// To be handed over by whoever invites; `None`: it was mailed.
    pub link: Option<RevealedSecret>,
    /// It should have been mailed, and could not be.
    pub mail_failed: bool,
    pub ends: Moment,
}

/// What an invitation says to whoever opened its link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvitationView {
    pub project: ProjectId,
    pub name: String,
    pub role: Role,
    pub invited_by: String,
    pub ends: Moment,
    /// Whoever asks is signed in, with this address.
    pub signed_in_as: Option<String>,
    /// Whoever asks is a member already.
    pub member: bool,
    /// Whether the policy lets an invited person make an account.
    pub sign_up: bool,
}

/// What became of an invitation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Joined {
    pub project: ProjectId,
    /// They were a member before: nothing was changed, and the link still works.
    pub already: bool,
}

/// The keys of a project that were issued to one name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssuedKeys {
    /// `None`: to nobody in particular.
    pub to: Option<String>,
    pub keys: Vec<KeyView>,
}

/// The keys of one project, by whom they were issued to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectKeys {
    pub id: ProjectId,
    pub name: String,
    pub archived: bool,
    pub may_make_keys: bool,
    /// By name; those issued to nobody last.
    pub groups: Vec<IssuedKeys>,
    /// How many there are, shown or not.
    pub total: u64,
    pub now: Timestamp,
}
