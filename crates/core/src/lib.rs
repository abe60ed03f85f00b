//! What every use case of Keyward depends on: the context, errors, actors, permissions.

#![forbid(unsafe_code)]
#![warn(clippy::unwrap_used, clippy::expect_used)]
#![warn(clippy::print_stderr, clippy::print_stdout)]

pub mod actor;
pub mod can;
pub mod clock;
mod error;
pub mod mail;
pub mod moments;
pub mod program;
pub mod random;
pub mod reauthentication;
pub mod sealing;
pub mod sweep;

pub use error::{Error, Field, read_list};

use clock::Clock;
use keyward_domain::time::Timestamp;
use keyward_store::{Pool, queue::Queue};
use random::Random;
use std::{sync::Arc, time::Duration};
use uuid::Uuid;

/// How long a task with many writes pauses after each. A process that waits for the write lock of SQLite tries again every 100 ms at the
/// slowest.
const WRITE_PAUSE: Duration = Duration::from_millis(120);

/// The dependencies of every use case: the database, the clock, the random source, mail, the cost of password hashes.
#[derive(Clone)]
pub struct Ground {
    pub pool: Pool,
    pub queue: Queue,
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn Random>,
    pub mail: Arc<dyn mail::Mailer>,
    /// Memory, iterations and lanes of new password hashes (Argon2id). Tests use the least.
    pub password_cost: argon2::Params,
}

impl Ground {
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Pauses between two writes of one task, so that other processes on the same SQLite file can write. Within a process, and on
    /// PostgreSQL, writes take turns without it.
    pub async fn pause_writes(&self) {
        if matches!(self.pool, Pool::Sqlite { .. }) {
            tokio::time::sleep(WRITE_PAUSE).await;
        }
    }

    /// A new UUID, version 7 (RFC 9562): later ones are greater.
    pub fn new_id(&self) -> Uuid {
        let mut bytes = [0; 10];
        self.random.fill(&mut bytes);
        let millis = u64::try_from(self.now().micros() / 1_000).unwrap_or_default();
        uuid::Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid()
    }
}
