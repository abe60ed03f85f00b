//! The consent prompt, and the user's decision.

use super::{
    Consent, Denied,
    authorization_request::{Request, RequestError},
    client_authorization::{AuthorizeError, authorize_request},
};
use crate::{
    Error,
    actor::{Actor, Caller},
    one_time_tokens::OneTimeCode,
    reauthentication::MANAGEMENT_SCOPE,
};
use keyward_domain::{
    consent::{Authorization, ResponseDelivery},
    time::Timestamp,
};
use keyward_store::{
    self as store, Engine, Tx,
    authorization_codes::CodeRow,
    change_log::{Change, Topic},
    grants::NewGrantRow,
    write_queue::{WriteOutcome, serialize_change},
};

/// Lifetime of an authorization code, in seconds.
const CODE_LIVES: i64 = 60;
/// Maximum valid grants of one user: one write revokes all of them when the user is disabled or deleted.
const GRANTS_MOST: i64 = 500;
/// The name shown for an unregistered client.
pub(super) const UNREGISTERED: &str = "Unregistered application";

/// Denies management scopes to a client without recent reauthentication of the user who grants them.
pub(super) fn reauthenticate(caller: &Caller, scopes: &[String], now: Timestamp) -> Result<(), Error> {
    let management = scopes.iter().any(|scope| scope.starts_with("keyward:"));
    if management { caller.require_reauthentication(MANAGEMENT_SCOPE, now) } else { Ok(()) }
}

/// The data of a new grant.
pub(super) struct ConsentGrant<'a> {
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
pub(super) async fn insert_grant(tx: &mut Tx<'_>, yes: ConsentGrant<'_>) -> Result<WriteOutcome<()>, Error> {
    let ConsentGrant { caller, row, role, by, now } = yes;
    if store::grants::count_of_user(tx, row.user_id, now.micros()).await? >= GRANTS_MOST {
        return Err(Error::Conflict(
            "You have the maximum number of active grants. Revoke some under Settings > Security first.",
        ));
    }
    store::grants::insert(tx, &row).await?;
    let event = Actor::User(caller.clone())
        .event(now, "grant.allowed", format!("grant:{}", row.id), &row.client_name)
        .with_acting_role(role)
        .in_project(row.project_id.into())
        .with_detail(serde_json::json!({"after": {
            "client": row.client_id.map_or_else(|| "loopback".to_owned(), |id| format!("client:{id}")),
            "scopes": row.scopes, "expires_at": row.until, "by": by,
        }}));
    Ok(WriteOutcome::audited((), event).notify(Change { topic: Topic::Grant, id: row.id }))
}

/// The result of parsing an authorization request.
enum ParsedRequest {
    Valid(Box<Request>),
    Respond(ResponseDelivery),
    /// An error that only the user can be told.
    ShowToUser(&'static str),
}

impl Consent {
    async fn parse_or_respond(&self, conn: &mut Engine<'_>, query: &str) -> Result<ParsedRequest, Error> {
        match self.parse_request(conn, query).await {
            Ok(request) => Ok(ParsedRequest::Valid(Box::new(request))),
            Err(RequestError::ShowToUser(words)) => Ok(ParsedRequest::ShowToUser(words)),
            Err(RequestError::RedirectToClient(to, refusal)) => Ok(ParsedRequest::Respond(to.error_response(refusal))),
            Err(RequestError::Fault(error)) => Err(error),
        }
    }

    /// Returns the page or the response for an authorization request (the query of `/authorize`), or `None` if the user
    /// must sign in first. Also returns the redirect target that the page's form may lead to, for the content security
    /// policy.
    ///
    /// # Errors
    /// If the database cannot be read.
    #[tracing::instrument(name = "oauth.prompt", skip_all)]
    pub async fn prompt(
        &self,
        caller: Option<&Caller>,
        query: &str,
    ) -> Result<(Option<Authorization>, Option<String>), Error> {
        let mut reader = self.context.pool.acquire_reader().await?;
        let mut conn = reader.conn();
        let (request, caller) = match (self.parse_or_respond(&mut conn, query).await?, caller) {
            (ParsedRequest::ShowToUser(words), _) => return Ok((Some(Authorization::Unknown(words.to_owned())), None)),
            // Also before an error response to the client: otherwise a link to this page would redirect anyone who
            // follows it (RFC 9700 section 4.11.2).
            (_, None) => return Ok((None, None)),
            (ParsedRequest::Respond(answered), Some(_)) => return Ok((Some(Authorization::Answered(answered)), None)),
            (ParsedRequest::Valid(request), Some(caller)) => (request, caller),
        };
        let leads = (!request.to.by_message).then(|| request.to.redirect.policy_source()).flatten();
        let authorization = match authorize_request(&mut conn, caller, request.project, &request.scopes).await {
            Ok(may) => {
                let host = request.title.is_some().then(|| request.to.redirect.host());
                Authorization::Prompt(may.into_prompt(request.title, host, caller))
            }
            Err(AuthorizeError::Scopes(denied)) => Authorization::Answered(request.to.error_response(denied.into())),
            Err(other) => other.into_page()?,
        };
        Ok((Some(authorization), leads))
    }

    /// Returns the response for a user who denies the request. Nothing is stored.
    ///
    /// # Errors
    /// [`Error::Conflict`] if the client or the redirect URI is unknown.
    #[tracing::instrument(name = "oauth.deny", skip_all)]
    pub async fn deny(&self, query: &str) -> Result<ResponseDelivery, Error> {
        let mut reader = self.context.pool.acquire_reader().await?;
        match self.parse_or_respond(&mut reader.conn(), query).await? {
            ParsedRequest::Valid(request) => Ok(request.to.error_response(Denied::AccessDenied.into())),
            ParsedRequest::Respond(answered) => Ok(answered),
            ParsedRequest::ShowToUser(words) => Err(Error::Conflict(words)),
        }
    }

    /// Grants these scopes for a lifetime in seconds. Only this response contains the authorization code.
    ///
    /// # Errors
    /// [`Error::Invalid`] for scopes or a lifetime that were not offered; [`Error::Conflict`] if the user may grant
    /// nothing (any more); [`Error::ReauthenticationRequired`] for a `keyward:*` scope without recent reauthentication;
    /// otherwise as [`Consent::deny`].
    #[tracing::instrument(name = "oauth.approve", skip_all)]
    pub async fn approve(
        &self,
        caller: &Caller,
        query: &str,
        scopes: Vec<String>,
        life: i64,
    ) -> Result<ResponseDelivery, Error> {
        let now = self.context.now();
        let code = OneTimeCode::generate(&*self.context.random);
        let (id, digest) = (self.context.new_id(), self.random_digest());
        let (this, caller, query, sent) = (self.clone(), caller.clone(), query.to_owned(), code.digest());
        let write = self.context.queue.write(move |tx| {
            let (this, caller, query, scopes) = (this.clone(), caller.clone(), query.clone(), scopes.clone());
            Box::pin(async move {
                serialize_change(tx).await?;
                let request = match this.parse_or_respond(tx, &query).await? {
                    ParsedRequest::Valid(request) => request,
                    ParsedRequest::Respond(answered) => return Ok(WriteOutcome::unaudited((None, Some(answered)))),
                    ParsedRequest::ShowToUser(words) => return Err(Error::Conflict(words)),
                };
                let may = match authorize_request(tx, &caller, request.project, &request.scopes).await {
                    Ok(may) => may,
                    Err(AuthorizeError::Scopes(denied)) => {
                        return Ok(WriteOutcome::unaudited((None, Some(request.to.error_response(denied.into())))));
                    }
                    Err(other) => return Err(other.into_error()),
                };
                let (scopes, until) = may.select(&scopes, life, now)?;
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
                let kept =
                    insert_grant(tx, ConsentGrant { caller: &caller, row, role: &may.role, by: "code", now }).await?;
                let code = CodeRow {
                    grant_id: id,
                    client_said: request.sent_client_id.clone(),
                    redirect_uri: request.to.redirect.text.clone(),
                    challenge: request.challenge.clone(),
                    expires_at: now.plus_seconds(CODE_LIVES).micros(),
                    used_at: None,
                };
                store::authorization_codes::insert(tx, &sent, &code).await?;
                Ok(kept.map(|()| (Some(request.to), None)))
            })
        });
        match write.await? {
            (Some(to), _) => Ok(to.code_response(&code)),
            (None, Some(answered)) => Ok(answered),
            (None, None) => Err(Error::Internal("a request was neither allowed nor answered")),
        }
    }

    /// Returns random bytes for the digest column of a grant, which has no secret.
    pub(super) fn random_digest(&self) -> [u8; 32] {
        let mut digest = [0; 32];
        self.context.random.fill(&mut digest);
        digest
    }
}
