//! Token decision: evaluates the claims of a token, then all rules for its key. Also accepts a key in place of a token.

use super::{Audience, Known, TokenRefused, Tokens};
use crate::verify::{Good, Question, Refused};
use keyward_core::{Error, actor::Origin, program::Program};
use keyward_domain::ids::ProjectId;
use std::{borrow::Cow, sync::Arc};

/// A key, or a token of one, that passed all rules.
#[derive(Clone, Debug)]
pub struct Accepted {
    pub good: Good,
    /// The claims of the token, or `None` if the key itself was presented.
    pub token: Option<Arc<Known>>,
}

impl Accepted {
    /// Returns the effective scopes: those of the key, limited to the token's scopes if a token was presented.
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        let held = self.good.facts.scopes.iter().map(|scope| -> &str { scope.as_ref() });
        held.filter(|scope| self.token.as_ref().is_none_or(|token| token.scopes().any(|it| it == *scope)))
    }

    /// Returns the management API client that presented the key or token.
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

/// The empty scope, which no key has. A scope that is missing in the token is denied as if it were missing in the key:
/// at the same position in the order of rules, so that the denied request costs no quota and earlier rules are reported
/// first.
const NONE: &[Cow<'_, str>] = &[Cow::Borrowed("")];

/// The result of a decision.
pub type Checked = Result<Accepted, TokenRefused>;

/// Returns whether a text can be a token and not a key: three parts separated by dots.
fn is_token(text: &str) -> bool {
    !text.starts_with("kw_") && text.bytes().filter(|byte| *byte == b'.').count() == 2
}

impl Tokens {
    /// Decides on a key or a token, whichever was presented.
    ///
    /// # Errors
    /// The inner error is the reason for the denial; the outer one is an internal error.
    pub async fn presented(&self, text: &str, question: &Question<'_>) -> Result<Checked, Error> {
        if is_token(text) {
            return self.token(text, question).await;
        }
        let decision = self.verify.secret(text, question).await?;
        Ok(decision.map(|good| Accepted { good, token: None }).map_err(TokenRefused::Key))
    }

    /// Decides on a token and its key. A token never outlives its key, and loses every scope that the key loses. The
    /// networks of a key restrict its secret, not the tokens made from it.
    ///
    /// # Errors
    /// Same as [`Tokens::presented`].
    pub async fn token(&self, text: &str, question: &Question<'_>) -> Result<Checked, Error> {
        let known = match self.read(text) {
            Ok(known) => known,
            Err(refused) => return Ok(Err(refused)),
        };
        // A management token is valid for nothing else.
        let Audience::Project(project) = known.audience else { return Ok(Err(TokenRefused::WrongAudience)) };
        let own = [project];
        let in_its_project = question.projects.is_empty() || question.projects.contains(&project);
        let projects = if in_its_project { &own } else { question.projects };
        self.decide(known, &Question { projects, ..*question }).await
    }

    /// Decides on a token for the endpoints of one project. A token for another project has the wrong audience.
    ///
    /// # Errors
    /// Same as [`Tokens::presented`].
    pub async fn check(&self, token: &str, project: ProjectId) -> Result<Checked, Error> {
        match self.read(token) {
            Ok(known) if known.audience != Audience::Project(project) => Ok(Err(TokenRefused::WrongAudience)),
            Ok(known) => self.decide(known, &Question { projects: &[project], ..Question::default() }).await,
            Err(refused) => Ok(Err(refused)),
        }
    }

    /// Decides on a token for the management API, which must have this scope, such as `keyward:keys.read`.
    ///
    /// # Errors
    /// Same as [`Tokens::presented`].
    pub async fn management(&self, token: &str, scope: &str) -> Result<Checked, Error> {
        match self.read(token) {
            Ok(known) if known.audience != Audience::Management => Ok(Err(TokenRefused::WrongAudience)),
            Ok(known) => self.decide(known, &Question { scopes: &[Cow::Borrowed(scope)], ..Question::default() }).await,
            Err(refused) => Ok(Err(refused)),
        }
    }

    /// Decides on a token with any audience.
    pub(super) async fn any(&self, token: &str) -> Result<Checked, Error> {
        match self.read(token) {
            Ok(known) => self.decide(known, &Question::default()).await,
            Err(refused) => Ok(Err(refused)),
        }
    }

    /// Returns the claims of a token, if it was issued by this server and has not expired. Does not check its key.
    ///
    /// # Errors
    /// [`TokenRefused::Malformed`], [`TokenRefused::WrongAudience`] or [`TokenRefused::Expired`].
    pub fn read(&self, token: &str) -> Result<Arc<Known>, TokenRefused> {
        self.reader.read(token, self.verify.now(), self.ring.removed(), || self.ring.now())
    }

    /// Decides on a token with any audience, without using it: no quota is taken, and no call is counted (RFC 7662).
    ///
    /// # Errors
    /// Same as [`Tokens::presented`].
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

    /// Decides on verified claims and on their key.
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

/// Returns whether the audience of a token matches the project of its key.
fn is_of(known: &Known, project: ProjectId) -> bool {
    match known.audience {
        Audience::Project(own) => own == project,
        Audience::Management => true,
    }
}
