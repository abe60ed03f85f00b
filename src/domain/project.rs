//! Projects, and who is what in them.

use super::{
    ids::{FormNumber, ProjectId},
    scope::ScopeView,
    time::Timestamp,
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
    /// The one-time number of this form.
    pub number: FormNumber,
    pub now: Timestamp,
}
