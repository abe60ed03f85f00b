//! Sessions: tower-sessions on our own tables, and the caller of a session.

use super::{
    AppState, cookies,
    error_page::{self, RequestInfo},
    mfa_enrollment,
    request_span::RequestSpan,
    storage,
};
use crate::{
    domain::{error_chain::ErrorChain, ids::UserId, time::Timestamp},
    service::{
        Context, Error, ErrorDescription,
        accounts::{
            ACCOUNT_CHANGED, NewSession, PendingSession, delete_session, find_session, start_session, update_session,
        },
        actor::{Caller, Origin},
        time_format,
    },
};
use async_trait::async_trait;
use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::Next,
    response::Response,
};
use jiff::tz::TimeZone;
use keyward_edge::LogLimit;
use sha2::{Digest as _, Sha256};
use tower_sessions::{
    Expiry, Session, SessionManagerLayer, SessionStore,
    cookie::SameSite,
    session::{self, Id, Record},
    session_store,
};

/// Idle timeout of a session in seconds: a day.
const IDLE_TIMEOUT: i64 = 86_400;
/// Absolute lifetime of a session in seconds: 30 days.
const LIFETIME_MAX: i64 = 30 * 86_400;
/// Lifetime of a pending session in seconds, while the second factor is required.
const PENDING_LIFETIME: i64 = 600;
/// Minimum interval between updates of "last seen", in seconds.
const LAST_SEEN_INTERVAL: i64 = 300;

const USER: &str = "user";
const SINCE: &str = "since";
const SEEN: &str = "seen";
/// Time of the last authentication: at sign-in, and at each reauthentication.
const AUTHENTICATED_AT: &str = "proved";
/// Replaces [`USER`] in a pending session: the password was correct, the second factor is still required. The user is
/// not signed in.
const PENDING: &str = "pending";
/// Digest of the password hash that the sign-in verified, if it used a password.
const VERIFIED_PASSWORD: &str = "compared";
const AGENT: &str = "agent";
const ADDRESS: &str = "ip";

/// Marks responses from inside the session layer. The layer discards a response when the session cannot be saved, and
/// responds with 500 without a body.
#[derive(Clone)]
struct InsideSessionLayer;

/// The session context of a request, available to its handlers.
#[derive(Clone)]
pub struct SessionContext {
    pub session: Session,
    pub caller: Option<Caller>,
    /// The pending session: the password was correct, the second factor is still required.
    pub pending: Option<PendingSession>,
    origin: Origin,
}

impl SessionContext {
    /// Returns the digest under which the session is stored, if it is stored.
    pub fn digest(&self) -> Option<[u8; 32]> {
        self.session.id().map(|id| digest(&id))
    }

    /// Returns the context with the time of authentication set to now.
    pub fn with_reauthentication(self, now: Timestamp) -> Self {
        Self { caller: self.caller.map(|caller| Caller { authenticated_at: now, ..caller }), ..self }
    }
}

/// The session store: rows keyed by the SHA-256 of the id. All writes go through the write queue.
#[derive(Clone)]
pub struct Sessions(Context);

impl std::fmt::Debug for Sessions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sessions")
    }
}

fn digest(id: &Id) -> [u8; 32] {
    Sha256::digest(id.0.to_le_bytes()).into()
}

/// Converts a database error into one without a cause, because tower-sessions logs it.
fn backend_error(error: impl Into<Error>) -> session_store::Error {
    storage::log_error(&error.into(), None);
    session_store::Error::Backend("the session store is not available".to_owned())
}

/// As [`backend_error`], for a new session. An account that changed meanwhile is not a fault: [`is_account_changed`]
/// recognizes it.
fn creation_error(error: Error) -> session_store::Error {
    match error {
        Error::Conflict(why) => session_store::Error::Backend(why.to_owned()),
        error => backend_error(error),
    }
}

/// Whether a session was not started because its user's account changed meanwhile. All other errors are database
/// errors.
pub fn is_account_changed(error: &session::Error) -> bool {
    matches!(error, session::Error::Store(session_store::Error::Backend(why)) if why == ACCOUNT_CHANGED)
}

/// Returns a value of a session record, if it is present and valid.
fn record_value<T: serde::de::DeserializeOwned>(record: &Record, name: &str) -> Option<T> {
    record.data.get(name).and_then(|value| serde_json::from_value(value.clone()).ok())
}

/// Returns the expiry of a session without further requests: a day from now, but at most 30 days after its start.
fn expires_at(record: &Record, now: Timestamp) -> Timestamp {
    let since: Timestamp = record_value(record, SINCE).unwrap_or(now);
    if record.data.contains_key(PENDING) {
        return since.plus_seconds(PENDING_LIFETIME);
    }
    now.plus_seconds(IDLE_TIMEOUT).min(since.plus_seconds(LIFETIME_MAX))
}

fn data(record: &Record) -> Result<String, session_store::Error> {
    serde_json::to_string(&record.data).map_err(|e| session_store::Error::Encode(e.to_string()))
}

#[async_trait]
impl SessionStore for Sessions {
    async fn create(&self, record: &mut Record) -> session_store::Result<()> {
        let user: UserId = record_value(record, USER)
            .or_else(|| record_value(record, PENDING))
            .ok_or_else(|| session_store::Error::Backend("a session without a user".to_owned()))?;
        loop {
            let now = self.0.now();
            let row = NewSession {
                digest: digest(&record.id),
                user_id: user.into(),
                data: data(record)?,
                agent: record_value(record, AGENT),
                ip: record_value(record, ADDRESS),
                pending: record.data.contains_key(PENDING),
                created_at: now.micros(),
                expires_at: expires_at(record, now).micros(),
            };
            if start_session(&self.0, row, record_value(record, VERIFIED_PASSWORD)).await.map_err(creation_error)? {
                return Ok(());
            }
            record.id = Id::default();
        }
    }

    /// For a stored session, a change is only the time it was last seen or its user last authenticated. If the write
    /// fails, the error is logged and the request continues: otherwise the layer would discard the response, which for
    /// a new key means its secret.
    async fn save(&self, record: &Record) -> session_store::Result<()> {
        let end = expires_at(record, self.0.now());
        let write = update_session(&self.0, digest(&record.id), data(record)?, record_value(record, SEEN), end);
        if let Err(error) = write.await {
            storage::log_error(&error, None);
        }
        Ok(())
    }

    async fn load(&self, id: &Id) -> session_store::Result<Option<Record>> {
        let session = find_session(&self.0, &digest(id)).await.map_err(backend_error)?;
        let Some(session) = session else { return Ok(None) };
        let end = time::OffsetDateTime::from_unix_timestamp(session.expires_at.seconds());
        Ok(Some(Record {
            id: *id,
            data: serde_json::from_str(&session.data).map_err(|e| session_store::Error::Decode(e.to_string()))?,
            expiry_date: end.map_err(|e| session_store::Error::Decode(e.to_string()))?,
        }))
    }

    async fn delete(&self, id: &Id) -> session_store::Result<()> {
        delete_session(&self.0, digest(id)).await.map_err(backend_error)
    }
}

/// Returns the session layer. On HTTPS the cookie has the `__Host-` prefix, so no other host can set it. On plain HTTP
/// it has the same attributes, except those that require HTTPS.
pub fn layer(state: &AppState) -> SessionManagerLayer<Sessions> {
    let https = state.app.config.public_url.is_https();
    SessionManagerLayer::new(Sessions(state.app.context.clone()))
        .with_name(if https { "__Host-keyward" } else { "keyward" })
        .with_secure(https)
        .with_http_only(true)
        .with_same_site(SameSite::Lax)
        .with_path("/")
        .with_expiry(Expiry::OnInactivity(time::Duration::seconds(IDLE_TIMEOUT)))
}

/// Restores the attributes of a removal cookie. A browser accepts the removal of a `__Host-` cookie only with the
/// attributes with which the cookie was set.
pub async fn restore_session_cookie(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    for (name, value) in response.headers_mut().iter_mut() {
        if name == header::SET_COOKIE
            && let Ok(text) = value.to_str()
            && text.starts_with("__Host-")
            && !text.contains("; Secure")
            && let Ok(strict) = HeaderValue::from_str(&format!("{text}; HttpOnly; SameSite=Lax; Secure"))
        {
            *value = strict;
        }
    }
    response
}

/// Replaces the session layer's response when it could not save a session: 503 (507 if the disk is full), with
/// `Retry-After`.
pub async fn report_unsaved_session(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let info = RequestInfo::of(&request);
    let mut response = next.run(request).await;
    let is_from_within = response.extensions_mut().remove::<InsideSessionLayer>().is_some();
    if is_from_within || response.status() != StatusCode::INTERNAL_SERVER_ERROR {
        return response;
    }
    let trouble = state.app.context.queue.trouble();
    // Otherwise only this write failed, or writes succeed again.
    let row = ErrorDescription::from_trouble(trouble).unwrap_or_else(ErrorDescription::unsaved_session);
    let mut response = error_page::respond(keyward_edge::status_of(row.kind), row.code, &row.for_users, &info);
    if let Some(seconds) = row.retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

/// Loads the session's caller, and ends sessions past their lifetime.
pub async fn load_session(state: State<AppState>, request: Request, next: Next) -> Response {
    let mut response = attach_session(state, request, next).await;
    response.extensions_mut().insert(InsideSessionLayer);
    response
}

async fn attach_session(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let Some(session) = request.extensions().get::<Session>().cloned() else {
        return next.run(request).await;
    };
    let origin = request.extensions().get::<Origin>().cloned().unwrap_or_default();
    let origin = Origin { zone: time_zone_from_cookie(request.headers()), ..origin };
    let known = async {
        let caller = load_caller(&state, &session, origin.clone()).await?;
        let pending = match (&caller, session.id()) {
            (None, Some(_)) => session.get::<UserId>(PENDING).await?,
            _ => None,
        };
        let pending = match pending {
            Some(user) => Some(PendingSession { user, verified_password: session.get(VERIFIED_PASSWORD).await? }),
            None => None,
        };
        let must_enrol = match &caller {
            Some(caller) => state.app.accounts.must_enroll(caller).await?,
            None => false,
        };
        Ok::<_, BoxError>((SessionContext { session, caller, pending, origin }, must_enrol))
    };
    let known = known.await;
    if let (Ok((visit, _)), Some(span)) = (&known, request.extensions().get::<RequestSpan>())
        && let Some(caller) = &visit.caller
    {
        span.set_actor(format_args!("user:{}", caller.user));
    }
    match known {
        Ok((_, true)) if !mfa_enrollment::is_allowed_path(request.uri().path()) => {
            mfa_enrollment::redirect_to_enrollment(&state, request).await
        }
        Ok((visit, _)) => {
            request.extensions_mut().insert(visit);
            next.run(request).await
        }
        Err(error) => {
            static LIMIT: LogLimit = LogLimit::new();
            if let Some(requests) = LIMIT.count() {
                tracing::error!(error = %ErrorChain(&*error), requests, "sessions.unreadable");
            }
            let words = "Your session could not be loaded. Try again in a moment.";
            error_page::respond(StatusCode::SERVICE_UNAVAILABLE, "busy", words, &RequestInfo::of(&request))
        }
    }
}

/// Returns the time zone of the cookie `zone`, which the page's script sets. `None` if the zone is unknown.
fn time_zone_from_cookie(headers: &HeaderMap) -> Option<TimeZone> {
    time_format::zone(&cookies::value(headers, "zone")?.replace("%2F", "/"))
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

async fn load_caller(state: &AppState, session: &Session, origin: Origin) -> Result<Option<Caller>, BoxError> {
    // Without a cookie there is nothing to load, and tower-sessions would log the attempt as suspicious.
    if session.id().is_none() {
        return Ok(None);
    }
    let Some(user) = session.get::<UserId>(USER).await? else { return Ok(None) };
    let now = state.app.context.now();
    let since: Timestamp = session.get(SINCE).await?.unwrap_or(Timestamp::from_micros(0));
    let proved: Timestamp = session.get(AUTHENTICATED_AT).await?.unwrap_or(since);
    let caller = state.app.accounts.caller(user, origin, proved).await?;
    if caller.is_none() || now.seconds_since(since) >= LIFETIME_MAX {
        session.flush().await?;
        return Ok(None);
    }
    let seen: Timestamp = session.get(SEEN).await?.unwrap_or(since);
    // While writes are known to fail, a read-only page does not wait for another failing write.
    if now.seconds_since(seen) >= LAST_SEEN_INTERVAL && state.app.context.queue.trouble().is_none() {
        session.insert(SEEN, now).await?;
    }
    Ok(caller)
}

/// Starts a session under a new id, which prevents session fixation. `proved`: when the user last authenticated.
///
/// # Errors
/// If the account changed meanwhile ([`is_account_changed`]), or the database rejects the write.
pub async fn start(
    visit: &SessionContext,
    who: PendingSession,
    proved: Timestamp,
    now: Timestamp,
) -> Result<(), session::Error> {
    let session = &visit.session;
    // Always `clear`, not `flush`: after `flush` the record would be stored again under its previous id.
    session.clear().await;
    session.cycle_id().await?;
    session.insert(USER, who.user).await?;
    session.insert(VERIFIED_PASSWORD, who.verified_password).await?;
    session.insert(SINCE, now).await?;
    session.insert(AUTHENTICATED_AT, proved).await?;
    record_origin(visit).await?;
    session.insert(SEEN, now).await?;
    save_new(session).await
}

/// Starts a pending session under a new id: the password was correct, the second factor is still required.
///
/// # Errors
/// As [`start`].
pub async fn start_pending(visit: &SessionContext, who: PendingSession, now: Timestamp) -> Result<(), session::Error> {
    let session = &visit.session;
    session.clear().await;
    session.cycle_id().await?;
    session.insert(PENDING, who.user).await?;
    session.insert(VERIFIED_PASSWORD, who.verified_password).await?;
    record_origin(visit).await?;
    session.insert(SINCE, now).await?;
    save_new(session).await
}

/// Saves a new session immediately. The layer saves it only after the handler, which could not report the error.
async fn save_new(session: &Session) -> Result<(), session::Error> {
    let saved = session.save().await;
    if saved.is_err() {
        // An empty session is not saved again by the layer.
        session.clear().await;
    }
    saved
}

/// Records user agent and address, so that the user can recognize the session.
async fn record_origin(visit: &SessionContext) -> Result<(), session::Error> {
    let Origin { ip, agent, .. } = &visit.origin;
    visit.session.insert(AGENT, agent).await?;
    visit.session.insert(ADDRESS, ip.map(|ip| ip.to_string())).await
}

/// Records a reauthentication.
///
/// # Errors
/// If the database rejects the write.
pub async fn mark_reauthenticated(visit: &SessionContext, now: Timestamp) -> Result<(), session::Error> {
    visit.session.insert(AUTHENTICATED_AT, now).await
}

/// Ends the session.
///
/// # Errors
/// If the database rejects the write.
pub async fn end(visit: &SessionContext) -> Result<(), session::Error> {
    if visit.session.id().is_some() { visit.session.flush().await } else { Ok(()) }
}
