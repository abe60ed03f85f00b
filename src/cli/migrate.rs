//! `keyward migrate`: applies the pending migrations of the database without starting a server.

use super::{
    database::{open_error, require_file},
    output::{print_change, print_line},
};
use crate::{config::DatabaseSettings, store};
use anyhow::Context as _;

pub async fn run(database: &DatabaseSettings) -> anyhow::Result<()> {
    require_file(&database.database)?;
    let update = store::migrate(&database.database).await.with_context(|| open_error(&database.database))?;
    let version = update.version;
    if update.applied.is_empty() {
        return Ok(print_line!("The database is at version {version}; nothing to do.")?);
    }
    let applied = update.applied.iter().map(|(version, description)| format!("Applied {version} ({description}).\n"));
    print_change(applied.chain([format!("The database is at version {version}.\n")]).collect::<String>())
}
