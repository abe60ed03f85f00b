//! The policy decision: a pure function, the same for secrets, tokens and the gateway.

use super::KeySnapshot;
use crate::limits::Quota;
use keyward_domain::{count::format_number_of, ids::ProjectId, secret::Malformed, time::Timestamp};
use std::{borrow::Cow, net::IpAddr};

/// Requirements of a verification request, besides a valid key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VerifyRequest<'a> {
    /// The key must belong to one of these projects; empty: to any.
    pub projects: &'a [ProjectId],
    /// The key must have all of these scopes.
    pub scopes: &'a [Cow<'a, str>],
    /// The address from which the secret is used, if the caller knows it.
    pub ip: Option<IpAddr>,
}

/// The rule that denied a key. Returned only to the holder of the key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DenyReason {
    #[error("This is not a key. {0}")]
    Malformed(#[from] Malformed),
    #[error("No key has this secret.")]
    Unknown,
    #[error("This key was deleted.")]
    Deleted,
    #[error("The project of this key is archived.")]
    ProjectArchived,
    #[error("This key is deactivated. Activate it to use it again.")]
    Inactive,
    #[error("This key is not valid yet.")]
    NotYetValid,
    #[error("This key has expired. Extend it or create another key.")]
    Expired,
    #[error("This key belongs to another project.")]
    WrongProject,
    #[error("This key cannot be used from this network.")]
    WrongNetwork,
    #[error("This key does not have the scope {0}.")]
    MissingScope(String),
    #[error("Rate limit exceeded. Try again in {}.", format_number_of(.0.retry_after.into(), "second", "seconds"))]
    RateLimited(Quota),
}

impl DenyReason {
    /// Returns the stable reason code.
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

/// The kind of the presented credential. Networks restrict the secret, not the tokens made from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CredentialKind {
    Secret,
    Token,
}

/// Decides whether a key's secret satisfies a request at `now`, except for its rate limit.
///
/// The product defines the order of the rules: not deleted, project not archived, active, not before, not expired,
/// requested project, network, scopes. The rate limit is checked after all of them, so that a request that another rule
/// denies costs no quota.
///
/// # Errors
/// The first rule that denies the request.
pub fn decide(facts: &KeySnapshot, question: &VerifyRequest<'_>, now: Timestamp) -> Result<(), DenyReason> {
    decide_by(CredentialKind::Secret, facts, question, now)
}

/// Same as [`decide`], for a secret or a token.
///
/// # Errors
/// The first rule that denies the request.
pub(super) fn decide_by(
    by: CredentialKind,
    facts: &KeySnapshot,
    question: &VerifyRequest<'_>,
    now: Timestamp,
) -> Result<(), DenyReason> {
    let life = &facts.lifecycle;
    if life.deleted_at.is_some() {
        Err(DenyReason::Deleted)
    } else if facts.project_archived {
        Err(DenyReason::ProjectArchived)
    } else if !life.active {
        Err(DenyReason::Inactive)
    } else if life.not_before.is_some_and(|t| now < t) {
        Err(DenyReason::NotYetValid)
    } else if life.expires_at.is_some_and(|t| now >= t) {
        Err(DenyReason::Expired)
    } else if !question.projects.is_empty() && !question.projects.contains(&facts.project) {
        Err(DenyReason::WrongProject)
    } else if by == CredentialKind::Secret && !facts.networks.allow(question.ip) {
        Err(DenyReason::WrongNetwork)
    } else if let Some(scope) = question.scopes.iter().find(|scope| !facts.scopes.iter().any(|it| *it == **scope)) {
        Err(DenyReason::MissingScope(scope.to_string()))
    } else {
        Ok(())
    }
}

#[cfg(test)]
#[path = "decide_tests.rs"]
mod tests;
