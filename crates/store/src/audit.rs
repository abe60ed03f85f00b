//! The audit log: append-only, with a hash chain. Each event contains the hash of the previous event.
//!
//! # The canonical form
//!
//! An event's hash is SHA-256 over the 32 bytes of the previous event's hash (32 zero bytes for the first event) and
//! the UTF-8 bytes of one JSON array without spaces: `[seq, at, actor, actor_name, action, target, target_name,
//! project_id, reason, ip, agent, request_id, detail, acting]`. `seq` and `at` (microseconds since
//! 1970-01-01T00:00:00Z) are numbers. The others are strings, or `null` if absent. `project_id` is a UUID in lower case
//! with hyphens. `detail` is a JSON text within a string, exactly as stored. In strings only `"`, `\` and control
//! characters are escaped: `\b \t \n \f \r`, the others below U+0020 as `\u00xx` in lower case.
//!
//! `acting` was added later. Older events do not have it, and their array ends with `detail`. The two forms differ in
//! length, so neither can be mistaken for the other.

use super::{Engine, Error, Tx, folding, like, with_engine};
use keyward_domain::ids::ProjectId;
use sha2::{Digest as _, Sha256};
use sqlx::QueryBuilder;
use uuid::Uuid;

/// An event that has no sequence number yet.
#[derive(Clone, Debug)]
pub struct NewEvent {
    /// Microseconds since the epoch.
    pub at: i64,
    /// `user:<id>`, `operator` (the command line) or `system`.
    pub actor: String,
    pub actor_name: String,
    /// The action, such as `key.created`.
    pub action: &'static str,
    /// The object of the action, such as `key:<id>`.
    pub target: String,
    pub target_name: String,
    pub project_id: Option<Uuid>,
    pub reason: Option<String>,
    pub ip: Option<String>,
    pub agent: Option<String>,
    pub request_id: Option<String>,
    /// The changed values before and after. Never contains a secret or a password.
    pub detail: serde_json::Value,
    /// The role that the actor acted in: a project role, `administrator`, `self`, `person`, `command line` or
    /// `keyward`.
    pub acting: String,
}

impl NewEvent {
    /// Sets the project that the event belongs to.
    pub fn in_project(mut self, project: ProjectId) -> Self {
        self.project_id = Some(project.into());
        self
    }

    /// Sets the role that the actor acted in, if it differs from the default: a project role, `administrator`, `self`.
    pub fn with_acting_role(mut self, acting: &str) -> Self {
        acting.clone_into(&mut self.acting);
        self
    }

    /// Sets the reason that the actor gave.
    pub fn with_reason(mut self, reason: Option<&str>) -> Self {
        self.reason = reason.map(ToOwned::to_owned);
        self
    }

    /// Sets the changed values, `{"before": …, "after": …}`, or the values of a created object.
    pub fn with_detail(mut self, detail: serde_json::Value) -> Self {
        self.detail = detail;
        self
    }
}

/// A stored event.
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
    /// `None` for events from before this column existed.
    pub acting: Option<String>,
    pub prev: Vec<u8>,
    pub hash: Vec<u8>,
}

impl EventRow {
    /// Builds the row that follows the event with the hash `prev`.
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
            acting: Some(event.acting),
            prev,
            hash: Vec::new(),
        };
        row.hash = row.digest();
        row
    }

    /// Computes SHA-256 over the previous hash and the canonical form of the event (see the module documentation).
    pub fn digest(&self) -> Vec<u8> {
        let mut canonical = serde_json::json!([
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
        if let (Some(acting), Some(values)) = (&self.acting, canonical.as_array_mut()) {
            values.push(acting.as_str().into());
        }
        Sha256::new().chain_update(&self.prev).chain_update(canonical.to_string()).finalize().to_vec()
    }
}

const HEAD: &str = "SELECT audit_seq, audit_hash, change_seq FROM head WHERE id = 1";
const LOCK_HEAD_POSTGRES: &str = "SELECT audit_seq, audit_hash, change_seq FROM head WHERE id = 1 FOR UPDATE";

/// The heads of the audit chain and of the change feed.
#[derive(sqlx::FromRow)]
pub(super) struct Head {
    pub(super) audit_seq: i64,
    audit_hash: Vec<u8>,
    pub(super) change_seq: i64,
}

/// Reads the head and locks its row until commit. This is the only point where the nodes on one PostgreSQL wait for
/// each other.
pub(super) async fn lock_head(tx: &mut Tx<'_>) -> Result<Head, Error> {
    Ok(match tx.reborrow() {
        Engine::Sqlite(c) => sqlx::query_as(HEAD).fetch_one(c).await?,
        Engine::Postgres(c) => sqlx::query_as(LOCK_HEAD_POSTGRES).fetch_one(c).await?,
    })
}

/// Stores the advanced head.
pub(super) async fn put_head(tx: &mut Tx<'_>, head: &Head) -> Result<(), Error> {
    const SQL: &str = "UPDATE head SET audit_seq = $1, audit_hash = $2, change_seq = $3 WHERE id = 1";
    with_engine!(tx, c => {
        sqlx::query(SQL).bind(head.audit_seq).bind(&head.audit_hash).bind(head.change_seq).execute(c).await?;
    });
    Ok(())
}

/// Appends an event after the head and advances the head.
pub(super) async fn append(tx: &mut Tx<'_>, head: &mut Head, event: NewEvent) -> Result<(), Error> {
    const SQL: &str = "INSERT INTO audit_events (seq, at, actor, actor_name, action, target, target_name, project_id, \
        reason, ip, agent, request_id, detail, acting, prev, hash) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)";
    let row = EventRow::chained(event, head.audit_seq + 1, std::mem::take(&mut head.audit_hash));
    with_engine!(tx, c => {
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
            .bind(&row.acting)
            .bind(&row.prev)
            .bind(&row.hash)
            .execute(c)
            .await?;
    });
    folding::fold_event(tx, row.seq, &row.actor_name, &row.target_name).await?;
    head.audit_seq = row.seq;
    head.audit_hash = row.hash;
    Ok(())
}

/// Selects the columns of an [`EventRow`].
macro_rules! select_events {
    ($rest:literal) => {
        concat!(
            "SELECT seq, at, actor, actor_name, action, target, target_name, project_id, reason, ip, agent, request_id, detail, \
             acting, prev, hash FROM audit_events ",
            $rest
        )
    };
}

/// Returns the events after `seq`, in order, at most `limit`.
pub async fn after(conn: &mut Engine<'_>, seq: i64, limit: i64) -> Result<Vec<EventRow>, Error> {
    const SQL: &str = select_events!("WHERE seq > $1 ORDER BY seq LIMIT $2");
    Ok(with_engine!(conn, c => sqlx::query_as(SQL).bind(seq).bind(limit).fetch_all(c).await?))
}

/// Returns the number and the hash of the head. They must match those of the last event.
pub async fn head(conn: &mut Engine<'_>) -> Result<(i64, Vec<u8>), Error> {
    let head: Head = with_engine!(conn, c => sqlx::query_as(HEAD).fetch_one(c).await?);
    Ok((head.audit_seq, head.audit_hash))
}

/// Returns the time of the `n`th newest event with this target and action, in microseconds since the epoch. `n` is 1
/// for the newest.
///
/// # Errors
/// If the query fails.
pub async fn nth_newest(conn: &mut Engine<'_>, target: &str, action: &str, n: i64) -> Result<Option<i64>, Error> {
    const SQL: &str =
        "SELECT at FROM audit_events WHERE target = $1 AND action = $2 ORDER BY seq DESC LIMIT 1 OFFSET $3";
    Ok(with_engine!(conn, c => sqlx::query_scalar(SQL).bind(target).bind(action).bind(n - 1).fetch_optional(c).await?))
}

/// Returns the hash of an event.
pub async fn hash(conn: &mut Engine<'_>, seq: i64) -> Result<Option<Vec<u8>>, Error> {
    const SQL: &str = "SELECT hash FROM audit_events WHERE seq = $1";
    Ok(with_engine!(conn, c => sqlx::query_scalar(SQL).bind(seq).fetch_optional(c).await?))
}

/// Returns the numbers of the first event at or after `from` and of the last event before `to`. Each is `None` if there
/// is no such event.
pub async fn span(conn: &mut Engine<'_>, from: i64, to: i64) -> Result<(Option<i64>, Option<i64>), Error> {
    const SQL: &str =
        "SELECT (SELECT MIN(seq) FROM audit_events WHERE at >= $1), (SELECT MAX(seq) FROM audit_events WHERE at < $2)";
    Ok(with_engine!(conn, c => sqlx::query_as(SQL).bind(from).bind(to).fetch_one(c).await?))
}

/// A filter for events. Empty fields match every event.
#[derive(Clone, Debug, Default)]
pub struct EventQuery {
    /// `user:<id>`, `operator` or `system`.
    pub actor: Option<String>,
    /// A part of the actor's name. Ignores case and accents.
    pub actor_name: Option<String>,
    /// `key:<id>`.
    pub target: Option<String>,
    /// A part of the target's name. Ignores case and accents.
    pub target_name: Option<String>,
    pub project: Option<Uuid>,
    /// Prefixes of actions, including the dot, such as `key.`. Empty matches every action.
    pub kinds: &'static [&'static str],
    /// Inclusive lower bound of the time.
    pub from: Option<i64>,
    /// Exclusive upper bound of the time.
    pub to: Option<i64>,
    /// Exclusive upper bound of the sequence number.
    pub before: Option<i64>,
}

/// Returns the events that match the filter, newest first, at most `limit`. The statement contains only the conditions
/// in use, so that an index can serve it.
pub async fn newest(conn: &mut Engine<'_>, wanted: &EventQuery, limit: i64) -> Result<Vec<EventRow>, Error> {
    const TEXT: &str = select_events!("WHERE 1 = 1");
    Ok(with_engine!(conn, c => {
        let mut sql = QueryBuilder::new(TEXT);
        if let Some(before) = wanted.before {
            sql.push(" AND seq < ").push_bind(before);
        }
        if let Some(actor) = &wanted.actor {
            sql.push(" AND actor = ").push_bind(actor);
        }
        if let Some(target) = &wanted.target {
            sql.push(" AND target = ").push_bind(target);
        }
        if let Some(project) = wanted.project {
            sql.push(" AND project_id = ").push_bind(project);
        }
        if let Some(from) = wanted.from {
            sql.push(" AND at >= ").push_bind(from);
        }
        if let Some(to) = wanted.to {
            sql.push(" AND at < ").push_bind(to);
        }
        for (column, part) in [("actor_name", &wanted.actor_name), ("target_name", &wanted.target_name)] {
            if let Some(part) = part {
                sql.push(" AND EXISTS (SELECT 1 FROM audit_names n WHERE n.seq = audit_events.seq AND n.")
                    .push(column)
                    .push(" LIKE ")
                    .push_bind(like::folded(part))
                    .push(" ESCAPE '!')");
            }
        }
        if let [first, others @ ..] = wanted.kinds {
            sql.push(" AND (action LIKE ").push_bind(format!("{first}%"));
            for kind in others {
                sql.push(" OR action LIKE ").push_bind(format!("{kind}%"));
            }
            sql.push(")");
        }
        sql.push(" ORDER BY seq DESC LIMIT ").push_bind(limit);
        sql.build_query_as().fetch_all(c).await?
    }))
}
