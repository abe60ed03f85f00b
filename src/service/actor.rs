//! Who does something, and from where.

use crate::{
    domain::{
        ids::{ProjectId, UserId},
        time::Timestamp,
        user::Me,
    },
    store::audit::NewEvent,
};
use std::net::IpAddr;

/// Where a request comes from, as far as it can be trusted.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    pub ip: Option<IpAddr>,
    /// The `User-Agent`, cut to 200 characters.
    pub agent: Option<String>,
    pub request_id: Option<String>,
}

/// A person who is signed in.
#[derive(Clone, Debug)]
pub struct Caller {
    pub user: UserId,
    pub name: String,
    pub email: String,
    pub admin: bool,
    pub origin: Origin,
}

impl Caller {
    /// As the shell shows them.
    pub fn me(&self) -> Me {
        Me { id: self.user, name: self.name.clone(), email: self.email.clone(), admin: self.admin }
    }
}

/// Who does something.
#[derive(Clone, Debug)]
pub enum Actor {
    User(Caller),
    /// Somebody at the command line of the machine: they hold the database, so they may do anything.
    Operator,
    /// Keyward itself: upkeep, the first start.
    System(Origin),
}

impl Actor {
    /// The person, if it is one.
    pub fn user(&self) -> Option<UserId> {
        match self {
            Self::User(caller) => Some(caller.user),
            Self::Operator | Self::System(_) => None,
        }
    }

    /// As the key's "created by" says it.
    pub fn name(&self) -> &str {
        match self {
            Self::User(caller) => &caller.name,
            Self::Operator => "Command line",
            Self::System(_) => "Keyward",
        }
    }

    /// An event of theirs. Project, reason and detail are added by whoever knows them.
    pub fn event(&self, at: Timestamp, action: &'static str, target: impl ToString, target_name: &str) -> NewEvent {
        let none = Origin::default();
        let (actor, origin) = match self {
            Self::User(caller) => (format!("user:{}", caller.user), &caller.origin),
            Self::Operator => ("operator".to_owned(), &none),
            Self::System(origin) => ("system".to_owned(), origin),
        };
        NewEvent {
            at: at.micros(),
            actor,
            actor_name: self.name().to_owned(),
            action,
            target: target.to_string(),
            target_name: target_name.to_owned(),
            project_id: None,
            reason: None,
            ip: origin.ip.map(|ip| ip.to_string()),
            agent: origin.agent.clone(),
            request_id: origin.request_id.clone(),
            detail: serde_json::json!({}),
        }
    }
}

impl NewEvent {
    /// The event with the project that it belongs to.
    pub fn in_project(mut self, project: ProjectId) -> Self {
        self.project_id = Some(project.into());
        self
    }

    /// The event with what changed: `{"before": …, "after": …}`, or what was made.
    pub fn detail(mut self, detail: serde_json::Value) -> Self {
        self.detail = detail;
        self
    }
}
