//! Actors of audited operations, and the origin of their requests.

pub use super::management_client::ManagementClient;
pub use keyward_domain::security::REAUTHENTICATION_MAX_AGE;

use jiff::tz::TimeZone;
use keyward_domain::{ids::UserId, time::Timestamp, user::CurrentUser};
use keyward_store::audit::NewEvent;
use std::net::IpAddr;

/// Origin of a request, as far as it can be trusted.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    pub ip: Option<IpAddr>,
    /// The `User-Agent` header, truncated to 200 characters.
    pub agent: Option<String>,
    pub request_id: Option<String>,
    /// Time zone that the browser reports.
    pub zone: Option<TimeZone>,
}

/// A signed-in user.
#[derive(Clone, Debug)]
pub struct Caller {
    pub user: UserId,
    pub name: String,
    pub email: String,
    pub admin: bool,
    /// Time of the last authentication in this session: by password, by second factor, or at the identity provider.
    /// [`NOT_REPORTED`] if the provider does not report it.
    pub authenticated_at: Timestamp,
    /// Time zone in which the user reads and writes dates.
    pub zone: TimeZone,
    pub origin: Origin,
}

/// [`Caller::authenticated_at`] of a session that started with an identity provider that does not report the time of
/// authentication.
pub const NOT_REPORTED: Timestamp = Timestamp::from_micros(0);

impl Caller {
    /// Returns the user as the page layout shows them.
    pub fn current_user(&self) -> CurrentUser {
        CurrentUser { id: self.user, name: self.name.clone(), email: self.email.clone(), admin: self.admin }
    }
}

/// Actor of an operation.
#[derive(Clone, Debug)]
pub enum Actor {
    /// A user, with the permissions of the user's role in a project.
    User(Caller),
    /// A user, with the permissions of an administrator. Use cases check in the database that the user is one.
    Administrator(Caller),
    /// A management client, authenticated by a management token.
    Program(ManagementClient),
    /// The operator at the command line. The operator controls the database and therefore may do anything.
    Operator,
    /// Keyward itself: background jobs and initial setup.
    System(Origin),
}

impl Actor {
    /// The signed-in user, if the actor is a user.
    pub fn caller(&self) -> Option<&Caller> {
        match self {
            Self::User(caller) | Self::Administrator(caller) => Some(caller),
            Self::Program(_) | Self::Operator | Self::System(_) => None,
        }
    }

    /// Time zone of responses to this actor. UTC for programs and the command line.
    pub fn zone(&self) -> TimeZone {
        self.caller().map_or(TimeZone::UTC, |caller| caller.zone.clone())
    }

    /// The user's id, if the actor is a user.
    pub fn user(&self) -> Option<UserId> {
        self.caller().map(|caller| caller.user)
    }

    /// Display name, as in the "created by" of a key.
    pub fn name(&self) -> &str {
        match self {
            Self::User(caller) | Self::Administrator(caller) => &caller.name,
            Self::Program(program) => &program.name,
            Self::Operator => "Command line",
            Self::System(_) => "Keyward",
        }
    }

    /// Default acting role of audit events. [`NewEvent::with_acting_role`] sets a more specific one.
    pub const fn acting_role(&self) -> &'static str {
        match self {
            Self::User(_) => "person",
            Self::Administrator(_) => "administrator",
            Self::Program(_) => "program",
            Self::Operator => "command line",
            Self::System(_) => "keyward",
        }
    }

    /// Acting role for operations that only administrators or the command line may perform.
    pub const fn admin_acting_role(&self) -> &'static str {
        match self {
            Self::User(_) | Self::Administrator(_) => "administrator",
            Self::Program(_) | Self::Operator | Self::System(_) => self.acting_role(),
        }
    }

    /// Creates an audit event of this actor. The caller adds project, reason, and detail.
    pub fn event(&self, at: Timestamp, action: &'static str, target: impl ToString, target_name: &str) -> NewEvent {
        let none = Origin::default();
        let (actor, origin) = match self {
            Self::User(caller) | Self::Administrator(caller) => (format!("user:{}", caller.user), &caller.origin),
            Self::Program(program) => (program.subject.to_string(), &program.origin),
            Self::Operator => ("operator".to_owned(), &none),
            Self::System(origin) => ("system".to_owned(), origin),
        };
        let target = target.to_string();
        // A change of the user's own account needs no role.
        let acting = if target == actor && self.user().is_some() { "self" } else { self.acting_role() };
        NewEvent {
            at: at.micros(),
            actor,
            actor_name: self.name().to_owned(),
            action,
            target,
            target_name: target_name.to_owned(),
            project_id: None,
            reason: None,
            ip: origin.ip.map(|ip| ip.to_string()),
            agent: origin.agent.clone(),
            request_id: origin.request_id.clone(),
            detail: serde_json::json!({}),
            acting: acting.to_owned(),
        }
    }
}
