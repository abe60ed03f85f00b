//! Test databases: copies of one migrated template for each engine.
//!
//! The template persists between runs: a file in Cargo's folder for test data, and a template database on the
//! PostgreSQL server. Its name contains a hash of all migrations, so a new migration creates a new template. A service
//! that opens a copy still runs its own migrations, which makes no changes.

use super::{Engine, random};
use keyward::store::{Location, Pool};
use sha2::{Digest as _, Sha256};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, postgres::PgConnectOptions};
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use uuid::Uuid;

/// Key of the advisory lock: one process at a time creates a template on a server.
const ADVISORY_LOCK: i64 = 0x006b_6579_7761_7264;

/// Creates a database with the current schema and no other data.
pub async fn database(engine: Engine, folder: &TempDir) -> Location {
    match engine {
        Engine::Sqlite => {
            let path = folder.path().join("keyward.db");
            std::fs::copy(sqlite_template().await, &path).expect("the template can be copied");
            Location::Sqlite(path)
        }
        Engine::Postgres => {
            let mut admin = connect().await;
            let template = postgres_template(&mut admin).await;
            let name = format!("keyward_{}", Uuid::from_bytes(random()).simple());
            execute(&mut admin, format!("CREATE DATABASE {name} TEMPLATE {template}")).await;
            Location::Postgres(url(&name))
        }
    }
}

/// Returns the location of a new database without a schema. On SQLite, the file does not exist.
pub async fn empty_database(engine: Engine, folder: &TempDir) -> Location {
    match engine {
        Engine::Sqlite => Location::Sqlite(folder.path().join("keyward.db")),
        Engine::Postgres => {
            let name = format!("keyward_{}", Uuid::from_bytes(random()).simple());
            execute(&mut connect().await, format!("CREATE DATABASE {name}")).await;
            Location::Postgres(url(&name))
        }
    }
}

/// Returns the value of `--database-url` for a location.
pub fn database_url(location: &Location) -> String {
    match location {
        Location::Sqlite(path) => format!("sqlite:{}", path.display()),
        Location::Postgres(url) => url.clone(),
    }
}

/// Returns the path of the migrated file. Processes that create it at the same time create identical files; the last
/// rename wins.
async fn sqlite_template() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let path = folder.join(format!("template-{}.db", migrations("sqlite")));
    if !path.exists() {
        std::fs::create_dir_all(folder).expect("a folder");
        let fresh = tempfile::tempdir_in(folder).expect("a folder");
        let made = fresh.path().join("keyward.db");
        let pool = Pool::open(&Location::Sqlite(made.clone())).await.expect("the migrations run");
        // Closing the last connection merges the write-ahead log into the file: the file alone is the database.
        pool.close().await;
        assert!(!made.with_extension("db-wal").exists(), "the write-ahead log is still there");
        std::fs::rename(&made, &path).expect("the template can be kept");
    }
    path
}

/// Returns the name of the migrated database. `datistemplate` is set last, so an interrupted run leaves no template
/// that is used.
async fn postgres_template(admin: &mut PgConnection) -> String {
    let name = format!("keyward_template_{}", migrations("postgres"));
    if !is_template(admin, &name).await {
        sqlx::query("SELECT pg_advisory_lock($1)").bind(ADVISORY_LOCK).execute(&mut *admin).await.expect("a lock");
        if !is_template(admin, &name).await {
            execute(admin, format!("DROP DATABASE IF EXISTS {name}")).await;
            execute(admin, format!("CREATE DATABASE {name}")).await;
            Pool::open(&Location::Postgres(url(&name))).await.expect("the migrations run").close().await;
            execute(admin, format!("ALTER DATABASE {name} WITH IS_TEMPLATE true ALLOW_CONNECTIONS false")).await;
        }
        sqlx::query("SELECT pg_advisory_unlock($1)").bind(ADVISORY_LOCK).execute(admin).await.expect("unlocked");
    }
    name
}

async fn is_template(admin: &mut PgConnection, name: &str) -> bool {
    sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM pg_database WHERE datname = $1 AND datistemplate)")
        .bind(name)
        .fetch_one(admin)
        .await
        .expect("the catalogue can be read")
}

async fn connect() -> PgConnection {
    assert!(
        std::env::var_os("PGHOST").is_some(),
        "no PostgreSQL: run `make test-rust`, or only the SQLite tests with `cargo nextest run -E 'not test(postgres)'`"
    );
    PgConnection::connect_with(&PgConnectOptions::new()).await.expect("PostgreSQL answers")
}

async fn execute(admin: &mut PgConnection, sql: String) {
    sqlx::query(AssertSqlSafe(sql.clone())).execute(admin).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
}

fn url(database: &str) -> String {
    let var = |name: &str, default: &str| std::env::var(name).unwrap_or_else(|_| default.to_owned());
    format!(
        "postgres://{}:{}@{}:{}/{database}",
        var("PGUSER", "postgres"),
        var("PGPASSWORD", ""),
        var("PGHOST", "localhost"),
        var("PGPORT", "5432"),
    )
}

/// Returns a short hash over the names and contents of an engine's migrations.
fn migrations(engine: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(engine);
    let mut files: Vec<_> =
        folder.read_dir().expect("the migrations").map(|file| file.expect("a file").path()).collect();
    files.sort_unstable();
    let mut hash = Sha256::new();
    for file in files {
        hash.update(file.file_name().expect("a name").as_encoded_bytes());
        hash.update(std::fs::read(&file).expect("a migration"));
    }
    hex::encode(&hash.finalize()[..8])
}
