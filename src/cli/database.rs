//! Database access of the commands.

use crate::{
    config::DatabaseSettings,
    service::{Context, clock::SystemClock, mail::NoMail, random::SystemRandom},
    store::{Location, Pool, SchemaMode, write_queue::Queue},
};
use anyhow::Context as _;
use std::{sync::Arc, time::Duration};
use tokio::task::JoinHandle;

/// Time in which a server on the same database receives a change: it polls ten times per second or is notified.
const PROPAGATION_DELAY: Duration = Duration::from_millis(400);

/// The database, its write queue, and the queue's task. The task ends when all other users of the queue are gone.
pub struct Database {
    pub context: Context,
    queue: JoinHandle<()>,
}

/// Checks that the file of a SQLite database exists. An empty file counts as missing: the server refuses one beside a
/// key file, so a command must not create it.
///
/// # Errors
/// A message that names the file and the remedy.
pub fn require_file(location: &Location) -> anyhow::Result<()> {
    if let Location::Sqlite(path) = location
        && std::fs::metadata(path).map_or(true, |file| file.is_file() && file.len() == 0)
    {
        anyhow::bail!(
            "there is no database at {}: set --database-url (KEYWARD_DATABASE_URL), or start the server first",
            path.display()
        );
    }
    Ok(())
}

/// Returns the message for a database that cannot be opened.
pub fn open_error(location: &Location) -> String {
    format!("the database {location} could not be opened")
}

impl Database {
    /// Opens an existing database, which has the schema of this program.
    ///
    /// # Errors
    /// A message that names the database, and what to do if its schema is older or newer.
    pub async fn open(settings: &DatabaseSettings) -> anyhow::Result<Self> {
        Self::open_with(settings, SchemaMode::Require).await
    }

    /// Opens the database. A missing SQLite file is created, unless the mode requires a schema.
    ///
    /// # Errors
    /// A message that names the database.
    pub async fn open_with(settings: &DatabaseSettings, mode: SchemaMode) -> anyhow::Result<Self> {
        if mode == SchemaMode::Require {
            require_file(&settings.database)?;
        } else if let Location::Sqlite(path) = &settings.database
            && let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty())
        {
            std::fs::create_dir_all(folder).with_context(|| {
                format!("the folder {} of the database {} could not be created", folder.display(), path.display())
            })?;
        }
        let pool = Pool::open_with(&settings.database, mode).await.with_context(|| open_error(&settings.database))?;
        let (queue, task) = Queue::start(pool.clone());
        let context = Context {
            pool,
            queue,
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
            mail: Arc::new(NoMail),
            password_cost: argon2::Params::DEFAULT,
        };
        Ok(Self { context, queue: task })
    }

    /// Ends a command. After a change it waits until a running server has received the change, so that the printed
    /// result is in effect when the command ends. Then closes the database as [`Database::close`] does.
    pub async fn finish(self) {
        let changed = *self.context.queue.head().borrow() > 0;
        if changed {
            tokio::time::sleep(PROPAGATION_DELAY).await;
        }
        self.close().await;
    }

    /// Waits until all writes are committed and closes the database. All other clones of [`Context`] must be dropped
    /// first.
    pub async fn close(self) {
        let Context { pool, queue, .. } = self.context;
        drop(queue);
        // A server task that still holds the queue must not prevent the process from ending.
        if tokio::time::timeout(Duration::from_secs(5), self.queue).await.is_err() {
            tracing::warn!("store.not_closed: the write queue is still in use");
        }
        pool.close().await;
    }
}

/// Converts an error of a use case into a message for a terminal.
pub fn terminal_error(error: crate::service::Error) -> anyhow::Error {
    use crate::service::Error;
    match error {
        Error::NotFound => anyhow::anyhow!(
            "not found: check the ID, name, or email address with: keyward keys list, projects list, or admin list-users"
        ),
        Error::Invalid(fields) => {
            let fields: Vec<_> = fields.into_iter().map(|f| format!("{}: {}", f.name, f.message)).collect();
            anyhow::anyhow!("{}", fields.join("\n  "))
        }
        refused @ (Error::Stopped { .. } | Error::Conflict(_) | Error::Forbidden(_)) => {
            anyhow::anyhow!("{}", refused.describe().for_users)
        }
        other => other.into(),
    }
}
