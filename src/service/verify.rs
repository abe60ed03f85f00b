//! The answer to "is this key good?".
//!
//! [`decide`] is pure: facts of a key, a question, an instant. What is read from the store are facts, never decisions.

use super::{Error, Ground, usage::Usage};
use crate::{
    domain::{
        ids::{KeyId, ProjectId},
        key::{Environment, Lifecycle},
        time::Timestamp,
    },
    secret::{Malformed, PresentedSecret},
    store::{self, keys::KeyRow},
};

/// What is known of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    pub key: KeyId,
    pub project: ProjectId,
    pub project_archived: bool,
    /// Longest life of a token of its project, in seconds.
    pub token_life_max: i64,
    pub name: String,
    pub environment: Environment,
    pub scopes: Vec<String>,
    pub issued_to: Option<String>,
    pub lifecycle: Lifecycle,
}

impl TryFrom<KeyRow> for Facts {
    type Error = store::Error;

    fn try_from(row: KeyRow) -> Result<Self, store::Error> {
        Ok(Self {
            key: row.id.into(),
            project: row.project_id.into(),
            project_archived: row.project_archived_at.is_some(),
            token_life_max: row.token_life_max,
            environment: row.environment()?,
            scopes: row.scopes()?,
            lifecycle: row.lifecycle(),
            name: row.name,
            issued_to: row.issued_to,
        })
    }
}

impl Facts {
    /// When it expires, in RFC 3339; `None`: never.
    pub fn expires_at_text(&self) -> Option<String> {
        self.lifecycle.expires_at.map(super::moments::rfc3339)
    }
}

/// What is asked of a key besides being good.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Question {
    /// It must be of one of these projects; empty: of any.
    pub projects: Vec<ProjectId>,
    /// It must have all of these scopes.
    pub scopes: Vec<String>,
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
    #[error("This key does not have the scope {0}.")]
    MissingScope(String),
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
            Self::MissingScope(_) => "missing_scope",
        }
    }
}

/// Whether a key is good for what is asked, at an instant. The order of the rules is the product's: not deleted, project not
/// archived, active, not before, not expired, project asked for, scopes.
///
/// # Errors
/// The first rule that refuses.
pub fn decide(facts: &Facts, question: &Question, now: Timestamp) -> Result<(), Refused> {
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
    } else if let Some(scope) = question.scopes.iter().find(|scope| !facts.scopes.contains(scope)) {
        Err(Refused::MissingScope(scope.clone()))
    } else {
        Ok(())
    }
}

/// Answers for keys, and for the tokens made from them.
#[derive(Clone)]
pub struct Verifier {
    ground: Ground,
    usage: Usage,
}

impl Verifier {
    pub fn new(ground: Ground, usage: Usage) -> Self {
        Self { ground, usage }
    }

    /// The instant that decisions are made for.
    pub fn now(&self) -> Timestamp {
        self.ground.now()
    }

    /// A new UUID, for what is made of a decision.
    pub fn new_id(&self) -> uuid::Uuid {
        self.ground.new_id()
    }

    /// Decides on a secret. The inner error is a decision; the outer one a fault.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn secret(&self, text: &str, question: &Question) -> Result<Result<Facts, Refused>, Error> {
        let presented: PresentedSecret = match text.parse() {
            Ok(presented) => presented,
            Err(fault) => return Ok(Err(Refused::Malformed(fault))),
        };
        let row = {
            let mut reader = self.ground.pool.read().await?;
            store::keys::by_digest(&mut reader.conn(), presented.digest.as_bytes()).await?
        };
        self.answer(row, question)
    }

    /// Decides on a key by its id: for a token that was made from it.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn key(&self, id: KeyId, question: &Question) -> Result<Result<Facts, Refused>, Error> {
        let row = {
            let mut reader = self.ground.pool.read().await?;
            store::keys::by_id(&mut reader.conn(), id.into()).await?
        };
        self.answer(row, question)
    }

    fn answer(&self, row: Option<KeyRow>, question: &Question) -> Result<Result<Facts, Refused>, Error> {
        let Some(row) = row else { return Ok(Err(Refused::Unknown)) };
        let facts = Facts::try_from(row)?;
        let now = self.ground.now();
        Ok(decide(&facts, question, now).map(|()| {
            self.usage.note(facts.key, now);
            facts
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
        }
    }

    fn code(facts: &Facts, question: &Question) -> &'static str {
        decide(facts, question, NOW).map_or_else(|refused| refused.code(), |()| "good")
    }

    #[test]
    fn rules_are_asked_in_the_order_of_the_product() {
        let other = Question { projects: vec![Uuid::max().into()], scopes: vec!["b".into()] };
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
        let scoped = Question { projects: vec![Uuid::max().into(), facts.project], scopes: vec!["b".into()] };
        assert_eq!(code(&facts, &scoped), "missing_scope");
        assert_eq!(code(&facts, &Question { scopes: vec!["a:write".into()], ..scoped }), "good");
        assert_eq!(code(&good(), &Question::default()), "good");
    }

    #[test]
    fn no_scopes_mean_none() {
        let facts = Facts { scopes: vec![], ..good() };
        assert_eq!(code(&facts, &Question { scopes: vec!["a:read".into()], ..Question::default() }), "missing_scope");
        assert_eq!(code(&facts, &Question::default()), "good");
    }
}
