//! `keyward migrate`, and the schemas that each command accepts: the current one, an older one, a newer one, and none.

use super::cli::{PASSWORD, err, keyward, out, run};
use crate::support::{
    Engine, database, database_url, empty_database,
    node::{self, Node},
};
use keyward::store::Location;
use sqlx::{
    AssertSqlSafe, Connection as _, PgConnection, SqliteConnection,
    migrate::{Migrate as _, Migrator},
};
use std::path::Path;
use tempfile::TempDir;

/// Commands that need a database with the schema of this release.
const COMMANDS: [&[&str]; 8] = [
    &["admin", "list-users"],
    &["admin", "enable-user", "--email", "maren@pelagic.example"],
    &["audit", "verify"],
    &["audit", "export"],
    &["audit", "key"],
    &["keys", "list"],
    &["projects", "list"],
    &["bench-create", "--seconds", "0"],
];

/// Commands that create a database. They do not update an existing one.
const CREATING: [&[&str]; 2] =
    [&["admin", "create-user", "--email", "maren@pelagic.example", "--password-stdin"], &["demo", "--keys", "1"]];

/// The version of a migration that this release does not have.
const LATER: i64 = 99_991_231_000_000;

/// Reads the migrations of an engine, oldest first: version and description.
async fn migrations(engine: Engine) -> (Migrator, Vec<(i64, String)>) {
    let folder = match engine {
        Engine::Sqlite => "migrations/sqlite",
        Engine::Postgres => "migrations/postgres",
    };
    let migrator = Migrator::new(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).await.expect("migrations");
    let listed = migrator.iter().map(|it| (it.version, it.description.to_string())).collect();
    (migrator, listed)
}

/// Creates a database that lacks the last migrations.
async fn older_database(engine: Engine, folder: &TempDir, missing: usize) -> Location {
    let (migrator, listed) = migrations(engine).await;
    let newest = Some(listed[listed.len() - 1 - missing].0);
    let location = empty_database(engine, folder).await;
    match &location {
        Location::Sqlite(path) => {
            std::fs::File::create(path).unwrap();
            let mut conn = SqliteConnection::connect(&database_url(&location)).await.unwrap();
            migrator.run_direct(newest, &mut conn, false).await.unwrap();
            conn.close().await.unwrap();
        }
        Location::Postgres(url) => {
            let mut conn = PgConnection::connect(url).await.unwrap();
            migrator.run_direct(newest, &mut conn, false).await.unwrap();
        }
    }
    location
}

async fn execute(location: &Location, sql: String) {
    let sql = AssertSqlSafe(sql);
    match location {
        Location::Sqlite(_) => {
            let mut conn = SqliteConnection::connect(&database_url(location)).await.unwrap();
            sqlx::raw_sql(sql).execute(&mut conn).await.unwrap();
            conn.close().await.unwrap();
        }
        Location::Postgres(url) => {
            let mut conn = PgConnection::connect(url).await.unwrap();
            sqlx::raw_sql(sql).execute(&mut conn).await.unwrap();
        }
    }
}

/// Returns the number of migrations in a database.
async fn count(location: &Location) -> usize {
    const SQL: &str = "SELECT COUNT(*) FROM _sqlx_migrations";
    let count: i64 = match location {
        Location::Sqlite(_) => {
            let mut conn = SqliteConnection::connect(&database_url(location)).await.unwrap();
            sqlx::query_scalar(SQL).fetch_one(&mut conn).await.unwrap()
        }
        Location::Postgres(url) => {
            let mut conn = PgConnection::connect(url).await.unwrap();
            sqlx::query_scalar(SQL).fetch_one(&mut conn).await.unwrap()
        }
    };
    usize::try_from(count).unwrap()
}

/// A database and the folder in which commands run on it.
struct Stage {
    folder: TempDir,
    url: String,
}

impl Stage {
    /// Returns the error of a command that fails.
    fn fails(&self, command: &[&str]) -> String {
        let command = [&["--database-url", &self.url], command].concat();
        let output = run(self.folder.path(), &command, PASSWORD);
        let message = err(&output);
        assert_eq!(output.status.code(), Some(1), "{command:?}: {message}");
        message
    }

    /// Returns the output of a command that succeeds.
    fn succeeds(&self, command: &[&str]) -> String {
        out(&run(self.folder.path(), &[&["--database-url", &self.url], command].concat(), PASSWORD))
    }

    /// Returns the options of a server. On PostgreSQL, creates the key file that they name.
    fn server_options(&self, engine: Engine) -> &'static [&'static str] {
        match engine {
            Engine::Sqlite => &[],
            Engine::Postgres => {
                out(&keyward(self.folder.path(), &["admin", "create-key-file", "keyward.key"]));
                &["--key-file", "keyward.key"]
            }
        }
    }
}

async fn check_older(engine: Engine) {
    let folder = tempfile::tempdir().unwrap();
    let location = older_database(engine, &folder, 2).await;
    let stage = Stage { folder, url: database_url(&location) };
    let (_, listed) = migrations(engine).await;
    let [.., (before, _), first, last] = listed.as_slice() else { panic!("at least three migrations") };
    for command in COMMANDS.iter().chain(&CREATING) {
        let message = stage.fails(command);
        let words = format!("it is at version {before}, and version {} is required", last.0);
        assert!(message.contains("the schema is older than this program") && message.contains(&words), "{message}");
        assert!(message.ends_with("run: keyward migrate\n"), "{message}");
    }
    assert_eq!(count(&location).await, listed.len() - 2, "nothing was migrated");
    let expected = format!(
        "Applied {} ({}).\nApplied {} ({}).\nThe database is at version {}.\n",
        first.0, first.1, last.0, last.1, last.0
    );
    assert_eq!(stage.succeeds(&["migrate"]), expected);
    assert_eq!(stage.succeeds(&["migrate"]), format!("The database is at version {}; nothing to do.\n", last.0));
    assert_eq!(stage.succeeds(&["keys", "list"]), "");
    assert!(stage.succeeds(CREATING[0]).contains("Created the user"));
}

async fn check_server(engine: Engine) {
    let folder = tempfile::tempdir().unwrap();
    let location = older_database(engine, &folder, 1).await;
    let stage = Stage { folder, url: database_url(&location) };
    let options = stage.server_options(engine);
    drop(Node::start(stage.folder.path(), &stage.url, options));
    assert_eq!(count(&location).await, migrations(engine).await.1.len(), "the server migrates");
    assert_eq!(node::command(stage.folder.path(), &stage.url, &["keys", "list"]), Ok(String::new()));
}

async fn check_newer(engine: Engine) {
    let folder = tempfile::tempdir().unwrap();
    let location = database(engine, &folder).await;
    let checksum = if engine == Engine::Sqlite { "x'00'" } else { r"'\x00'" };
    let insert = format!(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         VALUES ({LATER}, 'later', TRUE, {checksum}, 0)"
    );
    execute(&location, insert).await;
    let stage = Stage { folder, url: database_url(&location) };
    let serve = [&["serve", "--listen", "127.0.0.1:0"], stage.server_options(engine)].concat();
    let later = format!("it contains version {LATER}");
    for command in COMMANDS.iter().chain(&CREATING).copied().chain([&["migrate"][..], &serve]) {
        let message = stage.fails(command);
        let is_explained = message.contains("the schema is newer than this program") && message.contains(&later);
        assert!(is_explained && message.contains("or a later one"), "{command:?}: {message}");
    }
    assert_eq!(count(&location).await, migrations(engine).await.1.len() + 1);
}

async fn check_missing(engine: Engine) {
    let folder = tempfile::tempdir().unwrap();
    let location = empty_database(engine, &folder).await;
    let stage = Stage { folder, url: database_url(&location) };
    let words = match engine {
        Engine::Sqlite => "there is no database at",
        Engine::Postgres => "there is no Keyward schema in the database",
    };
    for command in COMMANDS {
        assert!(stage.fails(command).contains(words), "{command:?}");
    }
    if engine == Engine::Sqlite {
        assert!(stage.fails(&["migrate"]).contains(words));
        assert!(!stage.folder.path().join("keyward.db").exists(), "no command creates it");
        // The file of another program.
        std::fs::File::create(stage.folder.path().join("keyward.db")).unwrap();
        execute(&location, "CREATE TABLE notes (text TEXT)".to_owned()).await;
        for command in COMMANDS {
            assert!(stage.fails(command).contains("there is no Keyward schema in the database"), "{command:?}");
        }
    }
    let (_, listed) = migrations(engine).await;
    let created = stage.succeeds(&["migrate"]);
    assert_eq!(created.matches("Applied ").count(), listed.len(), "{created}");
    assert_eq!(count(&location).await, listed.len());
    assert_eq!(stage.succeeds(&["projects", "list"]), "");
}

async fn check_creating(engine: Engine) {
    for (command, words) in CREATING.into_iter().zip(["Created the user", "Created 4 users"]) {
        let folder = tempfile::tempdir().unwrap();
        let location = empty_database(engine, &folder).await;
        let stage = Stage { folder, url: database_url(&location) };
        let printed = stage.succeeds(command);
        assert!(printed.contains(words), "{printed}");
        assert_eq!(count(&location).await, migrations(engine).await.1.len());
    }
}

/// Generates a test of each check for one engine.
macro_rules! checks {
    ($module:ident, $engine:expr) => {
        mod $module {
            use super::*;

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn an_older_schema_is_updated_only_on_request() {
                check_older($engine).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn a_server_updates_an_older_schema() {
                check_server($engine).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn a_newer_schema_is_refused() {
                check_newer($engine).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn a_missing_schema_is_created_only_on_request() {
                check_missing($engine).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn commands_that_fill_a_database_create_it() {
                check_creating($engine).await;
            }
        }
    };
}

checks!(sqlite, Engine::Sqlite);
checks!(postgres, Engine::Postgres);

/// While another session holds the migration lock, `keyward migrate` waits as a server does, and other commands do not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_migrate_takes_the_lock_of_the_servers() {
    let folder = tempfile::tempdir().unwrap();
    let Location::Postgres(url) = database(Engine::Postgres, &folder).await else { unreachable!("it was asked for") };
    let mut other = PgConnection::connect(&url).await.unwrap();
    other.lock().await.unwrap();
    // A shorter timeout than the default of one minute.
    let stage = Stage { folder, url: format!("{url}?options=-c%20lock_timeout%3D500ms") };
    let message = stage.fails(&["migrate"]);
    assert!(message.contains("another session has held the migration lock"), "{message}");
    assert_eq!(stage.succeeds(&["keys", "list"]), "");
    other.unlock().await.unwrap();
    assert!(stage.succeeds(&["migrate"]).ends_with("; nothing to do.\n"));
}
