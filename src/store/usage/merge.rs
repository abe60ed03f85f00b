//! Taking flushes into the tables that are read.

use super::{CallsRow, InstantRow, rows};
use crate::store::{Engine, Error, Tx, on};
use serde::Serialize;
use std::collections::BTreeMap;
use uuid::Uuid;

/// A statement that takes a list as JSON, which each engine opens in its own way.
struct Opening {
    sqlite: &'static str,
    postgres: &'static str,
}

impl Opening {
    async fn run(&self, tx: &mut Tx<'_>, list: &impl Serialize) -> Result<(), Error> {
        let sql = match tx.engine() {
            Engine::Sqlite(_) => self.sqlite,
            Engine::Postgres(_) => self.postgres,
        };
        let list = serde_json::to_string(list).map_err(|_| Error::Corrupt("list of what was counted"))?;
        on!(tx, c => { sqlx::query(sql).bind(list).execute(c).await?; });
        Ok(())
    }
}

/// Keys that were purged meanwhile are passed over.
macro_rules! add_calls {
    ($rows:literal) => {
        concat!(
            "INSERT INTO usage (key_id, hour, outcome, calls) SELECT v.key_id, v.hour, v.outcome, v.calls FROM (",
            $rows,
            ") AS v WHERE EXISTS (SELECT 1 FROM keys k WHERE k.id = v.key_id) ORDER BY v.key_id, v.hour, v.outcome \
             ON CONFLICT (key_id, hour, outcome) DO UPDATE SET calls = usage.calls + excluded.calls"
        )
    };
}

const ADD_CALLS: Opening = Opening {
    sqlite: add_calls!(
        "SELECT unhex(value ->> 0, '-') AS key_id, value ->> 1 AS hour, value ->> 2 AS outcome, value ->> 3 AS calls \
         FROM json_each($1)"
    ),
    postgres: add_calls!(
        "SELECT (e ->> 0)::uuid AS key_id, (e ->> 1)::bigint AS hour, e ->> 2 AS outcome, (e ->> 3)::bigint AS calls \
         FROM json_array_elements($1::json) AS e"
    ),
};

macro_rules! set_last_used {
    ($table:literal, $rows:literal) => {
        concat!(
            "UPDATE ",
            $table,
            " SET last_used_at = v.at FROM (",
            $rows,
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

const SET_LAST_USED: Opening = Opening {
    sqlite: set_last_used!("keys", "SELECT unhex(value ->> 0, '-') AS key_id, value ->> 1 AS at FROM json_each($1)"),
    postgres: set_last_used!(
        "keys",
        "SELECT (e ->> 0)::uuid AS key_id, (e ->> 1)::bigint AS at FROM json_array_elements($1::json) AS e"
    ),
};

/// Of what people allowed nothing but this is counted.
const SET_GRANT_LAST_USED: Opening = Opening {
    sqlite: set_last_used!("grants", "SELECT unhex(value ->> 0, '-') AS key_id, value ->> 1 AS at FROM json_each($1)"),
    postgres: set_last_used!(
        "grants",
        "SELECT (e ->> 0)::uuid AS key_id, (e ->> 1)::bigint AS at FROM json_array_elements($1::json) AS e"
    ),
};

/// Of two instants the later one holds: nodes count each by themselves.
macro_rules! put_quotas {
    ($rows:literal) => {
        concat!(
            "INSERT INTO key_quotas (key_id, whole_at) SELECT v.key_id, v.at FROM (",
            $rows,
            ") AS v WHERE EXISTS (SELECT 1 FROM keys k WHERE k.id = v.key_id) ORDER BY v.key_id \
             ON CONFLICT (key_id) DO UPDATE SET whole_at = excluded.whole_at WHERE key_quotas.whole_at < excluded.whole_at"
        )
    };
}

const PUT_QUOTAS: Opening = Opening {
    sqlite: put_quotas!("SELECT unhex(value ->> 0, '-') AS key_id, value ->> 1 AS at FROM json_each($1)"),
    postgres: put_quotas!(
        "SELECT (e ->> 0)::uuid AS key_id, (e ->> 1)::bigint AS at FROM json_array_elements($1::json) AS e"
    ),
};

/// Takes at most `limit` flushes into the tables that are read: those of this writer, and those of any that were appended before
/// that instant. Says how many it took. Those of the same keys go together, so that a page is written once for many flushes.
pub async fn merge(tx: &mut Tx<'_>, writer: Uuid, before: i64, limit: i64) -> Result<usize, Error> {
    // Whoever deletes a row adds it up: of two nodes at once the second finds it gone.
    const TAKE: &str = "DELETE FROM usage_flushes WHERE (writer, seq) IN (SELECT writer, seq FROM usage_flushes \
        WHERE writer = $1 OR at < $2 ORDER BY first_key LIMIT $3) RETURNING calls, used, quotas";
    let taken: Vec<(String, String, Option<String>)> =
        on!(tx, c => sqlx::query_as(TAKE).bind(writer).bind(before).bind(limit).fetch_all(c).await?);
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

/// Takes the quotas out of the flushes that wait, which stay where they are: of an instant that is put twice one is left.
pub async fn put_waiting_quotas(tx: &mut Tx<'_>) -> Result<(), Error> {
    const SQL: &str = "SELECT quotas FROM usage_flushes WHERE quotas IS NOT NULL";
    let waiting: Vec<(String,)> = on!(tx, c => sqlx::query_as(SQL).fetch_all(c).await?);
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
