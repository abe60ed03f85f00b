//! The audit log: append-only, each event carrying the hash of the one before.

use super::{Conn, Error, Tx, on};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// An event, before it has its place in the log.
#[derive(Clone, Debug)]
pub struct NewEvent {
    /// Microseconds since the epoch.
    pub at: i64,
    /// `user:<id>`, `operator` (the command line) or `system`.
    pub actor: String,
    pub actor_name: String,
    /// What was done: `key.created`.
    pub action: &'static str,
    /// On what: `key:<id>`.
    pub target: String,
    pub target_name: String,
    pub project_id: Option<Uuid>,
    pub reason: Option<String>,
    pub ip: Option<String>,
    pub agent: Option<String>,
    pub request_id: Option<String>,
    /// Before and after of what changed. Never a secret, never a password.
    pub detail: serde_json::Value,
}

/// An event as it stands in the log.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct EventRow {
    pub seq: i64,
    pub at: i64,
    pub actor: String,
    pub actor_name: String,
    pub action: String,
    pub target: String,
    pub target_name: String,
    pub project_id: Option<Uuid>,
    pub reason: Option<String>,
    pub ip: Option<String>,
    pub agent: Option<String>,
    pub request_id: Option<String>,
    pub detail: String,
    pub prev: Vec<u8>,
    pub hash: Vec<u8>,
}

impl EventRow {
    /// Gives an event its place behind the event whose hash is `prev`.
    fn chained(event: NewEvent, seq: i64, prev: Vec<u8>) -> Self {
        let mut row = Self {
            seq,
            at: event.at,
            actor: event.actor,
            actor_name: event.actor_name,
            action: event.action.to_owned(),
            target: event.target,
            target_name: event.target_name,
            project_id: event.project_id,
            reason: event.reason,
            ip: event.ip,
            agent: event.agent,
            request_id: event.request_id,
            detail: event.detail.to_string(),
            prev,
            hash: Vec::new(),
        };
        row.hash = row.digest();
        row
    }

    /// SHA-256 over the hash before and the event's canonical form: its columns in the order of the table, as one JSON array.
    pub fn digest(&self) -> Vec<u8> {
        let canonical = serde_json::json!([
            self.seq,
            self.at,
            self.actor,
            self.actor_name,
            self.action,
            self.target,
            self.target_name,
            self.project_id,
            self.reason,
            self.ip,
            self.agent,
            self.request_id,
            self.detail,
        ]);
        Sha256::new().chain_update(&self.prev).chain_update(canonical.to_string()).finalize().to_vec()
    }
}

const TAKE_HEAD_SQLITE: &str = "SELECT audit_seq, audit_hash, change_seq FROM head WHERE id = 1";
const TAKE_HEAD_POSTGRES: &str = "SELECT audit_seq, audit_hash, change_seq FROM head WHERE id = 1 FOR UPDATE";

/// The head of the chain and of the change feed.
#[derive(sqlx::FromRow)]
pub(super) struct Head {
    audit_seq: i64,
    audit_hash: Vec<u8>,
    pub(super) change_seq: i64,
}

/// Takes the head's row until commit: the only point where the nodes on one PostgreSQL wait for each other.
pub(super) async fn take_head(tx: &mut Tx<'_>) -> Result<Head, Error> {
    Ok(match tx.engine() {
        super::Engine::Sqlite(c) => sqlx::query_as(TAKE_HEAD_SQLITE).fetch_one(c).await?,
        super::Engine::Postgres(c) => sqlx::query_as(TAKE_HEAD_POSTGRES).fetch_one(c).await?,
    })
}

/// Puts the head back, moved on.
pub(super) async fn put_head(tx: &mut Tx<'_>, head: &Head) -> Result<(), Error> {
    const SQL: &str = "UPDATE head SET audit_seq = $1, audit_hash = $2, change_seq = $3 WHERE id = 1";
    on!(tx, c => {
        sqlx::query(SQL).bind(head.audit_seq).bind(&head.audit_hash).bind(head.change_seq).execute(c).await?;
    });
    Ok(())
}

/// Appends an event behind the head.
pub(super) async fn append(tx: &mut Tx<'_>, head: &mut Head, event: NewEvent) -> Result<(), Error> {
    const SQL: &str = "INSERT INTO audit_events (seq, at, actor, actor_name, action, target, target_name, project_id, \
        reason, ip, agent, request_id, detail, prev, hash) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)";
    let row = EventRow::chained(event, head.audit_seq + 1, std::mem::take(&mut head.audit_hash));
    on!(tx, c => {
        sqlx::query(SQL)
            .bind(row.seq)
            .bind(row.at)
            .bind(&row.actor)
            .bind(&row.actor_name)
            .bind(&row.action)
            .bind(&row.target)
            .bind(&row.target_name)
            .bind(row.project_id)
            .bind(&row.reason)
            .bind(&row.ip)
            .bind(&row.agent)
            .bind(&row.request_id)
            .bind(&row.detail)
            .bind(&row.prev)
            .bind(&row.hash)
            .execute(c)
            .await?;
    });
    head.audit_seq = row.seq;
    head.audit_hash = row.hash;
    Ok(())
}

/// The events after `seq`, in order, at most `limit`.
pub async fn after(conn: &mut Conn<'_>, seq: i64, limit: i64) -> Result<Vec<EventRow>, Error> {
    const SQL: &str = "SELECT seq, at, actor, actor_name, action, target, target_name, project_id, reason, ip, agent, \
        request_id, detail, prev, hash FROM audit_events WHERE seq > $1 ORDER BY seq LIMIT $2";
    Ok(on!(conn, c => sqlx::query_as(SQL).bind(seq).bind(limit).fetch_all(c).await?))
}

/// The head's number and hash, which the last event must match.
pub async fn head(conn: &mut Conn<'_>) -> Result<(i64, Vec<u8>), Error> {
    let head: Head = on!(conn, c => sqlx::query_as(TAKE_HEAD_SQLITE).fetch_one(c).await?);
    Ok((head.audit_seq, head.audit_hash))
}
