//! The consent prompt, and the user's decision.

use super::{
    Consent, Denied,
    may::{MayNot, may},
    request::{Request, Unread},
};
use crate::{
    Error,
    actor::{Actor, Caller},
    once::OneTimeCode,
    reauthentication::MANAGEMENT_SCOPE,
};
use keyward_domain::{
    consent::{Answered, Authorization},
    time::Timestamp,
};
use keyward_store::{
    self as store, Conn, Tx,
    changes::Change,
    codes::CodeRow,
    grants::NewGrantRow,
    queue::{Kept, take_turns},
};

/// Lifetime of an authorization code, in seconds.
const CODE_LIVES: i64 = 60;
/// Maximum valid grants of one user: one write revokes all of them when the user is disabled or deleted.
const GRANTS_MOST: i64 = 500;
/// The name shown for an unregistered client.
pub(super) const UNREGISTERED: &str = "An unregistered program";

/// Denies management scopes to a client without recent reauthentication of the user who grants them.
pub(super) fn reauthenticate(caller: &Caller, scopes: &[String], now: Timestamp) -> Result<(), Error> {
    let management = scopes.iter().any(|scope| scope.starts_with("keyward:"));
    if management { caller.reauthenticate(MANAGEMENT_SCOPE, now) } else { Ok(()) }
}

/// The data of a new grant.
pub(super) struct Yes<'a> {
    pub caller: &'a Caller,
    pub row: NewGrantRow,
    pub role: &'a str,
    /// `code` or `device`.
    pub by: &'static str,
    pub now: Timestamp,
}

/// Inserts a grant, with its audit event.
///
/// # Errors
/// [`Error::Conflict`] if the user has the maximum number of valid grants.
pub(super) async fn grant(tx: &mut Tx<'_>, yes: Yes<'_>) -> Result<Kept<()>, Error> {
    let Yes { caller, row, role, by, now } = yes;
    if store::grants::count_of_user(tx, row.user_id, now.micros()).await? >= GRANTS_MOST {
        return Err(Error::Conflict(
            "You allow programs 500 things already. Revoke some of them under Security first.",
        ));
    }
    store::grants::insert(tx, &row).await?;
    let event = Actor::User(caller.clone())
        .event(now, "grant.allowed", format!("grant:{}", row.id), &row.client_name)
        .acting_as(role)
        .in_project(row.project_id.into())
        .detail(serde_json::json!({"after": {
            "client": row.client_id.map_or_else(|| "loopback".to_owned(), |id| format!("client:{id}")),
            "scopes": row.scopes, "expires_at": row.until, "by": by,
        }}));
    Ok(Kept::with((), event).heard(Change { topic: "grant", id: row.id }))
}

/// The result of parsing an authorization request.
enum Read {
    Good(Box<Request>),
    Answered(Answered),
    /// An error that only the user can be told.
    Here(&'static str),
}

impl Consent {
    async fn request(&self, conn: &mut Conn<'_>, query: &str) -> Result<Read, Error> {
        match self.read(conn, query).await {
            Ok(request) => Ok(Read::Good(Box::new(request))),
            Err(Unread::Here(words)) => Ok(Read::Here(words)),
            Err(Unread::There(to, refusal)) => Ok(Read::Answered(to.denied(refusal))),
            Err(Unread::Fault(error)) => Err(error),
        }
    }

    /// Returns the page or the response for an authorization request (the query of `/authorize`), or `None` if the user
    /// must sign in first. Also returns the redirect target that the page's form may lead to, for the content security
    /// policy.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn ask(
        &self,
        caller: Option<&Caller>,
        query: &str,
    ) -> Result<(Option<Authorization>, Option<String>), Error> {
        let mut reader = self.ground.pool.read().await?;
        let mut conn = reader.conn();
        let (request, caller) = match (self.request(&mut conn, query).await?, caller) {
            (Read::Here(words), _) => return Ok((Some(Authorization::Unknown(words.to_owned())), None)),
            // Also before an error response to the client: otherwise a link to this page would redirect anyone who
            // follows it (RFC 9700 section 4.11.2).
            (_, None) => return Ok((None, None)),
            (Read::Answered(answered), Some(_)) => return Ok((Some(Authorization::Answered(answered)), None)),
            (Read::Good(request), Some(caller)) => (request, caller),
        };
        let leads = (!request.to.by_message).then(|| request.to.redirect.policy_source()).flatten();
        let asked = match may(&mut conn, caller, request.project, &request.scopes).await {
            Ok(may) => {
                let host = request.title.is_some().then(|| request.to.redirect.host());
                Authorization::Ask(may.asking(request.title, host, caller))
            }
            Err(MayNot::Scopes(denied)) => Authorization::Answered(request.to.denied(denied.into())),
            Err(other) => other.page()?,
        };
        Ok((Some(asked), leads))
    }

    /// Returns the response for a user who denies the request. Nothing is stored.
    ///
    /// # Errors
    /// [`Error::Conflict`] if the client or the redirect URI is unknown.
    pub async fn deny(&self, query: &str) -> Result<Answered, Error> {
        let mut reader = self.ground.pool.read().await?;
        match self.request(&mut reader.conn(), query).await? {
            Read::Good(request) => Ok(request.to.denied(Denied::AccessDenied.into())),
            Read::Answered(answered) => Ok(answered),
            Read::Here(words) => Err(Error::Conflict(words)),
        }
    }

    /// Grants these scopes for a lifetime in seconds. Only this response contains the authorization code.
    ///
    /// # Errors
    /// [`Error::Invalid`] for scopes or a lifetime that were not offered; [`Error::Conflict`] if the user may grant
    /// nothing (any more); [`Error::StepUp`] for a `keyward:*` scope without recent reauthentication; otherwise as
    /// [`Consent::deny`].
    pub async fn allow(&self, caller: &Caller, query: &str, scopes: Vec<String>, life: i64) -> Result<Answered, Error> {
        let now = self.ground.now();
        let code = OneTimeCode::generate(&*self.ground.random);
        let (id, digest) = (self.ground.new_id(), self.random_digest());
        let (this, caller, query, sent) = (self.clone(), caller.clone(), query.to_owned(), code.digest());
        let write = self.ground.queue.write(move |tx| {
            let (this, caller, query, scopes) = (this.clone(), caller.clone(), query.clone(), scopes.clone());
            Box::pin(async move {
                take_turns(tx).await?;
                let request = match this.request(tx, &query).await? {
                    Read::Good(request) => request,
                    Read::Answered(answered) => return Ok(Kept::unrecorded((None, Some(answered)))),
                    Read::Here(words) => return Err(Error::Conflict(words)),
                };
                let may = match may(tx, &caller, request.project, &request.scopes).await {
                    Ok(may) => may,
                    Err(MayNot::Scopes(denied)) => {
                        return Ok(Kept::unrecorded((None, Some(request.to.denied(denied.into())))));
                    }
                    Err(other) => return Err(other.refusal()),
                };
                let (scopes, until) = may.chosen(&scopes, life, now)?;
                reauthenticate(&caller, &scopes, now)?;
                let row = NewGrantRow {
                    id,
                    digest,
                    user_id: caller.user.into(),
                    user_name: caller.name.clone(),
                    client_id: request.client_id().map(Into::into),
                    client_name: request.title.clone().unwrap_or_else(|| UNREGISTERED.to_owned()),
                    project_id: request.project.into(),
                    scopes,
                    until: until.micros(),
                    created_at: now.micros(),
                };
                let kept = grant(tx, Yes { caller: &caller, row, role: &may.role, by: "code", now }).await?;
                let code = CodeRow {
                    grant_id: id,
                    client_said: request.said.clone(),
                    redirect_uri: request.to.redirect.said.clone(),
                    challenge: request.challenge.clone(),
                    expires_at: now.plus_seconds(CODE_LIVES).micros(),
                    used_at: None,
                };
                store::codes::insert(tx, &sent, &code).await?;
                Ok(kept.map(|()| (Some(request.to), None)))
            })
        });
        match write.await? {
            (Some(to), _) => Ok(to.allowed(&code)),
            (None, Some(answered)) => Ok(answered),
            (None, None) => Err(Error::Internal("a request was neither allowed nor answered")),
        }
    }

    /// Returns random bytes for the digest column of a grant, which has no secret.
    pub(super) fn random_digest(&self) -> [u8; 32] {
        let mut digest = [0; 32];
        self.ground.random.fill(&mut digest);
        digest
    }
}
