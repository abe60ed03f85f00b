//! OAuth grants, consent, and registered clients of a project (RFC 6749).

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

/// Identifier of an OAuth client, as in `client_id` (RFC 6749 section 2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientName {
    /// `client:<id>`: a client that an owner of the project registered.
    Registered(ClientId),
    /// `loopback`: an unregistered native app on the user's own computer (RFC 8252).
    Loopback,
}

impl ClientName {
    /// Returns the id of a registered client.
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

/// Parse error: not a client identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("A client identifier is client:<id> or loopback.")]
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

/// Maximum length of a client's name, in characters.
const TITLE_MAX: usize = 80;

/// Display name of a client, chosen by a project owner: one line of 1 to 80 characters, trimmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientTitle(String);

/// Validation error of a [`ClientTitle`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientTitleError {
    #[error("Enter a name. Users see it on the consent screen.")]
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

/// A registered client on the project page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientView {
    pub id: ClientId,
    pub title: String,
    /// Registered redirect URIs.
    pub redirects: Vec<String>,
    pub since: Moment,
    pub by: String,
}

/// A grant in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantView {
    pub id: GrantId,
    /// Display name of the client. For an unregistered client, a text that states this.
    pub client: String,
    pub project: ProjectName,
    /// Name of the user who consented.
    pub person: String,
    /// Whether the grant belongs to the requesting user.
    pub yours: bool,
    pub scopes: Vec<String>,
    pub since: Moment,
    pub until: Moment,
    pub last_used: Option<Moment>,
}

/// Active grants and registered clients of a project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectGrants {
    pub grants: Vec<GrantView>,
    pub clients: Vec<ClientView>,
    /// Whether the requesting user may register and remove clients.
    pub may_register: bool,
    pub now: Timestamp,
}

/// Grant lifetime that the user can choose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LifetimeOption {
    pub seconds: i64,
    /// "1 day".
    pub words: String,
}

/// Data of the consent page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentPrompt {
    /// Name of the registered client. `None`: the client is not registered.
    pub client: Option<String>,
    /// Host that receives the authorization response. `None`: this computer, or a device.
    pub host: Option<String>,
    pub project: ProjectName,
    /// Requested scopes that this user may grant.
    pub scopes: Vec<ScopeView>,
    /// Requested scopes that this user may not grant.
    pub beyond: Vec<String>,
    /// Available lifetimes, shortest first.
    pub lives: Vec<LifetimeOption>,
    /// Lifetime that is selected initially, in seconds.
    pub usual: i64,
    /// Email address of the signed-in user, as shown on the page.
    pub email: String,
}

/// Authorization response as a message to the opener window, which has this origin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResponseMessage {
    pub origin: String,
    pub code: Option<RevealedSecret>,
    pub error: Option<String>,
    pub error_description: Option<String>,
    pub state: Option<String>,
    pub iss: String,
}

/// Delivery of an authorization response to the client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResponseDelivery {
    /// Redirects the browser to this URI.
    Redirect(RevealedSecret),
    /// Posts a message to the opener window.
    PostMessage(ResponseMessage),
}

/// Result of an authorization request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Authorization {
    /// The client or the redirect URI is unknown. The error is shown to the user and not sent to the client (RFC 6749
    /// section 4.1.2.1).
    Unknown(String),
    /// The user must decide on the consent page.
    Prompt(ConsentPrompt),
    /// The user cannot grant anything: the reason, and the HTTP status of the page that shows it.
    Failed { status: u16, why: String },
    /// The request is invalid. The error is sent to the client.
    Answered(ResponseDelivery),
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
