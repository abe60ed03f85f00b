//! SQL statements of the store: both engines accept each one, and each one gets all of its parameters.

use crate::{
    lists::insert_keys,
    support::{Engine, sql_statements},
};
use keyward::store::{self, Location, audit::EventQuery};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, SqlSafeStr as _, SqliteConnection};

/// Functions that assemble a statement from parts. [`every_assembled_statement_runs`] runs them.
const ASSEMBLING: [&str; 2] = ["audit.rs newest", "demo.rs insert_keys"];

/// The number of rows in one statement of `demo.rs insert_keys`.
const ROWS: i64 = 500;

/// Every other statement is a constant, so the tests find it.
#[test]
fn every_statement_is_a_constant() {
    let inline = sql_statements::inline_statements();
    assert!(inline.is_empty(), "make these constants, so that they are tested: {inline:#?}");
    let assembling: Vec<_> = sql_statements::assembling_functions().into_iter().collect();
    assert_eq!(assembling, ASSEMBLING, "run each of these functions in every_assembled_statement_runs");
}

/// Both engines bind by number: `$1` is the first value. The statements for a list of keys share one list of values, and
/// each of them uses some.
#[test]
fn every_parameter_has_a_number() {
    let statements = sql_statements::load_statements();
    let is_wrong = |it: &sql_statements::Statement| {
        it.sql.contains('?') || !(it.uses_all_values() || it.name.starts_with("keys/list.rs"))
    };
    let wrong: Vec<_> = statements.iter().filter(|it| is_wrong(it)).map(|it| (&it.name, &it.sql)).collect();
    assert!(wrong.is_empty(), "number the parameters from $1, without gaps: {wrong:#?}");
}

/// SQLite takes null for a parameter without a value, and reports no error.
#[test]
fn every_statement_binds_all_of_its_parameters() {
    let (count, wrong) = sql_statements::wrong_bindings();
    assert!(count > 200, "only {count} calls were found");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// A statement for one engine has a counterpart for the other one, unless only one engine needs it.
#[test]
fn statements_of_one_engine_have_a_counterpart() {
    const ALONE: [&str; 6] = [
        // SQLite needs no row locks and no notification, and PostgreSQL keeps its statistics.
        "audit.rs LOCK_HEAD_POSTGRES",
        "change_log.rs notify NOTIFY_POSTGRES",
        "sqlite.rs forget_statistics FOUND_SQLITE",
        // The catalogs differ.
        "postgres.rs read_schema TABLE_POSTGRES",
        "sqlite.rs read_schema TABLES_SQLITE",
        // SQLite writes with a PRAGMA.
        "write_queue.rs probe PROBE_POSTGRES",
    ];
    let statements = sql_statements::load_statements();
    let exists = |name: &str| statements.iter().any(|it| it.name == name);
    let counterpart = |name: &str| match name.strip_suffix("_SQLITE") {
        Some(name) => Some(format!("{name}_POSTGRES")),
        None => name.strip_suffix("_POSTGRES").map(|name| format!("{name}_SQLITE")),
    };
    let mut alone: Vec<_> = statements
        .iter()
        .filter(|it| counterpart(&it.name).is_some_and(|other| !exists(&other)))
        .map(|it| it.name.as_str())
        .collect();
    alone.sort_unstable();
    let mut expected = ALONE;
    expected.sort_unstable();
    assert_eq!(alone, expected);
}

/// Prepares the statements on SQLite. Returns the number of prepared statements, and an error for each other one.
async fn prepare_on_sqlite(path: &std::path::Path) -> (usize, Vec<String>) {
    let mut conn = SqliteConnection::connect(&format!("sqlite:{}", path.display())).await.unwrap();
    let (mut count, mut wrong) = (0, Vec::new());
    for it in sql_statements::load_statements().iter().filter(|it| it.is_for(Engine::Sqlite) && !it.lacks_rows()) {
        match conn.prepare(AssertSqlSafe(it.sql.clone()).into_sql_str()).await {
            Ok(_) => count += 1,
            Err(error) => wrong.push(format!("{}: {error}: {}", it.name, it.sql)),
        }
    }
    (count, wrong)
}

/// As [`prepare_on_sqlite`], on PostgreSQL.
async fn prepare_on_postgres(url: &str) -> (usize, Vec<String>) {
    let mut conn = PgConnection::connect(url).await.unwrap();
    let (mut count, mut wrong) = (0, Vec::new());
    for it in sql_statements::load_statements().iter().filter(|it| it.is_for(Engine::Postgres) && !it.lacks_rows()) {
        let prepare = format!("PREPARE statement{count}{} AS {}", it.postgres_parameters().0, it.sql);
        match sqlx::raw_sql(AssertSqlSafe(prepare)).execute(&mut conn).await {
            Ok(_) => count += 1,
            Err(error) => wrong.push(format!("{}: {error}: {}", it.name, it.sql)),
        }
    }
    (count, wrong)
}

on_both_engines! {
    async fn every_statement_can_be_prepared(bench: TestServer) {
        let (count, wrong) = match &bench.location {
            Location::Sqlite(path) => prepare_on_sqlite(path).await,
            Location::Postgres(url) => prepare_on_postgres(url).await,
        };
        assert!(wrong.is_empty(), "{wrong:#?}");
        assert!(count > 250, "only {count} statements were found");
    }

    /// Every combination of the conditions of a list of events, and one row more than a statement inserts.
    async fn every_assembled_statement_runs(bench: TestServer) {
        const KINDS: [&[&str]; 3] = [&[], &["key."], &["key.", "project.", "user."]];
        let maren = bench.create_user("maren@pelagic.example", false).await;
        let project = bench.project_of(&maren).await;
        let mut reader = bench.app.context.pool.acquire_reader().await.unwrap();
        for (bits, kinds) in (0..256_u32).flat_map(|bits| KINDS.map(|kinds| (bits, kinds))) {
            let has = |bit: u32| bits & (1 << bit) != 0;
            let text = |bit: u32, text: &str| has(bit).then(|| text.to_owned());
            let query = EventQuery {
                actor: text(0, "operator"),
                actor_name: text(1, "command"),
                target: text(2, "user:x"),
                target_name: text(3, "maren"),
                project: has(4).then(|| project.into()),
                kinds,
                from: has(5).then_some(0),
                to: has(6).then_some(i64::MAX),
                before: has(7).then_some(i64::MAX),
            };
            let found = store::audit::newest(&mut reader.conn(), &query, 1).await;
            assert!(found.is_ok(), "{query:?}: {found:?}");
        }
        drop(reader);
        insert_keys(&bench, &maren, project, ROWS + 1).await;
        assert_eq!(bench.query_number("SELECT COUNT(*) FROM keys").await, ROWS + 1);
    }
}
