//! What people allow programs, and the programs that a project knows.

use super::{
    ids::{ClientId, GrantId},
    key::{LabelError, label},
    project::ProjectName,
    scope::ScopeView,
    sensitive::RevealedSecret,
    time::{Moment, Timestamp},
};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// A program that asks, as `client_id` names it (RFC 6749 section 2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientName {
    /// `client:<id>`: one that an owner of the project registered.
    Registered(ClientId),
    /// `loopback`: one on the person's own computer that nobody registered (RFC 8252).
    Loopback,
}

impl ClientName {
    /// Its id, if it was registered.
    pub const fn id(self) -> Option<ClientId> {
        match self {
            Self::Registered(id) => Some(id),
            Self::Loopback => None,
        }
    }
}

impl fmt::Display for ClientName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Registered(id) => write!(f, "client:{id}"),
            Self::Loopback => f.write_str("loopback"),
        }
    }
}

/// Not the name of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("A program is called client:<id> or loopback.")]
pub struct BadClientName;

impl FromStr for ClientName {
    type Err = BadClientName;

    fn from_str(text: &str) -> Result<Self, BadClientName> {
        if text == "loopback" {
            return Ok(Self::Loopback);
        }
        text.strip_prefix("client:").and_then(ClientId::parse_exact).map(Self::Registered).ok_or(BadClientName)
    }
}

/// Most characters in a program's name.
const TITLE_MAX: usize = 80;

/// What an owner calls a program: one line of 1 to 80 characters, trimmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientTitle(String);

/// Why a text is not a [`ClientTitle`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientTitleError {
    #[error("Give the program the name by which people know it. They read it before they allow anything.")]
    Empty,
    #[error(transparent)]
    Label(LabelError),
}

impl FromStr for ClientTitle {
    type Err = ClientTitleError;

    fn from_str(text: &str) -> Result<Self, ClientTitleError> {
        label(text, TITLE_MAX).map(Self).map_err(|error| match error {
            LabelError::Empty => ClientTitleError::Empty,
            other => ClientTitleError::Label(other),
        })
    }
}

impl ClientTitle {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A registered program as the project's page shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientView {
    pub id: ClientId,
    pub title: String,
    /// Where it may be answered.
    pub redirects: Vec<String>,
    pub since: Moment,
    pub by: String,
}

/// What somebody allowed, as a list shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantView {
    pub id: GrantId,
    /// What the program is called; of one that nobody registered, that.
    pub client: String,
    pub project: ProjectName,
    /// Who allowed it.
    pub person: String,
    /// It was whoever reads this.
    pub yours: bool,
    pub scopes: Vec<String>,
    pub since: Moment,
    pub until: Moment,
    pub last_used: Option<Moment>,
}

/// What holds of all that was allowed, and the programs of the project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allowed {
    pub grants: Vec<GrantView>,
    pub clients: Vec<ClientView>,
    /// Whether the reader may register programs, and remove them.
    pub may_register: bool,
    pub now: Timestamp,
}

/// For how long something may be allowed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Life {
    pub seconds: i64,
    /// "1 day".
    pub words: String,
}

/// What a program asks a person, as the page shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asking {
    /// What an owner of the project called the program; `None`: nobody registered it.
    pub client: Option<String>,
    /// The host that gets the answer; `None`: this computer, or a device.
    pub host: Option<String>,
    pub project: ProjectName,
    /// What it asks for and this person may allow.
    pub scopes: Vec<ScopeView>,
    /// What it asks for and this person may not allow.
    pub beyond: Vec<String>,
    /// The shortest first.
    pub lives: Vec<Life>,
    /// Seconds: the one that is chosen at first.
    pub usual: i64,
    /// Whom the page says to be signed in.
    pub email: String,
}

/// What is told to the window that opened ours, which is of this origin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    pub origin: String,
    pub code: Option<RevealedSecret>,
    pub error: Option<String>,
    pub error_description: Option<String>,
    pub state: Option<String>,
    pub iss: String,
}

/// How a program is answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answered {
    /// By leading the browser there.
    Leave(RevealedSecret),
    /// By a message to its window.
    Post(Message),
}

/// What becomes of a request to be allowed something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Authorization {
    /// It is not known who asks, or where the answer would go: nobody but the person is told.
    Unknown(String),
    /// The person is asked.
    Ask(Asking),
    /// There is nothing that this person could allow: why, with the status of a page that says so.
    Cannot { status: u16, why: String },
    /// The program has made a mistake, and is told.
    Answered(Answered),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_has_one_name() {
        let id = "0192f3a0-0000-7000-8000-000000000001";
        let name: ClientName = format!("client:{id}").parse().unwrap();
        assert_eq!(name.to_string(), format!("client:{id}"));
        assert_eq!("loopback".parse(), Ok(ClientName::Loopback));
        for bad in ["", "client:", id, "Loopback", "client:0192F3A0-0000-7000-8000-000000000001", "key:x"] {
            assert_eq!(bad.parse::<ClientName>(), Err(BadClientName), "{bad}");
        }
    }
}
