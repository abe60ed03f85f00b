//! Token decision: evaluates the claims of a token, then all rules for its key. Also accepts a key in place of a token.

use super::{Audience, ParsedToken, TokenDenyReason, Tokens};
use crate::verify::{DenyReason, Verified, VerifyRequest};
use keyward_core::{Error, actor::Origin, management_client::ManagementClient};
use keyward_domain::ids::ProjectId;
use std::{borrow::Cow, sync::Arc};

/// A key, or a token of one, that passed all rules.
#[derive(Clone, Debug)]
pub struct Accepted {
    pub verified: Verified,
    /// The claims of the token, or `None` if the key itself was presented.
    pub token: Option<Arc<ParsedToken>>,
}

impl Accepted {
    /// Returns the effective scopes: those of the key, limited to the token's scopes if a token was presented.
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        let held = self.verified.snapshot.scopes.iter().map(|scope| -> &str { scope.as_ref() });
        held.filter(|scope| self.token.as_ref().is_none_or(|token| token.scopes().any(|it| it == *scope)))
    }

    /// Returns the management API client that presented the key or token.
    pub fn management_client(&self, origin: Origin) -> ManagementClient {
        let facts = &self.verified.snapshot;
        ManagementClient {
            subject: facts.subject(),
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
const NO_SCOPE: &[Cow<'_, str>] = &[Cow::Borrowed("")];

/// The result of a decision.
pub type TokenDecision = Result<Accepted, TokenDenyReason>;

/// Returns whether a text can be a token and not a key: three parts separated by dots.
fn is_token(text: &str) -> bool {
    !text.starts_with("kw_") && text.bytes().filter(|byte| *byte == b'.').count() == 2
}

impl Tokens {
    /// Decides on a key or a token, whichever was presented.
    ///
    /// # Errors
    /// The inner error is the reason for the denial; the outer one is an internal error.
    pub async fn check_credential(&self, text: &str, question: &VerifyRequest<'_>) -> Result<TokenDecision, Error> {
        if is_token(text) {
            return self.check_token(text, question).await;
        }
        let decision = self.verify.verify_secret(text, question).await?;
        Ok(decision.map(|good| Accepted { verified: good, token: None }).map_err(TokenDenyReason::Key))
    }

    /// Decides on a token and its key. A token never outlives its key, and loses every scope that the key loses. The
    /// networks of a key restrict its secret, not the tokens made from it.
    ///
    /// # Errors
    /// Same as [`Tokens::check_credential`].
    pub async fn check_token(&self, text: &str, question: &VerifyRequest<'_>) -> Result<TokenDecision, Error> {
        let known = match self.parse(text) {
            Ok(known) => known,
            Err(refused) => return Ok(Err(refused)),
        };
        // A management token is valid for nothing else.
        let Audience::Project(project) = known.audience else { return Ok(Err(TokenDenyReason::WrongAudience)) };
        let own = [project];
        let in_its_project = question.projects.is_empty() || question.projects.contains(&project);
        let projects = if in_its_project { &own } else { question.projects };
        self.decide(known, &VerifyRequest { projects, ..*question }).await
    }

    /// Decides on a token for the endpoints of one project. A token for another project has the wrong audience.
    ///
    /// # Errors
    /// Same as [`Tokens::check_credential`].
    pub async fn check_for_project(&self, token: &str, project: ProjectId) -> Result<TokenDecision, Error> {
        match self.parse(token) {
            Ok(known) if known.audience != Audience::Project(project) => Ok(Err(TokenDenyReason::WrongAudience)),
            Ok(known) => self.decide(known, &VerifyRequest { projects: &[project], ..VerifyRequest::default() }).await,
            Err(refused) => Ok(Err(refused)),
        }
    }

    /// Decides on a token for the management API, which must have this scope, such as `keyward:keys.read`.
    ///
    /// # Errors
    /// Same as [`Tokens::check_credential`].
    pub async fn check_for_management(&self, token: &str, scope: &str) -> Result<TokenDecision, Error> {
        match self.parse(token) {
            Ok(known) if known.audience != Audience::Management => Ok(Err(TokenDenyReason::WrongAudience)),
            Ok(known) => {
                self.decide(known, &VerifyRequest { scopes: &[Cow::Borrowed(scope)], ..VerifyRequest::default() }).await
            }
            Err(refused) => Ok(Err(refused)),
        }
    }

    /// Decides on a token with any audience.
    pub(super) async fn check_any_audience(&self, token: &str) -> Result<TokenDecision, Error> {
        match self.parse(token) {
            Ok(known) => self.decide(known, &VerifyRequest::default()).await,
            Err(refused) => Ok(Err(refused)),
        }
    }

    /// Returns the claims of a token, if it was issued by this server and has not expired. Does not check its key.
    ///
    /// # Errors
    /// [`TokenDenyReason::Malformed`], [`TokenDenyReason::WrongAudience`] or [`TokenDenyReason::Expired`].
    pub fn parse(&self, token: &str) -> Result<Arc<ParsedToken>, TokenDenyReason> {
        self.reader.parse(token, self.verify.now(), self.ring.removed(), || self.ring.current())
    }

    /// Decides on a token with any audience, without using it: no quota is taken, and no call is counted (RFC 7662).
    ///
    /// # Errors
    /// Same as [`Tokens::check_credential`].
    pub async fn peek(&self, token: &str) -> Result<TokenDecision, Error> {
        let known = match self.parse(token) {
            Ok(known) => known,
            Err(refused) => return Ok(Err(refused)),
        };
        if self.is_revoked(&known).await? {
            return Ok(Err(TokenDenyReason::Revoked));
        }
        Ok(match self.verify.peek(known.subject.id()).await? {
            Err(refused) => Err(TokenDenyReason::from_key_reason(known.subject, refused)),
            Ok(good) if !matches_project(&known, good.snapshot.project) => {
                Err(TokenDenyReason::Key(DenyReason::WrongProject))
            }
            Ok(good) => Ok(Accepted { verified: good, token: Some(known) }),
        })
    }

    /// Decides on verified claims and on their key.
    async fn decide(&self, known: Arc<ParsedToken>, question: &VerifyRequest<'_>) -> Result<TokenDecision, Error> {
        if self.is_revoked(&known).await? {
            return Ok(Err(TokenDenyReason::Revoked));
        }
        let missing = question.scopes.iter().find(|scope| !known.scopes().any(|it| it == **scope));
        let question =
            VerifyRequest { scopes: if missing.is_some() { NO_SCOPE } else { question.scopes }, ..*question };
        let decision = self.verify.verify_subject(known.subject.id(), &question).await?;
        Ok(match (decision, missing) {
            (Err(DenyReason::MissingScope(_)), Some(scope)) => Err(TokenDenyReason::Scope(scope.to_string())),
            (Err(refused), _) => Err(TokenDenyReason::from_key_reason(known.subject, refused)),
            (Ok(good), _) if !matches_project(&known, good.snapshot.project) => {
                Err(TokenDenyReason::Key(DenyReason::WrongProject))
            }
            (Ok(good), _) => Ok(Accepted { verified: good, token: Some(known) }),
        })
    }
}

/// Returns whether the audience of a token matches the project of its key.
fn matches_project(known: &ParsedToken, project: ProjectId) -> bool {
    match known.audience {
        Audience::Project(own) => own == project,
        Audience::Management => true,
    }
}
