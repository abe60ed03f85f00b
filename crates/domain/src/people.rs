//! User administration: views of users for administrators.

use super::{
    ids::{ProjectId, UserId},
    project::Role,
    time::{Moment, Timestamp},
};
use serde::{Deserialize, Serialize};

/// Id, name, and email address of a user, for lists and selection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonChoice {
    pub id: UserId,
    pub name: String,
    pub email: String,
}

/// A user in the list of all users. It never contains the password or its hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserSummary {
    pub id: UserId,
    pub name: String,
    pub email: String,
    pub admin: bool,
    /// Whether the user can sign in.
    pub active: bool,
    /// Number of projects of which the user is a member.
    pub projects: u64,
    /// Number of keys that the user created in any project and that are not deleted.
    pub keys: u64,
    pub created: Moment,
    /// Time of the last sign-in, if there was one.
    pub signed_in: Option<Moment>,
    /// Whether this is the requesting user.
    pub is_you: bool,
}

/// One page of the list of all users.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserPage {
    pub users: Vec<UserSummary>,
    /// Cursor of the next page, for `?after=`.
    pub next: Option<String>,
    /// Number of matching users on all pages.
    pub total: u64,
    pub now: Timestamp,
}

/// A project of a user, for administrators.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserProject {
    pub id: ProjectId,
    pub name: String,
    /// Role of that user in the project.
    pub role: Role,
    /// Number of keys that are not deleted.
    pub keys: u64,
    pub archived: bool,
    /// Whether that user is the only owner.
    pub alone: bool,
}

/// A user with the projects and keys that depend on them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserView {
    pub user: UserSummary,
    /// Projects by name.
    pub projects: Vec<UserProject>,
    /// Number of keys that the user created and that are accepted unless they have expired. Disabling the user can
    /// deactivate them.
    pub live_keys: u64,
    /// Whether no other administrator can sign in.
    pub last_administrator: bool,
    /// Other users who can sign in, by name: possible new owners of a project.
    pub others: Vec<PersonChoice>,
    pub now: Timestamp,
}

/// Response to a user invitation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvitedUser {
    pub email: String,
    /// One-time link for the administrator to pass on. `None`: it was sent by email and is not available elsewhere.
    pub link: Option<String>,
}
