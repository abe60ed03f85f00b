//! The decision on a token, or on a key in its place: what the token says, then everything about its key.

use super::{Audience, Known, TokenRefused, Tokens};
use crate::verify::{Good, Question, Refused};
use keyward_core::{Error, actor::Origin, program::Program};
use keyward_domain::ids::ProjectId;
use std::{borrow::Cow, sync::Arc};

/// A key, or a token of one, that is good for what was asked.
#[derive(Clone, Debug)]
pub struct Accepted {
    pub good: Good,
    /// What the token says; `None`: the key itself was presented.
    pub token: Option<Arc<Known>>,
}

impl Accepted {
    /// What it may do: the key's scopes, and of a token those of the key's that it has.
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        let held = self.good.facts.scopes.iter().map(|scope| -> &str { scope.as_ref() });
        held.filter(|scope| self.token.as_ref().is_none_or(|token| token.scopes().any(|it| it == *scope)))
    }

    /// The program that presented it, as the management API knows it.
    pub fn program(&self, origin: Origin) -> Program {
        let facts = &self.good.facts;
        Program {
            key: facts.key,
            name: facts.name.to_string(),
            project: facts.project,
            scopes: self.scopes().map(ToOwned::to_owned).collect(),
            origin,
        }
    }
}

/// The scope without a name, which no key has. What a token lacks is refused as if its key lacked it: in the same place among the
/// rules, so that it costs no quota and the rules before it are named first.
const NONE: &[Cow<'_, str>] = &[Cow::Borrowed("")];

/// What was decided.
pub type Checked = Result<Accepted, TokenRefused>;

/// Whether a text can be a token and no key: three parts with dots between.
fn is_token(text: &str) -> bool {
    !text.starts_with("kw_") && text.bytes().filter(|byte| *byte == b'.').count() == 2
}

impl Tokens {
    /// Decides on a key or a token, whichever was presented.
    ///
    /// # Errors
    /// The inner error is the rule that refused it; the outer one a fault.
    pub async fn presented(&self, text: &str, question: &Question<'_>) -> Result<Checked, Error> {
        if is_token(text) {
            return self.token(text, question).await;
        }
        let decision = self.verify.secret(text, question).await?;
        Ok(decision.map(|good| Accepted { good, token: None }).map_err(TokenRefused::Key))
    }

    /// Decides on a token, and on the key behind it: a token never outlives its key, and has no scope that the key has lost. The
    /// networks of a key bind its secret, not the tokens made from it.
    ///
    /// # Errors
    /// As [`Tokens::presented`].
    pub async fn token(&self, text: &str, question: &Question<'_>) -> Result<Checked, Error> {
        let known = match self.read(text) {
            Ok(known) => known,
            Err(refused) => return Ok(Err(refused)),
        };
        // A token for management is for nothing else.
        let Audience::Project(project) = known.audience else { return Ok(Err(TokenRefused::WrongAudience)) };
        let own = [project];
        let in_its_project = question.projects.is_empty() || question.projects.contains(&project);
        let projects = if in_its_project { &own } else { question.projects };
        self.decide(known, &Question { projects, ..*question }).await
    }

    /// Decides on a token for the addresses of one project: made for another, it is for something else.
    ///
    /// # Errors
    /// As [`Tokens::presented`].
    pub async fn check(&self, token: &str, project: ProjectId) -> Result<Checked, Error> {
        match self.read(token) {
            Ok(known) if known.audience != Audience::Project(project) => Ok(Err(TokenRefused::WrongAudience)),
            Ok(known) => self.decide(known, &Question { projects: &[project], ..Question::default() }).await,
            Err(refused) => Ok(Err(refused)),
        }
    }

    /// Decides on a token for management by program, which must have this scope: `keyward:keys.read` or the like.
    ///
    /// # Errors
    /// As [`Tokens::presented`].
    pub async fn management(&self, token: &str, scope: &str) -> Result<Checked, Error> {
        match self.read(token) {
            Ok(known) if known.audience != Audience::Management => Ok(Err(TokenRefused::WrongAudience)),
            Ok(known) => self.decide(known, &Question { scopes: &[Cow::Borrowed(scope)], ..Question::default() }).await,
            Err(refused) => Ok(Err(refused)),
        }
    }

    /// Decides on a token, whatever it is for.
    pub(super) async fn any(&self, token: &str) -> Result<Checked, Error> {
        match self.read(token) {
            Ok(known) => self.decide(known, &Question::default()).await,
            Err(refused) => Ok(Err(refused)),
        }
    }

    /// What a token says, if it is one of ours and has not expired: nothing else has been asked.
    ///
    /// # Errors
    /// [`TokenRefused::Malformed`], [`TokenRefused::WrongAudience`] or [`TokenRefused::Expired`].
    pub fn read(&self, token: &str) -> Result<Arc<Known>, TokenRefused> {
        self.reader.read(token, self.verify.now(), self.ring.removed(), || self.ring.now())
    }

    /// Decides on a token, whatever it is for, without its being a use of it: it costs no quota and is not counted (RFC 7662).
    ///
    /// # Errors
    /// As [`Tokens::presented`].
    pub async fn look(&self, token: &str) -> Result<Checked, Error> {
        let known = match self.read(token) {
            Ok(known) => known,
            Err(refused) => return Ok(Err(refused)),
        };
        if self.is_revoked(&known).await? {
            return Ok(Err(TokenRefused::Revoked));
        }
        Ok(match self.verify.look(known.holder.facts_id()).await? {
            Err(refused) => Err(TokenRefused::behind(known.holder, refused)),
            Ok(good) if !is_of(&known, good.facts.project) => Err(TokenRefused::Key(Refused::WrongProject)),
            Ok(good) => Ok(Accepted { good, token: Some(known) }),
        })
    }

    /// What a token that was read says, and everything about its key.
    async fn decide(&self, known: Arc<Known>, question: &Question<'_>) -> Result<Checked, Error> {
        if self.is_revoked(&known).await? {
            return Ok(Err(TokenRefused::Revoked));
        }
        let missing = question.scopes.iter().find(|scope| !known.scopes().any(|it| it == **scope));
        let question = Question { scopes: if missing.is_some() { NONE } else { question.scopes }, ..*question };
        let decision = self.verify.key(known.holder.facts_id(), &question).await?;
        Ok(match (decision, missing) {
            (Err(Refused::MissingScope(_)), Some(scope)) => Err(TokenRefused::Scope(scope.to_string())),
            (Err(refused), _) => Err(TokenRefused::behind(known.holder, refused)),
            (Ok(good), _) if !is_of(&known, good.facts.project) => Err(TokenRefused::Key(Refused::WrongProject)),
            (Ok(good), _) => Ok(Accepted { good, token: Some(known) }),
        })
    }
}

/// Whether the project of its key is the one that a token is for.
fn is_of(known: &Known, project: ProjectId) -> bool {
    match known.audience {
        Audience::Project(own) => own == project,
        Audience::Management => true,
    }
}
