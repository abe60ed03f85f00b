//! PostgreSQL: when one machine is not enough.

use super::{Error, Pool};
use sqlx::{
    ConnectOptions,
    migrate::Migrator,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use std::{str::FromStr, time::Duration};

pub(super) static MIGRATIONS: Migrator = sqlx::migrate!("migrations/postgres");

pub(super) async fn open(url: &str) -> Result<Pool, Error> {
    let options = PgConnectOptions::from_str(url)?.application_name("keyward").disable_statement_logging();
    let pool =
        PgPoolOptions::new().max_connections(10).acquire_timeout(Duration::from_secs(10)).connect_with(options).await?;
    // Nodes that start at once take turns: sqlx holds an advisory lock while it migrates.
    MIGRATIONS.run(&pool).await?;
    Ok(Pool::Postgres(pool))
}
