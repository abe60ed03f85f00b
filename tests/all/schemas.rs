//! Database schemas: SQLite and PostgreSQL have the same tables, columns, keys, indexes, and triggers.
//!
//! Types are compared by class, because SQLite has fewer types: a UUID is stored as bytes, and a boolean as a number.
//! Not compared are CHECK constraints, the expressions and conditions of indexes, and the bodies of triggers.

use crate::support::{Engine, database};
use keyward::store::Location;
use sqlx::{Connection as _, PgConnection, SqliteConnection};
use std::collections::{BTreeMap, BTreeSet};

/// Differences between the schemas, each with its reason. The table `_sqlx_migrations` belongs to sqlx and is not
/// compared.
const DIFFERENCES: [(&str, &str); 2] = [
    (
        "only on SQLite: trigger audit_events_remain of audit_events",
        "a trigger of SQLite has one event; on PostgreSQL, audit_events_stay denies deletions too",
    ),
    (
        "only on SQLite: trigger audit_checkpoints_remain of audit_checkpoints",
        "a trigger of SQLite has one event; on PostgreSQL, audit_checkpoints_stay denies deletions too",
    ),
];

/// A schema: one line for each object.
type Schema = BTreeSet<String>;

/// A column: table, name, type, whether it is not null, and its default as SQL.
type Column = (String, String, String, bool, Option<String>);

/// A column of an index: table, index, whether the index is the primary key, is unique, and has a condition, and the
/// name (`None`: an expression) and the direction of the column.
type IndexColumn = (String, String, bool, bool, bool, Option<String>, bool);

/// A foreign key: table and column, referenced table and column, and the action on deletion.
type ForeignKey = (String, String, String, String, String);

/// Returns what SQLite and PostgreSQL store a value as.
fn type_class(name: &str) -> &'static str {
    match name {
        "BLOB" | "bytea" | "uuid" => "bytes",
        "TEXT" | "text" => "text",
        "INTEGER" | "bigint" | "integer" | "boolean" => "number",
        other => panic!("teach tests/all/schemas.rs the type {other}"),
    }
}

/// Returns a default as SQLite stores it. PostgreSQL writes the type of a text, and booleans in words.
fn default_value(sql: Option<String>) -> String {
    match sql.as_deref().map(|sql| sql.strip_suffix("::text").unwrap_or(sql)) {
        None => "none".to_owned(),
        Some("false") => "0".to_owned(),
        Some("true") => "1".to_owned(),
        Some(other) => other.to_owned(),
    }
}

fn schema(
    columns: Vec<Column>,
    indexes: Vec<IndexColumn>,
    foreign_keys: Vec<ForeignKey>,
    triggers: Vec<(String, String)>,
) -> Schema {
    let mut found = Schema::new();
    for (table, name, kind, not_null, default) in columns {
        let (class, null) = (type_class(&kind), if not_null { "not null" } else { "null" });
        found.insert(format!("column {table}.{name}: {class}, {null}, default {}", default_value(default)));
    }
    let mut by_index = BTreeMap::<_, Vec<String>>::new();
    for (table, index, primary, unique, partial, column, descending) in indexes {
        let column = column.unwrap_or_else(|| "(expression)".to_owned());
        let direction = if descending { " DESC" } else { "" };
        by_index.entry((table, index, primary, unique, partial)).or_default().push(format!("{column}{direction}"));
    }
    for ((table, index, primary, unique, partial), columns) in by_index {
        let (columns, condition) = (columns.join(", "), if partial { ", with a condition" } else { "" });
        // The engines choose different names for the indexes of constraints.
        let kind = match (primary, unique) {
            (true, _) => "primary key".to_owned(),
            (false, true) => "unique index".to_owned(),
            (false, false) => format!("index {index}"),
        };
        found.insert(format!("{kind} of {table}: {columns}{condition}"));
    }
    for (table, column, other, key, action) in foreign_keys {
        found.insert(format!("foreign key {table}.{column}: {other}.{key}, on deletion {action}"));
    }
    for (table, trigger) in triggers {
        found.insert(format!("trigger {trigger} of {table}"));
    }
    found
}

async fn sqlite_schema(location: &Location) -> Schema {
    const COLUMNS: &str = "SELECT t.name, c.name, c.type, c.\"notnull\", c.dflt_value FROM sqlite_schema t \
        JOIN pragma_table_xinfo(t.name) c WHERE t.type = 'table' AND t.name <> '_sqlx_migrations'";
    // An `INTEGER PRIMARY KEY` has no index, so primary keys come from the columns.
    const INDEXES: &str = "SELECT t.name, i.name, FALSE, i.\"unique\", i.partial, c.name, c.\"desc\" FROM sqlite_schema t \
        JOIN pragma_index_list(t.name) i JOIN pragma_index_xinfo(i.name) c \
        WHERE t.type = 'table' AND t.name <> '_sqlx_migrations' AND i.origin <> 'pk' AND c.key ORDER BY i.name, c.seqno";
    const PRIMARY_KEYS: &str = "SELECT t.name, 'primary key', TRUE, TRUE, FALSE, c.name, FALSE FROM sqlite_schema t \
        JOIN pragma_table_xinfo(t.name) c WHERE t.type = 'table' AND t.name <> '_sqlx_migrations' AND c.pk > 0 \
        ORDER BY t.name, c.pk";
    const FOREIGN_KEYS: &str = "SELECT t.name, f.\"from\", f.\"table\", f.\"to\", f.on_delete FROM sqlite_schema t \
        JOIN pragma_foreign_key_list(t.name) f WHERE t.type = 'table'";
    const TRIGGERS: &str = "SELECT tbl_name, name FROM sqlite_schema WHERE type = 'trigger'";
    let Location::Sqlite(path) = location else { unreachable!("SQLite was asked for") };
    let mut conn = SqliteConnection::connect(&format!("sqlite:{}", path.display())).await.unwrap();
    let columns = sqlx::query_as(COLUMNS).fetch_all(&mut conn).await.unwrap();
    let mut indexes: Vec<IndexColumn> = sqlx::query_as(INDEXES).fetch_all(&mut conn).await.unwrap();
    indexes.extend(sqlx::query_as::<_, IndexColumn>(PRIMARY_KEYS).fetch_all(&mut conn).await.unwrap());
    let foreign_keys = sqlx::query_as(FOREIGN_KEYS).fetch_all(&mut conn).await.unwrap();
    let triggers = sqlx::query_as(TRIGGERS).fetch_all(&mut conn).await.unwrap();
    schema(columns, indexes, foreign_keys, triggers)
}

async fn postgres_schema(location: &Location) -> Schema {
    const COLUMNS: &str = "SELECT table_name::text, column_name::text, data_type::text, is_nullable = 'NO', \
        column_default::text FROM information_schema.columns \
        WHERE table_schema = current_schema() AND table_name <> '_sqlx_migrations'";
    const INDEXES: &str = "SELECT t.relname::text, i.relname::text, x.indisprimary, x.indisunique, x.indpred IS NOT NULL, \
        a.attname::text, x.indoption[k.n - 1] & 1 = 1 FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid \
        JOIN pg_class t ON t.oid = x.indrelid JOIN pg_namespace s ON s.oid = t.relnamespace \
        CROSS JOIN LATERAL generate_series(1, x.indnkeyatts) AS k(n) \
        LEFT JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = x.indkey[k.n - 1] \
        WHERE s.nspname = current_schema() AND t.relname <> '_sqlx_migrations' ORDER BY i.relname, k.n";
    const FOREIGN_KEYS: &str = "SELECT t.relname::text, a.attname::text, o.relname::text, b.attname::text, \
        CASE c.confdeltype WHEN 'a' THEN 'NO ACTION' WHEN 'c' THEN 'CASCADE' ELSE 'another action' END \
        FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid JOIN pg_class o ON o.oid = c.confrelid \
        CROSS JOIN LATERAL unnest(c.conkey, c.confkey) AS k(here, there) \
        JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.here \
        JOIN pg_attribute b ON b.attrelid = o.oid AND b.attnum = k.there WHERE c.contype = 'f'";
    const TRIGGERS: &str = "SELECT t.relname::text, g.tgname::text FROM pg_trigger g JOIN pg_class t ON t.oid = g.tgrelid \
        WHERE NOT g.tgisinternal";
    let Location::Postgres(url) = location else { unreachable!("PostgreSQL was asked for") };
    let mut conn = PgConnection::connect(url).await.unwrap();
    let columns = sqlx::query_as(COLUMNS).fetch_all(&mut conn).await.unwrap();
    let indexes = sqlx::query_as(INDEXES).fetch_all(&mut conn).await.unwrap();
    let foreign_keys = sqlx::query_as(FOREIGN_KEYS).fetch_all(&mut conn).await.unwrap();
    let triggers = sqlx::query_as(TRIGGERS).fetch_all(&mut conn).await.unwrap();
    schema(columns, indexes, foreign_keys, triggers)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_and_sqlite_have_the_same_schema() {
    let folder = tempfile::tempdir().unwrap();
    let sqlite = sqlite_schema(&database(Engine::Sqlite, &folder).await).await;
    let postgres = postgres_schema(&database(Engine::Postgres, &folder).await).await;
    for kind in ["column ", "primary key ", "unique index ", "index ", "foreign key ", "trigger "] {
        assert!(sqlite.iter().filter(|line| line.starts_with(kind)).count() > 5, "each kind is found: {kind}");
    }
    let only_sqlite = sqlite.difference(&postgres).map(|line| format!("only on SQLite: {line}"));
    let only_postgres = postgres.difference(&sqlite).map(|line| format!("only on PostgreSQL: {line}"));
    let found: BTreeSet<String> = only_sqlite.chain(only_postgres).collect();
    let allowed: BTreeSet<String> = DIFFERENCES.iter().map(|(line, _)| (*line).to_owned()).collect();
    let wrong: Vec<_> = found.difference(&allowed).collect();
    assert!(wrong.is_empty(), "the schemas differ: {wrong:#?}");
    let unneeded: Vec<_> = allowed.difference(&found).collect();
    assert!(unneeded.is_empty(), "these need no exception any more: {unneeded:#?}");
}
