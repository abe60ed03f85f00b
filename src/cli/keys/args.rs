//! Arguments of the `keyward keys` commands.

use crate::domain::{
    ids::KeyId,
    key::{Environment, Status},
};
use clap::Args;

/// Arguments of `create`.
#[derive(Args)]
pub struct CreateArgs {
    /// The project's id, or its name if only one project has it; with --url that of the key
    #[arg(long)]
    pub project: Option<String>,
    /// A label, 1 to 100 characters
    #[arg(long)]
    pub name: String,
    /// When it ends: a number of days such as 90d, a date such as 2027-02-18 (its end in UTC), or never
    /// [default: 90d, or as long as it may]
    #[arg(long)]
    pub expires: Option<String>,
    /// live or test [default: live; with --url that of the key]
    #[arg(long)]
    pub environment: Option<Environment>,
    /// A scope that the project offers; may be given several times
    #[arg(long = "scope", value_name = "SCOPE")]
    pub scopes: Vec<String>,
    /// Whom it is for
    #[arg(long, default_value = "")]
    pub issued_to: String,
    /// A network from which it may be used, such as 203.0.113.0/24; may be given several times. None: from anywhere
    #[arg(long = "network", value_name = "CIDR")]
    pub networks: Vec<String>,
    /// From when it works, in RFC 3339, such as 2026-12-01T09:00Z; without an offset in UTC
    #[arg(long, value_name = "TIME", default_value = "", hide_default_value = true)]
    pub not_before: String,
    /// How often it may be used: 100/minute, or 100/minute,burst=20; a second, minute, hour or day
    #[arg(long, value_name = "LIMIT", default_value = "", hide_default_value = true)]
    pub rate: String,
    /// With --url: sent again with the same text it makes no second key
    #[arg(long, value_name = "TEXT")]
    pub idempotency_key: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Filters of `list`.
#[derive(Args)]
pub struct ListArgs {
    /// Of this project alone: its id, or its name
    #[arg(long)]
    pub project: Option<String>,
    /// active, scheduled, expired, inactive or deleted; without it, whatever is not deleted
    #[arg(long)]
    pub status: Option<Status>,
    /// live or test
    #[arg(long)]
    pub environment: Option<Environment>,
    /// In the name, the preview or whom it was issued to, in any case of letters
    #[arg(long)]
    pub text: Option<String>,
    /// Issued to just this name
    #[arg(long)]
    pub issued_to: Option<String>,
    /// Print one JSON array
    #[arg(long)]
    pub json: bool,
}

/// Key of a command.
#[derive(Args)]
pub struct KeyArg {
    /// The key's id, as the list prints it
    pub id: KeyId,
    /// With --url, for a key that may not read keys: the id of its project
    #[arg(long)]
    pub project: Option<String>,
    /// Print the key as one JSON object
    #[arg(long)]
    pub json: bool,
}
