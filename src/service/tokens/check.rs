//! The decision on a token, or on a key in its place: what the token says, then everything about its key.

use super::{Known, TokenRefused, Tokens};
use crate::{
    domain::ids::ProjectId,
    service::{
        Error,
        verify::{Good, Question, Refused},
    },
};
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
        let known = match self.reader.read(text, self.verify.now()) {
            Ok(known) => known,
            Err(refused) => return Ok(Err(refused)),
        };
        let own = [known.project];
        let in_its_project = question.projects.is_empty() || question.projects.contains(&known.project);
        let missing = question.scopes.iter().find(|scope| !known.scopes().any(|it| it == **scope));
        let question = Question {
            projects: if in_its_project { &own } else { question.projects },
            scopes: if missing.is_some() { NONE } else { question.scopes },
            ip: question.ip,
        };
        let decision = self.verify.key(known.key, &question).await?;
        Ok(match (decision, missing) {
            (Err(Refused::MissingScope(_)), Some(scope)) => {
                Err(TokenRefused::Key(Refused::MissingScope(scope.to_string())))
            }
            (Err(refused), _) => Err(TokenRefused::Key(refused)),
            (Ok(good), _) if good.facts.project != known.project => Err(TokenRefused::Key(Refused::WrongProject)),
            (Ok(good), _) => Ok(Accepted { good, token: Some(known) }),
        })
    }

    /// Decides on a token for the addresses of one project: made for another, it is for something else.
    ///
    /// # Errors
    /// As [`Tokens::presented`].
    pub async fn check(&self, token: &str, project: ProjectId) -> Result<Checked, Error> {
        match self.reader.read(token, self.verify.now()) {
            Ok(known) if known.project != project => Ok(Err(TokenRefused::WrongAudience)),
            Ok(_) => self.token(token, &Question { projects: &[project], ..Question::default() }).await,
            Err(refused) => Ok(Err(refused)),
        }
    }
}
