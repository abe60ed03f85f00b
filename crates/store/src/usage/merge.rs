//! Merges flushes into the tables that are queried.

use super::{CallsRow, InstantRow, rows};
use crate::{Engine, Error, Tx, with_engine};
use serde::Serialize;
use std::collections::BTreeMap;
use uuid::Uuid;

/// A statement with a JSON list as its parameter. The engines parse the list differently.
struct ListStatement {
    sqlite: &'static str,
    postgres: &'static str,
}

impl ListStatement {
    async fn run(&self, tx: &mut Tx<'_>, list: &impl Serialize) -> Result<(), Error> {
        let sql = match tx.reborrow() {
            Engine::Sqlite(_) => self.sqlite,
            Engine::Postgres(_) => self.postgres,
        };
        let list = serde_json::to_string(list).map_err(|_| Error::Corrupt("list of usage counts"))?;
        with_engine!(tx, c => { sqlx::query(sql).bind(list).execute(c).await?; });
        Ok(())
    }
}

// SQLite chooses the join order of two tables, and between a search and a scan, by its statistics. Those of a young
// database state that `keys` has one row; SQLite then scans the whole table for each element of the list. Each
// statement for SQLite therefore fixes its plan: the list first (`CROSS JOIN`), then the row by its id (`INDEXED BY`).
// PostgreSQL takes the size of a table from its file.

/// Selects from the list on SQLite. `$1` is a JSON array of arrays.
macro_rules! sqlite_list {
    ($columns:literal) => {
        concat!("SELECT unhex(value ->> 0, '-') AS key_id, ", $columns, " FROM json_each($1)")
    };
}

/// Selects from the list on PostgreSQL.
macro_rules! postgres_list {
    ($columns:literal) => {
        concat!("SELECT (e ->> 0)::uuid AS key_id, ", $columns, " FROM json_array_elements($1::json) AS e")
    };
}

/// Skips keys that were purged meanwhile.
macro_rules! add_calls {
    ($rows:expr, $by_id:literal) => {
        concat!(
            "INSERT INTO usage (key_id, hour, outcome, calls) SELECT v.key_id, v.hour, v.outcome, v.calls FROM (",
            $rows,
            ") AS v CROSS JOIN keys k ",
            $by_id,
            " WHERE k.id = v.key_id ORDER BY v.key_id, v.hour, v.outcome \
             ON CONFLICT (key_id, hour, outcome) DO UPDATE SET calls = usage.calls + excluded.calls"
        )
    };
}

const ADD_CALLS_SQLITE: &str = add_calls!(
    sqlite_list!("value ->> 1 AS hour, value ->> 2 AS outcome, value ->> 3 AS calls"),
    "INDEXED BY sqlite_autoindex_keys_1"
);
const ADD_CALLS_POSTGRES: &str =
    add_calls!(postgres_list!("(e ->> 1)::bigint AS hour, e ->> 2 AS outcome, (e ->> 3)::bigint AS calls"), "");
const ADD_CALLS: ListStatement = ListStatement { sqlite: ADD_CALLS_SQLITE, postgres: ADD_CALLS_POSTGRES };

/// SQLite cannot fix the join order of an `UPDATE … FROM`. Each row is therefore inserted again, with the columns that
/// must not be null, and the conflict clause updates the one column.
macro_rules! set_last_used_sqlite {
    ($table:literal, $columns:literal) => {
        concat!(
            "INSERT INTO ",
            $table,
            " (",
            $columns,
            ", last_used_at) SELECT ",
            $columns,
            ", v.at FROM (",
            sqlite_list!("value ->> 1 AS at"),
            ") AS v CROSS JOIN ",
            $table,
            " AS t INDEXED BY sqlite_autoindex_",
            $table,
            "_1 WHERE t.id = v.key_id AND (t.last_used_at IS NULL OR t.last_used_at < v.at) \
             ON CONFLICT (id) DO UPDATE SET last_used_at = excluded.last_used_at"
        )
    };
}

macro_rules! set_last_used_postgres {
    ($table:literal) => {
        concat!(
            "UPDATE ",
            $table,
            " SET last_used_at = v.at FROM (",
            postgres_list!("(e ->> 1)::bigint AS at"),
            ") AS v WHERE ",
            $table,
            ".id = v.key_id AND (",
            $table,
            ".last_used_at IS NULL OR ",
            $table,
            ".last_used_at < v.at)"
        )
    };
}

const SET_LAST_USED_SQLITE: &str = set_last_used_sqlite!(
    "keys",
    "id, project_id, name, environment, digest, preview, scopes, active, created_by_name, created_at, updated_at"
);
const SET_LAST_USED_POSTGRES: &str = set_last_used_postgres!("keys");
const SET_LAST_USED: ListStatement = ListStatement { sqlite: SET_LAST_USED_SQLITE, postgres: SET_LAST_USED_POSTGRES };

/// For grants only the last use is stored.
const SET_GRANT_LAST_USED_SQLITE: &str = set_last_used_sqlite!(
    "grants",
    "id, digest, user_id, user_name, client_name, project_id, scopes, until, created_at"
);
const SET_GRANT_LAST_USED_POSTGRES: &str = set_last_used_postgres!("grants");
const SET_GRANT_LAST_USED: ListStatement =
    ListStatement { sqlite: SET_GRANT_LAST_USED_SQLITE, postgres: SET_GRANT_LAST_USED_POSTGRES };

/// Of two times the later one wins, because each node counts independently.
macro_rules! put_quotas {
    ($rows:expr, $by_id:literal) => {
        concat!(
            "INSERT INTO key_quotas (key_id, whole_at) SELECT v.key_id, v.at FROM (",
            $rows,
            ") AS v CROSS JOIN keys k ",
            $by_id,
            " WHERE k.id = v.key_id ORDER BY v.key_id \
             ON CONFLICT (key_id) DO UPDATE SET whole_at = excluded.whole_at WHERE key_quotas.whole_at < excluded.whole_at"
        )
    };
}

const PUT_QUOTAS_SQLITE: &str = put_quotas!(sqlite_list!("value ->> 1 AS at"), "INDEXED BY sqlite_autoindex_keys_1");
const PUT_QUOTAS_POSTGRES: &str = put_quotas!(postgres_list!("(e ->> 1)::bigint AS at"), "");
const PUT_QUOTAS: ListStatement = ListStatement { sqlite: PUT_QUOTAS_SQLITE, postgres: PUT_QUOTAS_POSTGRES };

/// Merges at most `limit` flushes into the tables that are queried: those of this writer, and those of all writers that
/// were appended before `before`. Returns the number of merged flushes. Flushes of the same keys are merged together,
/// so that a page is written once for many flushes.
pub async fn merge(tx: &mut Tx<'_>, writer: Uuid, before: i64, limit: i64) -> Result<usize, Error> {
    // The transaction that deletes a row adds its counts. If two nodes merge at once, the second finds the row deleted.
    const TAKE: &str = "DELETE FROM usage_flushes WHERE (writer, seq) IN (SELECT writer, seq FROM usage_flushes \
        WHERE writer = $1 OR at < $2 ORDER BY first_key LIMIT $3) RETURNING calls, used, quotas";
    let taken: Vec<(String, String, Option<String>)> =
        with_engine!(tx, c => sqlx::query_as(TAKE).bind(writer).bind(before).bind(limit).fetch_all(c).await?);
    let (mut calls, mut used, mut quotas) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    for flush in &taken {
        for CallsRow(key, hour, outcome, number) in rows::<CallsRow>(&flush.0)? {
            *calls.entry((key, hour, outcome)).or_insert(0_i64) += number;
        }
        latest(&mut used, &flush.1)?;
        latest(&mut quotas, flush.2.as_deref().unwrap_or("[]"))?;
    }
    if !calls.is_empty() {
        let calls: Vec<_> =
            calls.into_iter().map(|((key, hour, outcome), n)| CallsRow(key, hour, outcome, n)).collect();
        ADD_CALLS.run(tx, &calls).await?;
    }
    if !used.is_empty() {
        let used = instants(used);
        SET_LAST_USED.run(tx, &used).await?;
        SET_GRANT_LAST_USED.run(tx, &used).await?;
    }
    if !quotas.is_empty() {
        PUT_QUOTAS.run(tx, &instants(quotas)).await?;
    }
    Ok(taken.len())
}

/// Saves the quotas of the waiting flushes and leaves the flushes in place. Saving the same quota twice has no effect.
pub async fn put_waiting_quotas(tx: &mut Tx<'_>) -> Result<(), Error> {
    const SQL: &str = "SELECT quotas FROM usage_flushes WHERE quotas IS NOT NULL";
    let waiting: Vec<(String,)> = with_engine!(tx, c => sqlx::query_as(SQL).fetch_all(c).await?);
    let mut quotas = BTreeMap::new();
    for (list,) in &waiting {
        latest(&mut quotas, list)?;
    }
    if !quotas.is_empty() {
        PUT_QUOTAS.run(tx, &instants(quotas)).await?;
    }
    Ok(())
}

fn latest(known: &mut BTreeMap<Uuid, i64>, json: &str) -> Result<(), Error> {
    for InstantRow(key, at) in rows::<InstantRow>(json)? {
        let known = known.entry(key).or_insert(at);
        *known = at.max(*known);
    }
    Ok(())
}

fn instants(of: BTreeMap<Uuid, i64>) -> Vec<InstantRow> {
    of.into_iter().map(|(key, at)| InstantRow(key, at)).collect()
}
