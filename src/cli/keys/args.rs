//! Arguments of the `keyward keys` commands.

use crate::domain::{
    ids::KeyId,
    key::{Environment, Status},
};
use clap::Args;

/// Arguments of `create`.
#[derive(Args)]
pub struct CreateArgs {
    /// Project ID, or name if it is unique [default with --url: the project of the key for the server]
    #[arg(long)]
    pub project: Option<String>,
    /// Name, 1 to 100 characters
    #[arg(long)]
    pub name: String,
    /// Expiry: a number of days such as 90d, a date such as 2027-02-18 (the end of the day in UTC), or never
    /// [default: 90d, or the maximum key lifetime if it is shorter]
    #[arg(long)]
    pub expires: Option<String>,
    /// live or test [default: live; with --url: the environment of the key for the server]
    #[arg(long)]
    pub environment: Option<Environment>,
    /// Scope that the project offers. This option can be repeated
    #[arg(long = "scope", value_name = "SCOPE")]
    pub scopes: Vec<String>,
    /// Person or system that uses the key
    #[arg(long, default_value = "", hide_default_value = true)]
    pub issued_to: String,
    /// Allowed network, such as 203.0.113.0/24. This option can be repeated [default: all networks]
    #[arg(long = "network", value_name = "CIDR")]
    pub networks: Vec<String>,
    /// Time before which the key is rejected, in RFC 3339, such as 2026-12-01T09:00Z. Without an offset it is in UTC
    #[arg(long, value_name = "TIME", default_value = "", hide_default_value = true)]
    pub not_before: String,
    /// Rate limit per second, minute, hour, or day, such as 100/minute or 100/minute,burst=20
    #[arg(long, value_name = "LIMIT", default_value = "", hide_default_value = true)]
    pub rate: String,
    /// Idempotency key for --url: a repeated request with the same text does not create a second key
    #[arg(long, value_name = "TEXT")]
    pub idempotency_key: Option<String>,
    /// Print a JSON object
    #[arg(long)]
    pub json: bool,
}

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
    /// Only keys with this text in the name, the preview, or issued to. Case is ignored
    #[arg(long)]
    pub text: Option<String>,
    /// Only keys that are issued to exactly this name
    #[arg(long)]
    pub issued_to: Option<String>,
    /// Print a JSON array
    #[arg(long)]
    pub json: bool,
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
