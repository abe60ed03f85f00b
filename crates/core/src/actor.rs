//! Who does something, and from where.

pub use super::program::Program;

use jiff::tz::TimeZone;
use keyward_domain::{ids::UserId, time::Timestamp, user::Me};
use keyward_store::audit::NewEvent;
use std::net::IpAddr;

/// Where a request comes from, as far as it can be trusted.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    pub ip: Option<IpAddr>,
    /// The `User-Agent`, cut to 200 characters.
    pub agent: Option<String>,
    pub request_id: Option<String>,
    /// The time zone that the browser says it is in.
    pub zone: Option<TimeZone>,
}

/// A person who is signed in.
#[derive(Clone, Debug)]
pub struct Caller {
    pub user: UserId,
    pub name: String,
    pub email: String,
    pub admin: bool,
    /// When they last proved who they are in this session, by password or second factor, or at a provider. [`NOT_REPORTED`] if
    /// the provider does not say.
    pub proved: Timestamp,
    /// The time zone in which they read and write dates.
    pub zone: TimeZone,
    pub origin: Origin,
}

/// For how long a proof of who somebody is counts for what is asked for again. Seconds.
pub const PROOF_HOLDS: i64 = 15 * 60;

/// [`Caller::proved`] of a session that a provider began without reporting when the user authenticated.
pub const NOT_REPORTED: Timestamp = Timestamp::from_micros(0);

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
    /// A program, by a token for management.
    Program(Program),
    /// Somebody at the command line of the machine: they hold the database, so they may do anything.
    Operator,
    /// Keyward itself: upkeep, the first start.
    System(Origin),
}

impl Actor {
    /// The time zone in which they are answered: programs and the command line in UTC.
    pub fn zone(&self) -> TimeZone {
        match self {
            Self::User(caller) => caller.zone.clone(),
            Self::Program(_) | Self::Operator | Self::System(_) => TimeZone::UTC,
        }
    }

    /// The person, if it is one.
    pub fn user(&self) -> Option<UserId> {
        match self {
            Self::User(caller) => Some(caller.user),
            Self::Program(_) | Self::Operator | Self::System(_) => None,
        }
    }

    /// As the key's "created by" says it.
    pub fn name(&self) -> &str {
        match self {
            Self::User(caller) => &caller.name,
            Self::Program(program) => &program.name,
            Self::Operator => "Command line",
            Self::System(_) => "Keyward",
        }
    }

    /// As what they act, if nothing more is known: [`NewEvent::acting_as`] says more.
    pub const fn acting(&self) -> &'static str {
        match self {
            Self::User(_) => "person",
            Self::Program(_) => "program",
            Self::Operator => "command line",
            Self::System(_) => "keyward",
        }
    }

    /// As what they act where only an administrator may, or the command line.
    pub const fn power(&self) -> &'static str {
        match self {
            Self::User(_) => "administrator",
            Self::Program(_) | Self::Operator | Self::System(_) => self.acting(),
        }
    }

    /// An event of theirs. Project, reason and detail are added by whoever knows them.
    pub fn event(&self, at: Timestamp, action: &'static str, target: impl ToString, target_name: &str) -> NewEvent {
        let none = Origin::default();
        let (actor, origin) = match self {
            Self::User(caller) => (format!("user:{}", caller.user), &caller.origin),
            Self::Program(program) => (format!("key:{}", program.key), &program.origin),
            Self::Operator => ("operator".to_owned(), &none),
            Self::System(origin) => ("system".to_owned(), origin),
        };
        let target = target.to_string();
        // Whoever does something to their own account needs no role for it.
        let acting = if target == actor && self.user().is_some() { "self" } else { self.acting() };
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
