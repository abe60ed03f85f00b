//! Sessions: tower-sessions on our own tables, and who is behind one.

use super::{
    AppState, cookies, enrolment, error_page,
    storage::{self, Trouble},
};
use crate::{
    domain::{ids::UserId, time::Timestamp},
    log_limit::LogLimit,
    service::{
        Error, Ground,
        accounts::{ACCOUNT_CHANGED, Entering, begin},
        actor::{Caller, Origin},
        moments,
    },
    store::{self, Kind, WriteTrouble, queue::Kept, sessions::NewSessionRow},
};
use async_trait::async_trait;
use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::Next,
    response::Response,
};
use jiff::tz::TimeZone;
use sha2::{Digest as _, Sha256};
use tower_sessions::{
    Expiry, Session, SessionManagerLayer, SessionStore,
    cookie::SameSite,
    session::{self, Id, Record},
    session_store,
};

/// Seconds without a request after which a session ends: a day.
const IDLE: i64 = 86_400;
/// Seconds after which a session ends whatever happens: 30 days.
const LONGEST: i64 = 30 * 86_400;
/// Seconds for which a sign-in waits for its second factor.
const PENDING_FOR: i64 = 600;
/// "Last seen" is written at most once in so many seconds.
const SEEN_EVERY: i64 = 300;

const USER: &str = "user";
const SINCE: &str = "since";
const SEEN: &str = "seen";
/// When the person last proved who they are: at sign-in, and whenever they were asked again.
const PROVED: &str = "proved";
/// In place of [`USER`]: whose password was right, while the second factor is asked for. Nobody is signed in with it.
const PENDING: &str = "pending";
/// Which password let them in, if one did.
const COMPARED: &str = "compared";
const AGENT: &str = "agent";
const ADDRESS: &str = "ip";

/// Marks the responses that come from within the session layer. The layer discards a response when the session cannot be saved, and
/// answers 500 without a body.
#[derive(Clone)]
struct FromWithin;

/// Who sends this request, for whoever handles it.
#[derive(Clone)]
pub struct Visit {
    pub session: Session,
    pub caller: Option<Caller>,
    /// Whose password was right, while their second factor is asked for.
    pub pending: Option<Entering>,
    origin: Origin,
}

impl Visit {
    /// What the session is stored under, if it is stored.
    pub fn digest(&self) -> Option<[u8; 32]> {
        self.session.id().map(|id| digest(&id))
    }

    /// The same visit, of somebody who has just proved who they are.
    pub fn proved(self, now: Timestamp) -> Self {
        Self { caller: self.caller.map(|caller| Caller { proved: now, ..caller }), ..self }
    }
}

/// The session store: rows by the SHA-256 of the id, through the one write queue.
#[derive(Clone)]
pub struct Sessions(Ground);

impl std::fmt::Debug for Sessions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sessions")
    }
}

fn digest(id: &Id) -> [u8; 32] {
    Sha256::digest(id.0.to_le_bytes()).into()
}

/// An error without a cause in it: tower-sessions logs what it gets.
fn backend(error: impl Into<Error>) -> session_store::Error {
    storage::log(&error.into());
    session_store::Error::Backend("the session table could not be used".to_owned())
}

/// As [`backend`], of a new session. An account that changed meanwhile is no fault: [`is_account_changed`] recognizes it.
fn not_begun(error: Error) -> session_store::Error {
    match error {
        Error::Conflict(why) => session_store::Error::Backend(why.to_owned()),
        error => backend(error),
    }
}

/// Whether a session was not started because its user's account changed meanwhile. All other errors are the database's.
pub fn is_account_changed(error: &session::Error) -> bool {
    matches!(error, session::Error::Store(session_store::Error::Backend(why)) if why == ACCOUNT_CHANGED)
}

/// What a record says under this name, if it says so.
fn said<T: serde::de::DeserializeOwned>(record: &Record, name: &str) -> Option<T> {
    record.data.get(name).and_then(|value| serde_json::from_value(value.clone()).ok())
}

/// When a session ends if nothing more is heard: a day from now, and never later than 30 days after it began.
fn ends_at(record: &Record, now: Timestamp) -> i64 {
    let since: Timestamp = said(record, SINCE).unwrap_or(now);
    if record.data.contains_key(PENDING) {
        return since.plus_seconds(PENDING_FOR).micros();
    }
    now.plus_seconds(IDLE).min(since.plus_seconds(LONGEST)).micros()
}

fn data(record: &Record) -> Result<String, session_store::Error> {
    serde_json::to_string(&record.data).map_err(|e| session_store::Error::Encode(e.to_string()))
}

#[async_trait]
impl SessionStore for Sessions {
    async fn create(&self, record: &mut Record) -> session_store::Result<()> {
        let user: UserId = said(record, USER)
            .or_else(|| said(record, PENDING))
            .ok_or_else(|| session_store::Error::Backend("a session is somebody's".to_owned()))?;
        loop {
            let now = self.0.now();
            let row = NewSessionRow {
                digest: digest(&record.id),
                user_id: user.into(),
                data: data(record)?,
                agent: said(record, AGENT),
                ip: said(record, ADDRESS),
                pending: record.data.contains_key(PENDING),
                created_at: now.micros(),
                expires_at: ends_at(record, now),
            };
            if begin(&self.0, row, said(record, COMPARED)).await.map_err(not_begun)? {
                return Ok(());
            }
            record.id = Id::default();
        }
    }

    /// Of a session that is stored already, a change is when it was last seen or its user last authenticated. If that cannot be
    /// written, the error is logged and the request goes on: the layer would discard the response, of a new key its secret.
    async fn save(&self, record: &Record) -> session_store::Result<()> {
        let (digest, data) = (digest(&record.id), data(record)?);
        let (seen, end) = (said(record, SEEN).map(Timestamp::micros), ends_at(record, self.0.now()));
        let write = self.0.queue.write(move |tx| {
            let data = data.clone();
            Box::pin(async move {
                store::sessions::update(tx, &digest, &data, seen, end).await?;
                Ok::<_, Error>(Kept::unrecorded(()))
            })
        });
        if let Err(error) = write.await {
            storage::log(&error);
        }
        Ok(())
    }

    async fn load(&self, id: &Id) -> session_store::Result<Option<Record>> {
        let mut reader = self.0.pool.read().await.map_err(backend)?;
        let (digest, now) = (digest(id), self.0.now().micros());
        let row = store::sessions::by_digest(&mut reader.conn(), &digest, now).await.map_err(backend)?;
        let Some(row) = row else { return Ok(None) };
        let end = time::OffsetDateTime::from_unix_timestamp(row.expires_at / 1_000_000);
        Ok(Some(Record {
            id: *id,
            data: serde_json::from_str(&row.data).map_err(|e| session_store::Error::Decode(e.to_string()))?,
            expiry_date: end.map_err(|e| session_store::Error::Decode(e.to_string()))?,
        }))
    }

    async fn delete(&self, id: &Id) -> session_store::Result<()> {
        let digest = digest(id);
        let write = self.0.queue.write(move |tx| {
            Box::pin(async move {
                store::sessions::delete(tx, &digest).await?;
                Ok::<_, Error>(Kept::unrecorded(()))
            })
        });
        write.await.map_err(backend)
    }
}

/// The layer: on HTTPS a `__Host-` cookie, which no other host can set; on plain HTTP the same without what needs HTTPS.
pub fn layer(state: &AppState) -> SessionManagerLayer<Sessions> {
    let https = state.app.config.public_url.is_https();
    SessionManagerLayer::new(Sessions(state.app.ground.clone()))
        .with_name(if https { "__Host-keyward" } else { "keyward" })
        .with_secure(https)
        .with_http_only(true)
        .with_same_site(SameSite::Lax)
        .with_path("/")
        .with_expiry(Expiry::OnInactivity(time::Duration::seconds(IDLE)))
}

/// A browser takes a `__Host-` cookie back only when it is told as strictly as it was when it was set.
pub async fn take_back(request: Request, next: Next) -> Response {
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

/// Answers for the session layer when it could not save a session: 503 (507 if the disk is full), with `Retry-After`.
pub async fn unsaved(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let (asked, path) = (request.headers().clone(), request.uri().path().to_owned());
    let mut response = next.run(request).await;
    let is_from_within = response.extensions_mut().remove::<FromWithin>().is_some();
    if is_from_within || response.status() != StatusCode::INTERNAL_SERVER_ERROR {
        return response;
    }
    let Trouble { status, code, detail, retry_after } = match state.app.ground.queue.trouble() {
        Some(WriteTrouble::Failing(kind)) if kind != Kind::Fault => Trouble::of(kind),
        // It failed alone, or writes succeed again.
        _ => Trouble {
            status: StatusCode::SERVICE_UNAVAILABLE,
            code: "busy",
            detail: "Your session could not be saved. Try again in a moment.",
            retry_after: Some("1"),
        },
    };
    let mut response = error_page::respond(status, code, detail, &asked, &path);
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(seconds));
    }
    response
}

/// Finds out who is behind the session, and ends what has lasted too long.
pub async fn recognise(state: State<AppState>, request: Request, next: Next) -> Response {
    let mut response = recognised(state, request, next).await;
    response.extensions_mut().insert(FromWithin);
    response
}

async fn recognised(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let Some(session) = request.extensions().get::<Session>().cloned() else {
        return next.run(request).await;
    };
    let origin = request.extensions().get::<Origin>().cloned().unwrap_or_default();
    let origin = Origin { zone: zone_of(request.headers()), ..origin };
    let known = async {
        let caller = caller(&state, &session, origin.clone()).await?;
        let pending = match (&caller, session.id()) {
            (None, Some(_)) => session.get::<UserId>(PENDING).await?,
            _ => None,
        };
        let pending = match pending {
            Some(user) => Some(Entering { user, compared: session.get(COMPARED).await? }),
            None => None,
        };
        let must_enrol = match &caller {
            Some(caller) => state.app.accounts.must_enrol(caller).await?,
            None => false,
        };
        Ok::<_, Boxed>((Visit { session, caller, pending, origin }, must_enrol))
    };
    match known.await {
        Ok((_, true)) if !enrolment::is_open(request.uri().path()) => enrolment::lead(&state, request).await,
        Ok((visit, _)) => {
            request.extensions_mut().insert(visit);
            next.run(request).await
        }
        Err(error) => {
            static LIMIT: LogLimit = LogLimit::new();
            if let Some(requests) = LIMIT.count() {
                tracing::error!(%error, requests, "sessions.unreadable");
            }
            let words = "Your session could not be read. Try again in a moment.";
            error_page::respond(StatusCode::SERVICE_UNAVAILABLE, "busy", words, request.headers(), request.uri().path())
        }
    }
}

/// The time zone that a page's script wrote into the cookie `zone`; none if it is no zone that we know.
fn zone_of(headers: &HeaderMap) -> Option<TimeZone> {
    moments::zone(&cookies::value(headers, "zone")?.replace("%2F", "/"))
}

type Boxed = Box<dyn std::error::Error + Send + Sync>;

async fn caller(state: &AppState, session: &Session, origin: Origin) -> Result<Option<Caller>, Boxed> {
    // Without a cookie there is nothing to load, and loading would be noted as suspicious.
    if session.id().is_none() {
        return Ok(None);
    }
    let Some(user) = session.get::<UserId>(USER).await? else { return Ok(None) };
    let now = state.app.ground.now();
    let since: Timestamp = session.get(SINCE).await?.unwrap_or(Timestamp::from_micros(0));
    let proved: Timestamp = session.get(PROVED).await?.unwrap_or(since);
    let caller = state.app.accounts.caller(user, origin, proved).await?;
    if caller.is_none() || now.seconds_since(since) >= LONGEST {
        session.flush().await?;
        return Ok(None);
    }
    let seen: Timestamp = session.get(SEEN).await?.unwrap_or(since);
    // While writes are known to fail, a page that only reads does not wait for another one.
    if now.seconds_since(seen) >= SEEN_EVERY && state.app.ground.queue.trouble().is_none() {
        session.insert(SEEN, now).await?;
    }
    Ok(caller)
}

/// Starts a session under a new id: what an attacker may have planted before is worth nothing after. `proved`: when its user last
/// authenticated.
///
/// # Errors
/// If the account changed meanwhile ([`is_account_changed`]), or the database refuses.
pub async fn start(visit: &Visit, who: Entering, proved: Timestamp, now: Timestamp) -> Result<(), session::Error> {
    let session = &visit.session;
    // Not `flush`, and whatever was there before: after it the record would be stored again under the id that it had.
    session.clear().await;
    session.cycle_id().await?;
    session.insert(USER, who.user).await?;
    session.insert(COMPARED, who.compared).await?;
    session.insert(SINCE, now).await?;
    session.insert(PROVED, proved).await?;
    remember_place(visit).await?;
    session.insert(SEEN, now).await?;
    save_new(session).await
}

/// Keeps, under a new id, whose password was right, until their second factor is too.
///
/// # Errors
/// As [`start`].
pub async fn start_pending(visit: &Visit, who: Entering, now: Timestamp) -> Result<(), session::Error> {
    let session = &visit.session;
    session.clear().await;
    session.cycle_id().await?;
    session.insert(PENDING, who.user).await?;
    session.insert(COMPARED, who.compared).await?;
    remember_place(visit).await?;
    session.insert(SINCE, now).await?;
    save_new(session).await
}

/// Saves a new session now: the layer does so after the handler, which could not report an error.
async fn save_new(session: &Session) -> Result<(), session::Error> {
    let saved = session.save().await;
    if saved.is_err() {
        // Without data it is empty, and the layer does not save it again.
        session.clear().await;
    }
    saved
}

/// Where the session begins, for its owner to recognise it by.
async fn remember_place(visit: &Visit) -> Result<(), session::Error> {
    let Origin { ip, agent, .. } = &visit.origin;
    visit.session.insert(AGENT, agent).await?;
    visit.session.insert(ADDRESS, ip.map(|ip| ip.to_string())).await
}

/// Notes that the person has just proved who they are.
///
/// # Errors
/// If the database refuses.
pub async fn prove(visit: &Visit, now: Timestamp) -> Result<(), session::Error> {
    visit.session.insert(PROVED, now).await
}

/// Ends the session.
///
/// # Errors
/// If the database refuses.
pub async fn end(visit: &Visit) -> Result<(), session::Error> {
    if visit.session.id().is_some() { visit.session.flush().await } else { Ok(()) }
}
