//! People as administrators see them.

use super::{
    ids::{ProjectId, UserId},
    project::Role,
    time::{Moment, Timestamp},
};
use serde::{Deserialize, Serialize};

/// A person, to be chosen or named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonChoice {
    pub id: UserId,
    pub name: String,
    pub email: String,
}

/// A person in the list of all. Never the password, nor its hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserSummary {
    pub id: UserId,
    pub name: String,
    pub email: String,
    pub admin: bool,
    /// Whether they can sign in.
    pub active: bool,
    /// Projects that they are a member of.
    pub projects: u64,
    /// Keys that they made and that are not deleted, in whatever project.
    pub keys: u64,
    pub created: Moment,
    /// When they last signed in, if they ever did.
    pub signed_in: Option<Moment>,
    /// Whether it is the person who asked.
    pub is_you: bool,
}

/// One page of everybody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserPage {
    pub users: Vec<UserSummary>,
    /// Goes into `?after=` for the page that follows.
    pub next: Option<String>,
    /// Those that fit, on all pages.
    pub total: u64,
    pub now: Timestamp,
}

/// A project of somebody's, as an administrator sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserProject {
    pub id: ProjectId,
    pub name: String,
    /// What that person is in it.
    pub role: Role,
    /// Its keys that are not deleted.
    pub keys: u64,
    pub archived: bool,
    /// Whether nobody else owns it.
    pub alone: bool,
}

/// A person with what hangs on them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserView {
    pub user: UserSummary,
    /// By name.
    pub projects: Vec<UserProject>,
    /// Keys that they made and that are accepted unless they have expired: those that disabling may deactivate.
    pub live_keys: u64,
    /// Whether nobody else is an administrator who can sign in.
    pub last_administrator: bool,
    /// Other people who can sign in, by name: to whom a project can go.
    pub others: Vec<PersonChoice>,
    pub now: Timestamp,
}

/// The answer to an invitation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvitedUser {
    pub email: String,
    /// The link, to be passed on by hand; `None`: it was mailed, and stands nowhere else.
    pub link: Option<String>,
}
