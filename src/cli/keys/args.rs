//! Arguments of the `keyward keys` commands that name or filter keys. `fields` has those of `create` and `edit`.

use crate::{
    cli::list::FormatArgs,
    domain::{
        ids::KeyId,
        key::{Environment, Status},
    },
};
use clap::Args;

/// Filters of `list`.
#[derive(Args)]
pub struct ListArgs {
    /// Only keys of this project: its ID, or its name if it is unique
    #[arg(long)]
    pub project: Option<String>,
    /// Only keys with this status: active, scheduled, expired, inactive, or deleted [default: all except deleted]
    #[arg(long)]
    pub status: Option<Status>,
    /// Only keys of this environment: live or test
    #[arg(long)]
    pub environment: Option<Environment>,
    /// Only keys with this text in the name, the preview, issued to, or the description. Case is ignored
    #[arg(long)]
    pub text: Option<String>,
    /// Only keys that are issued to exactly this name
    #[arg(long)]
    pub issued_to: Option<String>,
    #[command(flatten)]
    pub format: FormatArgs,
}

/// Key of a command.
#[derive(Args)]
pub struct KeyArg {
    /// Key ID, as in: keyward keys list
    #[arg(value_parser = parse_key_id)]
    pub id: KeyId,
    /// Project ID. It is required with --url if the key for the server cannot read keys
    #[arg(long)]
    pub project: Option<String>,
    /// Print the key as a JSON object
    #[arg(long)]
    pub json: bool,
}

/// Parses a key ID, with an error that says where to find one.
fn parse_key_id(text: &str) -> Result<KeyId, &'static str> {
    text.parse().map_err(|_| "use a key ID as printed by: keyward keys list")
}
