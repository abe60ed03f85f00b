//! Usage counters of keys.
//!
//! Counts arrive in flushes, which are appended in order ([`append`]). A later step merges many flushes at a time into
//! the tables that are queried ([`merge`]). Thus calls with one of a million keys do not each write a database page
//! every second.

mod merge;

pub use merge::{merge, put_waiting_quotas};

use super::{Engine, Error, Tx, with_engine};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use uuid::Uuid;

/// Calls: key id, hour since the epoch, outcome, and count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallsRow(pub Uuid, pub i64, pub Cow<'static, str>, pub i64);

/// A key id and a time in microseconds since the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstantRow(pub Uuid, pub i64);

/// A flush: the counts of one process for a range of keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flush {
    /// The id of the process.
    pub writer: Uuid,
    /// The sequence number of the flush in that process.
    pub seq: i64,
    /// Everything that the process counted before this time is in this flush or an earlier one.
    pub at: i64,
    pub first_key: Uuid,
    pub last_key: Uuid,
    /// [`CallsRow`]s as JSON.
    pub calls: String,
    /// [`InstantRow`]s as JSON: times of the last accepted call.
    pub used: String,
    /// [`InstantRow`]s as JSON: times at which quotas are full again.
    pub quotas: Option<String>,
}

/// Appends a flush, unless it is already stored. A process sends a flush again if it did not receive the confirmation.
/// Returns whether the flush was new.
pub async fn append(tx: &mut Tx<'_>, flush: &Flush) -> Result<bool, Error> {
    const COME: &str = "INSERT INTO usage_writers (writer, seq, at) VALUES ($1, $2, $3) \
        ON CONFLICT (writer) DO UPDATE SET seq = excluded.seq, at = excluded.at WHERE usage_writers.seq < excluded.seq";
    const APPEND: &str = "INSERT INTO usage_flushes (writer, seq, at, first_key, last_key, calls, used, quotas) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    let Flush { writer, seq, at, .. } = flush;
    let new =
        with_engine!(tx, c => sqlx::query(COME).bind(writer).bind(seq).bind(at).execute(c).await?.rows_affected());
    if new == 0 {
        return Ok(false);
    }
    with_engine!(tx, c => {
        sqlx::query(APPEND)
            .bind(writer)
            .bind(seq)
            .bind(at)
            .bind(flush.first_key)
            .bind(flush.last_key)
            .bind(&flush.calls)
            .bind(&flush.used)
            .bind(&flush.quotas)
            .execute(c)
            .await?;
    });
    Ok(true)
}

fn rows<T: serde::de::DeserializeOwned>(json: &str) -> Result<Vec<T>, Error> {
    serde_json::from_str(json).map_err(|_| Error::Corrupt("list of usage counts"))
}

/// The stored counts of a key's calls since an hour.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyUsage {
    /// By outcome, in no particular order. An outcome may occur more than once.
    pub calls: Vec<(String, i64)>,
    pub last_used: Option<i64>,
    /// The last flush of the requesting writer that is included; 0 if none.
    pub seq: i64,
}

impl KeyUsage {
    /// Adds the counts of this key since this hour from a flush.
    ///
    /// # Errors
    /// [`Error::Corrupt`] if the flush cannot be parsed.
    pub fn add(&mut self, key: Uuid, hour: i64, calls: &str, used: &str) -> Result<(), Error> {
        let of_key = rows::<CallsRow>(calls)?.into_iter().filter(|row| row.0 == key && row.1 >= hour);
        self.calls.extend(of_key.map(|row| (row.2.into_owned(), row.3)));
        let used = rows::<InstantRow>(used)?.into_iter().find(|row| row.0 == key).map(|row| row.1);
        self.last_used = self.last_used.max(used);
        Ok(())
    }
}

#[derive(sqlx::FromRow)]
struct CountedRow {
    kind: String,
    number: Option<i64>,
    calls: String,
    used: String,
}

/// Returns the stored counts of a key's calls since an hour, merged or not. The caller adds the counts that it has not
/// written yet.
pub async fn find_by_key(conn: &mut Engine<'_>, writer: Uuid, key: Uuid, hour: i64) -> Result<KeyUsage, Error> {
    // One statement reads one snapshot, so a concurrent merge cannot cause a count to be missed or counted twice.
    const SQL: &str = "SELECT outcome AS kind, CAST(SUM(calls) AS BIGINT) AS number, '' AS calls, '' AS used FROM usage \
        WHERE key_id = $2 AND hour >= $3 GROUP BY outcome \
        UNION ALL SELECT ' flush', NULL, calls, used FROM usage_flushes WHERE first_key <= $2 AND last_key >= $2 \
        UNION ALL SELECT ' writer', seq, '', '' FROM usage_writers WHERE writer = $1 \
        UNION ALL SELECT ' key', last_used_at, '', '' FROM keys WHERE id = $2";
    let found: Vec<CountedRow> =
        with_engine!(conn, c => sqlx::query_as(SQL).bind(writer).bind(key).bind(hour).fetch_all(c).await?);
    let mut counted = KeyUsage::default();
    for row in found {
        match row.kind.as_str() {
            " flush" => counted.add(key, hour, &row.calls, &row.used)?,
            " writer" => counted.seq = row.number.unwrap_or_default(),
            " key" => counted.last_used = counted.last_used.max(row.number),
            _ => counted.calls.push((row.kind, row.number.unwrap_or_default())),
        }
    }
    Ok(counted)
}

/// A saved quota, with the current rate limit of its key.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct QuotaRow {
    pub key_id: Uuid,
    pub whole_at: i64,
    pub rate_limit: String,
}

/// Returns the quotas that are not full yet.
pub async fn quotas(conn: &mut Engine<'_>, now: i64) -> Result<Vec<QuotaRow>, Error> {
    const SQL: &str = "SELECT q.key_id, q.whole_at, k.rate_limit FROM key_quotas q JOIN keys k ON k.id = q.key_id \
        WHERE q.whole_at > $1 AND k.rate_limit IS NOT NULL";
    Ok(with_engine!(conn, c => sqlx::query_as(SQL).bind(now).fetch_all(c).await?))
}

/// Deletes quotas that are full, and processes that have not written since `before`, at most `limit` of each. Returns
/// the number of deleted rows.
pub async fn sweep(tx: &mut Tx<'_>, now: i64, before: i64, limit: i64) -> Result<u64, Error> {
    const QUOTAS: &str =
        "DELETE FROM key_quotas WHERE key_id IN (SELECT key_id FROM key_quotas WHERE whole_at <= $1 LIMIT $2)";
    const WRITERS: &str =
        "DELETE FROM usage_writers WHERE writer IN (SELECT writer FROM usage_writers WHERE at < $1 LIMIT $2)";
    let quotas = with_engine!(tx, c => sqlx::query(QUOTAS).bind(now).bind(limit).execute(c).await?.rows_affected());
    let writers =
        with_engine!(tx, c => sqlx::query(WRITERS).bind(before).bind(limit).execute(c).await?.rows_affected());
    Ok(quotas + writers)
}

/// Deletes calls from before that hour, at most `limit` rows. Returns the number of deleted rows.
pub async fn delete_before(tx: &mut Tx<'_>, hour: i64, limit: i64) -> Result<u64, Error> {
    const SQL: &str = "DELETE FROM usage WHERE (key_id, hour, outcome) IN \
        (SELECT key_id, hour, outcome FROM usage WHERE hour < $1 ORDER BY hour LIMIT $2)";
    Ok(with_engine!(tx, c => sqlx::query(SQL).bind(hour).bind(limit).execute(c).await?.rows_affected()))
}
