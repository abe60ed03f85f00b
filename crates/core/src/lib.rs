//! Dependencies shared by all use cases of Keyward: context, errors, actors, and permissions.

#![forbid(unsafe_code)]
#![warn(clippy::unwrap_used, clippy::expect_used)]
#![warn(clippy::print_stderr, clippy::print_stdout)]

pub mod actor;
pub mod clock;
pub mod encryption_at_rest;
mod error;
mod error_table;
pub mod mail;
pub mod management_client;
pub mod permissions;
pub mod random;
pub mod reauthentication;
pub mod sweep;
pub mod time_format;

pub use error::{Error, InvalidField, read_list};
pub use error_table::{ErrorDescription, Kind};

use clock::Clock;
use keyward_domain::time::Timestamp;
use keyward_store::{Pool, write_queue::Queue};
use random::Random;
use std::{sync::Arc, time::Duration};
use uuid::Uuid;

/// Pause after each write of a task with many writes. A process that waits for the write lock of SQLite retries at
/// least every 100 ms.
const WRITE_PAUSE: Duration = Duration::from_millis(120);

/// Dependencies of every use case: the database, the clock, the random source, email, and the cost of password hashes.
#[derive(Clone)]
pub struct Context {
    pub pool: Pool,
    pub queue: Queue,
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn Random>,
    pub mail: Arc<dyn mail::Mailer>,
    /// Memory, iterations, and lanes of new password hashes (Argon2id). Tests use the minimum.
    pub password_cost: argon2::Params,
}

impl Context {
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Pauses between two writes of one task, so that other processes can write to the same SQLite file. Not needed
    /// within one process or on PostgreSQL, where writes take turns.
    pub async fn pause_writes(&self) {
        if matches!(self.pool, Pool::Sqlite { .. }) {
            tokio::time::sleep(WRITE_PAUSE).await;
        }
    }

    /// Generates a UUID version 7 (RFC 9562). UUIDs increase with time.
    pub fn new_id(&self) -> Uuid {
        let mut bytes = [0; 10];
        self.random.fill(&mut bytes);
        let millis = u64::try_from(self.now().micros() / 1_000).unwrap_or_default();
        uuid::Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid()
    }
}
