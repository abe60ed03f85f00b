//! `keyward audit …`: verification and export of the audit log.

use super::{
    database::{Database, terminal_error},
    output::{OutputError, print, print_line},
};
use crate::{
    config::DatabaseSettings,
    service::{
        actor::Actor,
        audit::{
            checkpoint::Checkpoint,
            export::{DateRange, export},
            jsonl_export,
            keys::{self, PublicKey},
            verify_chain::VerificationResult,
        },
        time_format::rfc3339,
    },
};
use anyhow::Context as _;
use clap::Subcommand;
use futures::TryStreamExt as _;
use std::{
    fs::File,
    io::BufReader,
    path::{Path, PathBuf},
};

#[derive(Subcommand)]
pub enum AuditCommand {
    /// Verify the hash chain and the checkpoints of the audit log. The exit code is 1 if they are inconsistent
    Verify {
        /// Verify this export instead of the database (- for standard input)
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
        /// Trust only this key: a file with the output of `keyward audit key`, or the x of its JWK [default: the key in the
        /// database or in the export]
        #[arg(long, value_name = "KEY")]
        public_key: Option<String>,
        /// File with checkpoints that were stored elsewhere, such as collected server output. The audit log must match them
        /// too
        #[arg(long, value_name = "FILE")]
        checkpoints: Option<PathBuf>,
    },
    /// Write the audit log to standard output, one JSON object per line, in the format that `verify --file` reads
    Export {
        /// First day, such as 2026-11-01, in UTC [default: the day of the first event]
        #[arg(long, value_name = "DAY", default_value = "", hide_default_value = true)]
        from: String,
        /// Last day, in UTC [default: today]. The export continues to the next checkpoint, so that all its events are signed
        #[arg(long, value_name = "DAY", default_value = "", hide_default_value = true)]
        to: String,
    },
    /// Print the public key that verifies checkpoints. Store a copy outside of the database
    Key {
        /// Print a JWK set instead of PEM
        #[arg(long)]
        jwk: bool,
    },
}

pub async fn run(database: &DatabaseSettings, command: AuditCommand) -> anyhow::Result<()> {
    match command {
        AuditCommand::Verify { file, public_key, checkpoints } => verify(database, file, public_key, checkpoints).await,
        AuditCommand::Export { from, to } => write_export(database, &from, &to).await,
        AuditCommand::Key { jwk } => print_key(database, jwk).await,
    }
}

async fn print_key(database: &DatabaseSettings, jwk: bool) -> anyhow::Result<()> {
    let opened = Database::open(database).await?;
    let found = keys::list_from_database(&opened.context).await;
    opened.close().await;
    let found = found.map_err(terminal_error)?;
    if found.is_empty() {
        anyhow::bail!("there is no key yet: start the server once to create it");
    }
    if jwk {
        let set: Vec<_> = found.iter().map(PublicKey::jwk).collect();
        return Ok(print_line!("{}", serde_json::json!({"keys": set}))?);
    }
    Ok(print(found.iter().map(PublicKey::pem).collect::<String>())?)
}

async fn write_export(database: &DatabaseSettings, from: &str, to: &str) -> anyhow::Result<()> {
    let opened = Database::open(database).await?;
    let days = DateRange { from, to, zone: &jiff::tz::TimeZone::UTC };
    let written = match export(&opened.context, &Actor::Operator, days).await.map_err(terminal_error) {
        Ok(pieces) => {
            let mut pieces = std::pin::pin!(pieces);
            async {
                while let Some(piece) = pieces.try_next().await.map_err(terminal_error)? {
                    print(piece)?;
                }
                Ok(())
            }
            .await
        }
        Err(error) => Err(error),
    };
    opened.close().await;
    written
}

/// Parses the given public key, or reads the file with this name.
fn load_public_key(key: &str) -> anyhow::Result<Vec<PublicKey>> {
    let path = Path::new(key);
    let text = if path.is_file() {
        std::fs::read_to_string(path).with_context(|| format!("the public key file {key} could not be read"))?
    } else {
        key.to_owned()
    };
    keys::parse(&text).with_context(|| {
        format!("{key} is neither a file nor a public key: use a file with the output of `keyward audit key`")
    })
}

async fn verify(
    database: &DatabaseSettings,
    file: Option<PathBuf>,
    public_key: Option<String>,
    checkpoints: Option<PathBuf>,
) -> anyhow::Result<()> {
    let pinned = public_key.as_deref().map(load_public_key).transpose()?;
    let is_pinned = pinned.is_some();
    let kept = match checkpoints {
        Some(path) => {
            let text = std::fs::read(&path).with_context(|| format!("{} could not be read", path.display()))?;
            let kept = Checkpoint::find_all(&String::from_utf8_lossy(&text));
            anyhow::ensure!(!kept.is_empty(), "there are no checkpoints in {}", path.display());
            kept
        }
        None => Vec::new(),
    };
    let (checked, whose) = match file {
        Some(path) if path.as_os_str() == "-" => {
            (jsonl_export::verify_file(std::io::stdin().lock(), pinned, kept)?.0, "export")
        }
        Some(path) => {
            let file = File::open(&path).with_context(|| format!("{} could not be read", path.display()))?;
            (jsonl_export::verify_file(BufReader::new(file), pinned, kept)?.0, "export")
        }
        None => {
            let opened = Database::open(database).await?;
            let checked = async {
                let trusted = match pinned {
                    Some(pinned) => pinned,
                    None => keys::list_from_database(&opened.context).await?,
                };
                crate::service::audit::verify_with(&opened.context, trusted, kept).await
            }
            .await;
            opened.close().await;
            (checked.map_err(terminal_error)?, "database")
        }
    };
    let printed = print_verification(&checked);
    // The verdict comes first: the exit code reports it even if nothing can be printed.
    if let Some(broken) = checked.inconsistency {
        anyhow::bail!("{broken}");
    }
    printed?;
    if !is_pinned && checked.signed.is_some() {
        print_line!(
            "The public key comes from the {whose} itself. For an independent check, store the key elsewhere and use --public-key."
        )?;
    }
    Ok(())
}

fn event_count(n: i64) -> String {
    if n == 1 { "1 event".to_owned() } else { format!("{n} events") }
}

/// Prints the result of the verification: the checked range and the part that is signed.
fn print_verification(checked: &VerificationResult) -> Result<(), OutputError> {
    let VerificationResult { first, last, .. } = checked;
    match checked.events() {
        0 => print_line!("No events."),
        n => print_line!("{}, {first} to {last}: the hash chain is intact.", event_count(n)),
    }?;
    match &checked.signed {
        Some(signed) => {
            print_line!(
                "Signed: events {first} to {}, by the checkpoint from {} with the key {} (valid checkpoints: {}).",
                signed.seq,
                rfc3339(signed.at),
                signed.kid,
                checked.checkpoints,
            )?;
        }
        None => print_line!("Signed: none. There are no checkpoints.")?,
    }
    if checked.unsigned() > 0 {
        let since = checked.signed.as_ref().map_or(String::new(), |it| format!(" after event {}", it.seq));
        print_line!(
            "Not signed: {}{since}. A running server signs events within 1 minute. If these events are older, checkpoints may \
             have been removed: compare the log with the checkpoints that the servers printed (--checkpoints).",
            event_count(checked.unsigned()),
        )?;
    }
    Ok(())
}
