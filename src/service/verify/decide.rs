//! The decision: pure, the same for a secret, a token and a gateway.

use super::Facts;
use crate::{
    domain::{ids::ProjectId, time::Timestamp},
    secret::Malformed,
    service::limits::Quota,
};
use std::{borrow::Cow, net::IpAddr};

/// What is asked of a key besides being good.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Question<'a> {
    /// It must be of one of these projects; empty: of any.
    pub projects: &'a [ProjectId],
    /// It must have all of these scopes.
    pub scopes: &'a [Cow<'a, str>],
    /// The address from which the secret is used, if whoever asks knows it.
    pub ip: Option<IpAddr>,
}

/// Which rule refused a key. Said only to whoever holds it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("This is not a key. {0}")]
    Malformed(#[from] Malformed),
    #[error("No key has this secret.")]
    Unknown,
    #[error("This key was deleted.")]
    Deleted,
    #[error("The project of this key is archived.")]
    ProjectArchived,
    #[error("This key is deactivated. Whoever looks after it can activate it.")]
    Inactive,
    #[error("This key is not valid yet.")]
    NotYetValid,
    #[error("This key has expired. Extend it, or create another.")]
    Expired,
    #[error("This key belongs to another project.")]
    WrongProject,
    #[error("This key may not be used from this network.")]
    WrongNetwork,
    #[error("This key does not have the scope {0}.")]
    MissingScope(String),
    #[error("This key was used too often. Try again in {} s.", .0.retry_after)]
    RateLimited(Quota),
}

impl Refused {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "malformed",
            Self::Unknown => "unknown",
            Self::Deleted => "deleted",
            Self::ProjectArchived => "project_archived",
            Self::Inactive => "inactive",
            Self::NotYetValid => "not_yet_valid",
            Self::Expired => "expired",
            Self::WrongProject => "wrong_project",
            Self::WrongNetwork => "wrong_network",
            Self::MissingScope(_) => "missing_scope",
            Self::RateLimited(_) => "rate_limited",
        }
    }
}

/// Whether a key is good for what is asked, at an instant, but for its rate. The order of the rules is the product's: not deleted,
/// project not archived, active, not before, not expired, project asked for, network, scopes; the rate comes after all of them, so
/// that what is refused by another rule costs no quota.
///
/// # Errors
/// The first rule that refuses.
pub fn decide(facts: &Facts, question: &Question<'_>, now: Timestamp) -> Result<(), Refused> {
    let life = &facts.lifecycle;
    if life.deleted_at.is_some() {
        Err(Refused::Deleted)
    } else if facts.project_archived {
        Err(Refused::ProjectArchived)
    } else if !life.active {
        Err(Refused::Inactive)
    } else if life.not_before.is_some_and(|t| now < t) {
        Err(Refused::NotYetValid)
    } else if life.expires_at.is_some_and(|t| now >= t) {
        Err(Refused::Expired)
    } else if !question.projects.is_empty() && !question.projects.contains(&facts.project) {
        Err(Refused::WrongProject)
    } else if !facts.networks.allow(question.ip) {
        Err(Refused::WrongNetwork)
    } else if let Some(scope) = question.scopes.iter().find(|scope| !facts.scopes.iter().any(|it| *it == **scope)) {
        Err(Refused::MissingScope(scope.to_string()))
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::key::{Environment, Lifecycle};
    use crate::domain::network::Networks;
    use uuid::Uuid;

    const NOW: Timestamp = Timestamp::from_seconds(1_000_000);

    fn good() -> Facts {
        Facts {
            key: Uuid::nil().into(),
            project: Uuid::nil().into(),
            project_archived: false,
            token_life_max: 86_400,
            name: "Gateway".into(),
            environment: Environment::Live,
            scopes: vec!["a:read".into(), "a:write".into()],
            issued_to: None,
            lifecycle: Lifecycle { active: true, not_before: None, expires_at: None, deleted_at: None },
            networks: Networks::default(),
            rate_limit: None,
        }
    }

    fn code(facts: &Facts, question: &Question<'_>) -> &'static str {
        decide(facts, question, NOW).map_or_else(|refused| refused.code(), |()| "good")
    }

    #[test]
    fn rules_are_asked_in_the_order_of_the_product() {
        let (asked, unknown) = ([Uuid::max().into()], ["b".into()]);
        let other = Question { projects: &asked, scopes: &unknown, ip: None };
        let mut facts = good();
        facts.lifecycle = Lifecycle {
            active: false,
            not_before: Some(NOW.plus_seconds(1)),
            expires_at: Some(NOW),
            deleted_at: Some(NOW),
        };
        facts.project_archived = true;
        assert_eq!(code(&facts, &other), "deleted");
        facts.lifecycle.deleted_at = None;
        assert_eq!(code(&facts, &other), "project_archived");
        facts.project_archived = false;
        assert_eq!(code(&facts, &other), "inactive");
        facts.lifecycle.active = true;
        assert_eq!(code(&facts, &other), "not_yet_valid");
        facts.lifecycle.not_before = Some(NOW);
        assert_eq!(code(&facts, &other), "expired");
        facts.lifecycle.expires_at = Some(Timestamp::from_micros(NOW.micros() + 1));
        assert_eq!(code(&facts, &other), "wrong_project");
        facts.networks = Networks::read("192.0.2.0/24").unwrap();
        let either = [Uuid::max().into(), facts.project];
        let scoped = Question { projects: &either, scopes: &unknown, ip: None };
        assert_eq!(code(&facts, &scoped), "wrong_network");
        let scoped = Question { ip: Some([192, 0, 2, 9].into()), ..scoped };
        assert_eq!(code(&facts, &scoped), "missing_scope");
        assert_eq!(code(&facts, &Question { scopes: &["a:write".into()], ..scoped }), "good");
        assert_eq!(code(&good(), &Question::default()), "good");
    }

    #[test]
    fn no_scopes_mean_none() {
        let facts = Facts { scopes: vec![], ..good() };
        assert_eq!(code(&facts, &Question { scopes: &["a:read".into()], ..Question::default() }), "missing_scope");
        assert_eq!(code(&facts, &Question::default()), "good");
    }
}
