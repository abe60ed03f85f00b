//! `keyward admin rotate-token-key`: rotation of the token signing key.

use crate::{
    cli::{
        database::{Database, terminal_error},
        output::{print_change_line, print_note},
    },
    config::{DatabaseSettings, exposure, key_file},
    service::{
        actor::Actor,
        signer::{self, Keyring},
        time_format, tokens,
    },
};
use anyhow::anyhow;
use std::path::PathBuf;

/// Publishes the next signing key and prints its start time. `compromised`: the key signs at once, because the other
/// keys may be known to an attacker.
pub async fn rotate(database: &DatabaseSettings, file: Option<&PathBuf>, compromised: bool) -> anyhow::Result<()> {
    let file = key_file(&database.database, file).map_err(|e| anyhow!(e))?;
    let sealing = signer::load_existing_key_file(&file.path)?;
    if let Some(warning) = exposure("the key file", &file.path) {
        print_note(format_args!("keyward: warning: {warning}"));
    }
    let opened = Database::open(database).await?;
    // The file must be the one of the servers: they cannot decrypt a key that was encrypted with another file.
    let published = match Keyring::open(&opened.context, &file).await {
        Ok(_) if compromised => {
            tokens::replace(&opened.context, &sealing, &Actor::Operator).await.map_err(terminal_error)
        }
        Ok(_) => tokens::rotate(&opened.context, &sealing, &Actor::Operator, None).await.map_err(terminal_error),
        Err(error) => Err(error.into()),
    };
    opened.finish().await;
    let published = published?;
    if compromised {
        return print_change_line!(
            "The signing key {} signs tokens from now on. All tokens that were issued before are rejected: within 1 second by \
             servers that receive the change, within 1 minute by other servers, and within 5 minutes by verifiers that cache \
             the key set. If an attacker can still read the key file or the database, block that access and run this command \
             again.",
            published.kid
        );
    }
    print_change_line!(
        "Published the signing key {}. Every server publishes it within 1 minute and signs with it from {}.",
        published.kid,
        time_format::rfc3339(published.from)
    )
}
