//! Query plans: no statement of the store scans a table that grows, on either engine, whatever the database's
//! statistics are.

use crate::support::{Engine, TestServer, sql_statements, test_data::KeyForms as _};
use keyward::store::{Location, Pool};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row as _, SqliteConnection};
use std::collections::BTreeSet;

/// Tables that stay small: one row, or one for each release, scope, signing key or running process.
const SMALL: [&str; 7] =
    ["sqlite_schema", "policy", "head", "scopes", "signing_keys", "usage_writers", "_sqlx_migrations"];

/// Statements that may scan a whole table, each with the reason.
const ALLOWED: &[(&str, &str)] = &[
    ("accounts.rs is_empty SQL", "reads one row"),
    ("audit.rs newest TEXT", "the base of a statement that is assembled from the filter"),
    ("checkpoints.rs last SQL", "reads one row"),
    ("oauth_clients.rs removed_with_grants SQL", "reads the programs, of which a project has at most 50 at a time"),
    ("drafts.rs sweep SQL", "holds at most one draft of each user, for a short time"),
    ("folding.rs fill_names KEYS", "reads an index of the rows that are to be filled"),
    ("keys/list.rs COUNT_WALK", "reads an index that holds what is compared, as far as 10,001 keys match"),
    ("keys/list.rs FEW_BY_END", "reads an index that holds what is compared, as far as 10,001 keys match"),
    ("keys/list.rs FEW_BY_NAME", "reads an index that holds what is compared, as far as 10,001 keys match"),
    ("keys/list.rs FEW_BY_NAME_BEFORE", "reads an index that holds what is compared, as far as 10,001 keys match"),
    ("keys/list.rs FEW_BY_USE_BEFORE", "reads an index that holds what is compared, as far as 10,001 keys match"),
    ("keys/list.rs FEW_BY_END_BEFORE", "reads an index that holds what is compared, as far as 10,001 keys match"),
    ("keys/list.rs FEW_BY_PAST_END", "reads an index that holds what is compared, as far as 10,001 keys match"),
    ("keys/list.rs FEW_BY_PAST_END_BEFORE", "reads an index that holds what is compared, as far as 10,001 keys match"),
    ("keys/list.rs FEW_BY_USE", "reads an index that holds what is compared, as far as 10,001 keys match"),
    (
        "policy.rs count_affected SQL",
        "counts the keys of each project in an index, when an administrator saves the policy",
    ),
    ("projects.rs list SQL", "the command line lists every project"),
    ("projects.rs names SQL", "reads the index of names, as far as 500"),
    ("revoked_tokens.rs list_unexpired SQL", "holds the tokens that still live"),
    ("scopes.rs list_with_counts DEFAULT", "counts projects, as far as 10,001"),
    ("scopes.rs count_scope_lists LIVE", "counts the keys of each list of scopes in an index"),
    ("usage/merge.rs merge TAKE", "holds the flushes of one minute"),
    ("usage/merge.rs put_waiting_quotas SQL", "holds the flushes of one minute"),
    ("users.rs administrators SQL", "reads an index of administrators"),
    ("users.rs count ALL", "counts as far as 10,001"),
    ("users.rs count FOUND", "searches in names; a list has a time limit"),
    ("users.rs key_stops SQL", "holds users whose keys are being deactivated"),
    ("users.rs others SQL", "reads the index of names, as far as 500"),
    ("users.rs owners SQL", "reads the index of names, as far as 500"),
];

/// Returns the table that a `SCAN` in a plan of SQLite refers to, if it grows. Returns `None` for a subquery or a table
/// that stays small.
fn growing_table<'a>(sql: &'a str, name: &str) -> Option<&'a str> {
    let words: Vec<&str> =
        sql.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|it| !it.is_empty()).collect();
    let tables = words.windows(4).filter(|it| matches!(it[0], "FROM" | "JOIN" | "UPDATE" | "INTO"));
    let mut named = tables.filter_map(|it| {
        let alias = if it[2] == "AS" { it[3] } else { it[2] };
        (it[1] == name || alias == name).then_some(it[1])
    });
    named.find(|table| !SMALL.contains(table) && !matches!(*table, "SELECT" | "json_each"))
}

/// Returns the tables that a plan of SQLite scans completely.
async fn scans(conn: &mut SqliteConnection, sql: &str) -> Vec<String> {
    let plan = sqlx::query(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"))).fetch_all(conn).await;
    let plan = plan.unwrap_or_else(|error| panic!("{error}: {sql}"));
    let details = plan.iter().map(|row| row.get::<String, _>("detail"));
    details
        .filter(|detail| {
            let name = detail.strip_prefix("SCAN ").and_then(|it| it.split(' ').next());
            name.is_some_and(|name| growing_table(sql, name).is_some()) || detail.contains("AUTOMATIC")
        })
        .collect()
}

/// The statements of the store that this engine runs, except those that the demo completes with rows.
fn statements_for(engine: Engine) -> Vec<sql_statements::Statement> {
    let found = sql_statements::load_statements();
    assert!(found.len() > 150, "only {} statements were found", found.len());
    found.into_iter().filter(|it| it.is_for(engine) && !it.lacks_rows()).collect()
}

/// Fails for a statement that scans a table and is not in [`ALLOWED`], and for one that is listed there but does not
/// scan.
fn check(found: &[(String, Vec<String>)]) {
    let wrong: Vec<_> = found.iter().filter(|(name, _)| !ALLOWED.iter().any(|(it, _)| it == name)).collect();
    assert!(wrong.is_empty(), "these read whole tables: {wrong:#?}");
}

async fn connect(location: &Location) -> SqliteConnection {
    let Location::Sqlite(path) = location else { panic!("SQLite") };
    SqliteConnection::connect(&format!("sqlite:{}", path.display())).await.expect("the file opens")
}

async fn plans_of_sqlite(location: &Location) {
    let mut conn = connect(location).await;
    let mut found = Vec::new();
    for statement in statements_for(Engine::Sqlite) {
        let scans = scans(&mut conn, &statement.sql).await;
        if !scans.is_empty() {
            found.push((statement.name, scans));
        }
    }
    check(&found);
    let names: BTreeSet<_> = found.iter().map(|(name, _)| name.as_str()).collect();
    let unneeded: Vec<_> = ALLOWED.iter().filter(|(name, _)| !names.contains(name)).collect();
    assert!(unneeded.is_empty(), "these need no exception any more: {unneeded:#?}");
}

/// Statistics of a new database state that a table has one row. They are deleted when the database is opened.
/// Statistics that another process writes while the database is open do not change how usage is merged.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_uses_an_index_whatever_the_statistics_say() {
    let bench = TestServer::new(Engine::Sqlite).await;
    plans_of_sqlite(&bench.location).await;
    let maren = bench.create_user("maren@pelagic.example", false).await;
    let project = bench.app.keys.new_key_form(&maren).await.unwrap().projects[0].id;
    for keys in [1, 300] {
        for n in 0..keys {
            let mut draft = bench.draft(project, &format!("key {n}"));
            draft.scopes = vec!["data:read".into()];
            bench.app.keys.create_from(&maren, draft).await.unwrap();
        }
        let mut conn = connect(&bench.location).await;
        sqlx::query("ANALYZE").execute(&mut conn).await.unwrap();
        drop(conn);
        let mut conn = connect(&bench.location).await;
        for statement in statements_for(Engine::Sqlite).iter().filter(|it| it.name.starts_with("usage/merge.rs")) {
            let scans = scans(&mut conn, &statement.sql).await;
            let allowed = ALLOWED.iter().any(|(it, _)| *it == statement.name);
            assert!(scans.is_empty() || allowed, "{keys} keys, {}: {scans:?}", statement.name);
        }
        drop(conn);
        Pool::open(&bench.location).await.unwrap().close().await;
        plans_of_sqlite(&bench.location).await;
    }
}

/// PostgreSQL derives the size of a table from its file, and scans a small table that is empty. With sequential scans
/// disabled, it has an index for each statement.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_has_an_index_for_every_statement() {
    let bench = TestServer::new(Engine::Postgres).await;
    let Location::Postgres(url) = &bench.location else { panic!("PostgreSQL") };
    let mut conn = PgConnection::connect(url).await.unwrap();
    for setting in ["SET enable_seqscan = off", "SET plan_cache_mode = force_generic_plan"] {
        sqlx::query(AssertSqlSafe(setting.to_owned())).execute(&mut conn).await.unwrap();
    }
    let mut found = Vec::new();
    for statement in statements_for(Engine::Postgres) {
        let sql = &statement.sql;
        let (types, nulls) = statement.postgres_parameters();
        let prepare = format!("PREPARE statement{types} AS {sql}");
        let prepared = sqlx::raw_sql(AssertSqlSafe(prepare)).execute(&mut conn).await;
        prepared.unwrap_or_else(|error| panic!("{}: {error}: {sql}", statement.name));
        let explain = format!("EXPLAIN EXECUTE statement{nulls}");
        let plan = sqlx::raw_sql(AssertSqlSafe(explain)).fetch_all(&mut conn).await.unwrap();
        let lines = plan.iter().map(|row| row.get::<String, _>(0));
        let scans: Vec<String> = lines
            .filter(|line| {
                let table = line.split("Seq Scan on ").nth(1).and_then(|it| it.split(' ').next());
                table.is_some_and(|table| !SMALL.contains(&table))
            })
            .collect();
        if !scans.is_empty() {
            found.push((statement.name, scans));
        }
        sqlx::raw_sql("DEALLOCATE statement").execute(&mut conn).await.unwrap();
    }
    check(&found);
}
