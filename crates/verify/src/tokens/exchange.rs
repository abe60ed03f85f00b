//! Token issuance and token exchange (RFC 8693): issues a token for a key, a grant, or another token. The token never
//! has more scopes or a longer lifetime than its source.

use super::{
    Accepted, Audience, ExchangeDenyReason, HOUR_LIFE, Issued, ParsedToken, Subject, Target, TokenDenyReason,
    TokenParameters, Tokens,
    claims::{OutgoingClaims, VIA_MAX},
};
use crate::verify::{DenyReason, KeySnapshot, VerifyRequest};
use keyward_core::Error;
use keyward_domain::{
    consent::ClientName,
    ids::{GrantId, ProjectId, SubjectId, UserId},
    time::Timestamp,
};
use std::net::IpAddr;
use uuid::Uuid;

/// The prefix of management scopes, which have their own audience.
const MANAGEMENT: &str = "keyward:";

/// A grant as the source of a token.
#[derive(Clone, Copy, Debug)]
pub struct GrantSource<'a> {
    pub grant: GrantId,
    pub user: UserId,
    pub client: ClientName,
    pub project: ProjectId,
    pub scopes: &'a [String],
    /// Maximum lifetime of a token of the project, in seconds.
    pub life_max: i64,
    pub until: Option<Timestamp>,
}

/// The source of a token.
struct Source<'a> {
    subject: Subject,
    project: ProjectId,
    scopes: Vec<&'a str>,
    life_max: i64,
    /// Seconds since the epoch.
    until: Option<i64>,
    token: Option<&'a ParsedToken>,
}

impl<'a> Source<'a> {
    fn from_key(facts: &'a KeySnapshot, holder: Subject) -> Self {
        Self {
            subject: holder,
            project: facts.project,
            scopes: facts.scopes.iter().map(String::as_str).collect(),
            life_max: facts.token_life_max,
            until: facts.lifecycle.expires_at.map(Timestamp::seconds),
            token: None,
        }
    }

    /// Returns the audience of the token and its scopes: the requested scopes in the order of the source.
    fn resolve(&self, wish: &TokenParameters<'_>) -> Result<(Audience, Vec<&'a str>), ExchangeDenyReason> {
        let requested = wish.scopes;
        if let Some(lacks) = requested.and_then(|requested| requested.iter().find(|scope| !self.scopes.contains(scope)))
        {
            return Err(ExchangeDenyReason::Scope((*lacks).to_owned()));
        }
        let wanted: Vec<_> = self
            .scopes
            .iter()
            .copied()
            .filter(|scope| requested.is_none_or(|requested| requested.contains(scope)))
            .collect();
        let manages = wanted.iter().filter(|scope| scope.starts_with(MANAGEMENT)).count();
        if requested.is_some() && manages != 0 && manages != wanted.len() {
            return Err(ExchangeDenyReason::MixedScopes);
        }
        let own = Audience::Project(self.project);
        let target = match wish.target {
            Target::OwnProject => own,
            Target::Exactly(audience) => audience,
            Target::ByScopes => match self.token {
                Some(token) => token.audience,
                None if manages != 0 && manages == wanted.len() => Audience::Management,
                None => own,
            },
        };
        let is_ours = target == own || target == Audience::Management;
        if !is_ours || self.token.is_some_and(|token| token.audience != target) {
            return Err(ExchangeDenyReason::Target);
        }
        let fits = |scope: &&str| scope.starts_with(MANAGEMENT) == (target == Audience::Management);
        if requested.is_some() && !wanted.iter().all(fits) {
            return Err(ExchangeDenyReason::Target);
        }
        let kept: Vec<_> = wanted.into_iter().filter(fits).collect();
        // A management token without management scopes is an error in the request.
        if target == Audience::Management && kept.is_empty() {
            Err(ExchangeDenyReason::Target)
        } else {
            Ok((target, kept))
        }
    }
}

impl Tokens {
    /// Exchanges a key's secret, used from this address, for a token. Its lifetime is the shortest of the requested
    /// lifetime, the project's maximum, and the remaining lifetime of the key.
    ///
    /// # Errors
    /// The inner error is the reason for the denial; the outer one is an internal error.
    pub async fn exchange(
        &self,
        secret: &str,
        ip: Option<IpAddr>,
        wish: &TokenParameters<'_>,
    ) -> Result<Result<Issued, ExchangeDenyReason>, Error> {
        let decision = self.verify.verify_secret(secret, &VerifyRequest { ip, ..VerifyRequest::default() }).await?;
        Ok(decision.map_err(ExchangeDenyReason::Key).and_then(|good| self.issue_for_key(&good.snapshot, wish)))
    }

    /// Issues a token for a key that passed all rules.
    ///
    /// # Errors
    /// The reason for the denial.
    pub fn issue_for_key(&self, facts: &KeySnapshot, wish: &TokenParameters<'_>) -> Result<Issued, ExchangeDenyReason> {
        // Only a key has a secret, so a grant never comes here.
        let SubjectId::Key(key) = facts.subject() else { return Err(ExchangeDenyReason::Key(DenyReason::Unknown)) };
        self.issue(&Source::from_key(facts, Subject::Key(key)), wish, self.verify.now())
    }

    /// Issues a token for a grant whose code was redeemed at `now`.
    ///
    /// # Errors
    /// The reason for the denial: [`DenyReason::Expired`] if the grant has expired.
    pub fn issue_for_grant(
        &self,
        grant: &GrantSource<'_>,
        wish: &TokenParameters<'_>,
        now: Timestamp,
    ) -> Result<Issued, ExchangeDenyReason> {
        let source = Source {
            subject: Subject::Grant { grant: grant.grant, user: grant.user, client: grant.client },
            project: grant.project,
            scopes: grant.scopes.iter().map(String::as_str).collect(),
            life_max: grant.life_max,
            until: grant.until.map(Timestamp::seconds),
            token: None,
        };
        self.issue(&source, wish, now)
    }

    /// Exchanges a token for one with the same audience, a subset of the scopes, and an expiry that is not later (RFC
    /// 8693). `counted` means that the same request already counted a use of the key.
    ///
    /// # Errors
    /// Same as [`Tokens::exchange`].
    pub async fn exchange_token(
        &self,
        token: &str,
        counted: bool,
        wish: &TokenParameters<'_>,
    ) -> Result<Result<Issued, ExchangeDenyReason>, Error> {
        let checked = if counted { self.peek(token).await? } else { self.check_any_audience(token).await? };
        Ok(match checked {
            Ok(accepted) => self.exchange_accepted(&accepted, wish),
            Err(TokenDenyReason::Key(refused)) => Err(ExchangeDenyReason::Key(refused)),
            Err(refused) => Err(ExchangeDenyReason::Token(refused)),
        })
    }

    fn exchange_accepted(&self, accepted: &Accepted, wish: &TokenParameters<'_>) -> Result<Issued, ExchangeDenyReason> {
        let facts = &accepted.verified.snapshot;
        let Some(token) = accepted.token.as_deref() else { return self.issue_for_key(facts, wish) };
        if token.via.len() >= VIA_MAX {
            return Err(ExchangeDenyReason::TooOften);
        }
        let of_key = Source::from_key(facts, token.subject);
        let until = of_key.until.map_or(token.expires_at, |until| until.min(token.expires_at));
        let source = Source { scopes: accepted.scopes().collect(), until: Some(until), token: Some(token), ..of_key };
        self.issue(&source, wish, self.verify.now())
    }

    fn issue(
        &self,
        source: &Source<'_>,
        wish: &TokenParameters<'_>,
        now: Timestamp,
    ) -> Result<Issued, ExchangeDenyReason> {
        let (audience, scopes) = source.resolve(wish)?;
        let iat = now.seconds();
        let mut exp = iat.saturating_add(wish.life.unwrap_or(HOUR_LIFE).min(source.life_max));
        if let Some(until) = source.until {
            exp = exp.min(until);
        }
        if exp <= iat {
            // Less than a second is left, so the token would be expired on arrival.
            return Err(ExchangeDenyReason::Key(DenyReason::Expired));
        }
        let via: Vec<Uuid> = source.token.map_or_else(Vec::new, |token| [&*token.via, &[token.jti]].concat());
        let (sub, scope, jti) = (source.subject.sub_claim(), scopes.join(" "), self.verify.new_id());
        let of_grant = source.subject.grant_id().map(|_| source.subject.client_id());
        let claims = OutgoingClaims {
            iss: &self.issuer,
            aud: &audience.claim(&self.issuer),
            client_id: of_grant.as_deref().unwrap_or(&sub),
            sub: &sub,
            jti,
            iat,
            exp,
            scope: &scope,
            grant_id: source.subject.grant_id().map(Uuid::from),
            via: &via,
        };
        let access_token = self.ring.current().signing_at(now).tokens.sign(&claims);
        Ok(Issued { access_token, jti, expires_in: exp - iat, scope })
    }
}
