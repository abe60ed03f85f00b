//! Opening the database for a command.

use crate::{
    config::DatabaseSettings,
    service::{Ground, clock::SystemClock, mail::NoMail, random::SystemRandom},
    store::{Location, Pool, queue::Queue},
};
use anyhow::Context as _;
use std::{sync::Arc, time::Duration};
use tokio::task::JoinHandle;

/// In what time a server on the same database has heard of a change: it looks ten times a second, or is notified.
const HEARD: Duration = Duration::from_millis(400);

/// The database, its write queue, and the queue's task, which ends when everything else has let go.
pub struct Opened {
    pub ground: Ground,
    queue: JoinHandle<()>,
}

impl Opened {
    /// Opens the database. `make`: a missing SQLite file is made; otherwise it is an error that says so.
    ///
    /// # Errors
    /// A sentence that names the database.
    pub async fn open(settings: &DatabaseSettings, make: bool) -> anyhow::Result<Self> {
        if let Location::Sqlite(path) = &settings.database {
            // A file without a byte is none: the server refuses it beside a key file, and must not find one that a command made.
            if !make && std::fs::metadata(path).map_or(true, |file| file.is_file() && file.len() == 0) {
                anyhow::bail!(
                    "there is no database at {}; name it with --database-url (KEYWARD_DATABASE_URL), or start the server first",
                    path.display()
                );
            }
            if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
                std::fs::create_dir_all(folder).with_context(|| {
                    format!("the folder {} of the database {} could not be made", folder.display(), path.display())
                })?;
            }
        }
        let pool = Pool::open(&settings.database)
            .await
            .with_context(|| format!("the database {} could not be opened", settings.database))?;
        let (queue, task) = Queue::start(pool.clone());
        let ground = Ground {
            pool,
            queue,
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
            mail: Arc::new(NoMail),
            password_cost: argon2::Params::DEFAULT,
        };
        Ok(Self { ground, queue: task })
    }

    /// Ends a command: if it changed something, it waits until a server beside it has heard of that, so that what was said to hold holds
    /// when the command has ended. Then as [`Opened::close`].
    pub async fn done(self) {
        let changed = *self.ground.queue.head().borrow() > 0;
        if changed {
            tokio::time::sleep(HEARD).await;
        }
        self.close().await;
    }

    /// Waits until all that was written is kept, and closes the database. Every other copy of the ground must be gone.
    pub async fn close(self) {
        let Ground { pool, queue, .. } = self.ground;
        drop(queue);
        // A task of the server that still holds the queue must not keep the process from ending.
        if tokio::time::timeout(Duration::from_secs(5), self.queue).await.is_err() {
            tracing::warn!("store.not_closed: the write queue is still in use");
        }
        pool.close().await;
    }
}

/// What a use case refused, in words for a terminal.
pub fn words(error: crate::service::Error) -> anyhow::Error {
    use crate::service::Error;
    match error {
        Error::NotFound => anyhow::anyhow!("there is no such thing; see the list"),
        Error::Invalid(fields) => {
            let fields: Vec<_> = fields.into_iter().map(|f| format!("{}: {}", f.name, f.message)).collect();
            anyhow::anyhow!("{}", fields.join("\n  "))
        }
        Error::Stopped { reason } => anyhow::anyhow!("{}", Error::stopped(&reason)),
        Error::Conflict(why) | Error::Forbidden(why) => anyhow::anyhow!("{why}"),
        other => other.into(),
    }
}
