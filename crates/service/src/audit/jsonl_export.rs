//! JSON Lines export of the audit log: a header, then events. A checkpoint follows the event that it signs.
//!
//! The line of an event contains the input of its hash, and both hashes in hexadecimal. `detail` is a string of JSON,
//! exactly as it was hashed. Field names are those of the database columns.

use super::{
    checkpoint::Checkpoint,
    keys::{self, PublicKey},
    verify_chain::{ChainVerifier, VerificationResult},
};
use keyward_store::audit::EventRow;
use serde::{Deserialize, Serialize};
use std::io::BufRead;
use uuid::Uuid;

/// Value of `format` in the header.
const FORMAT: &str = "keyward-audit";
const VERSION: u32 = 1;

/// Line of the file.
#[derive(Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Line {
    Header(Header),
    Event(Box<Event>),
    Checkpoint { seq: i64, token: String },
}

impl Line {
    /// Returns the line with a line break.
    #[expect(clippy::expect_used, reason = "strings and numbers can be written as JSON")]
    pub fn write(&self) -> String {
        let mut line = serde_json::to_string(self).expect("JSON");
        line.push('\n');
        line
    }
}

/// First line of the file.
#[derive(Serialize, Deserialize)]
pub struct Header {
    format: String,
    version: u32,
    /// RFC 3339 timestamp.
    exported_at: String,
    /// First and last event in the file. A file that ends earlier is truncated.
    first: i64,
    last: i64,
    /// Hash of the event before the first.
    before: String,
    /// Public keys from the database.
    keys: serde_json::Value,
}

impl Header {
    pub fn new(exported_at: String, first: i64, last: i64, before: &[u8], keys: &[PublicKey]) -> Self {
        let keys = keys.iter().map(PublicKey::jwk).collect();
        let before = hex::encode(before);
        Self { format: FORMAT.into(), version: VERSION, exported_at, first, last, before, keys }
    }
}

/// Line of an event.
#[derive(Serialize, Deserialize)]
pub struct Event {
    seq: i64,
    at: i64,
    actor: String,
    actor_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    acting: Option<String>,
    action: String,
    target: String,
    target_name: String,
    project_id: Option<Uuid>,
    reason: Option<String>,
    ip: Option<String>,
    agent: Option<String>,
    request_id: Option<String>,
    detail: String,
    prev: String,
    hash: String,
}

impl From<EventRow> for Event {
    fn from(row: EventRow) -> Self {
        Self {
            seq: row.seq,
            at: row.at,
            actor: row.actor,
            actor_name: row.actor_name,
            acting: row.acting,
            action: row.action,
            target: row.target,
            target_name: row.target_name,
            project_id: row.project_id,
            reason: row.reason,
            ip: row.ip,
            agent: row.agent,
            request_id: row.request_id,
            detail: row.detail,
            prev: hex::encode(row.prev),
            hash: hex::encode(row.hash),
        }
    }
}

impl From<Event> for EventRow {
    /// An invalid hash becomes an empty one, which matches nothing.
    fn from(event: Event) -> Self {
        Self {
            seq: event.seq,
            at: event.at,
            actor: event.actor,
            actor_name: event.actor_name,
            acting: event.acting,
            action: event.action,
            target: event.target,
            target_name: event.target_name,
            project_id: event.project_id,
            reason: event.reason,
            ip: event.ip,
            agent: event.agent,
            request_id: event.request_id,
            detail: event.detail,
            prev: hex::decode(event.prev).unwrap_or_default(),
            hash: hex::decode(event.hash).unwrap_or_default(),
        }
    }
}

/// Reasons why a file cannot be checked.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error("cannot read line {0}: {1}")]
    Unreadable(u64, #[source] std::io::Error),
    #[error("the first line is not the header of an exported audit log; create the file with: keyward audit export")]
    NoHeader,
    #[error("file version {0} is not supported; use a newer version of Keyward")]
    Version(u32),
    #[error("line {0} is neither an event nor a checkpoint")]
    NoLine(u64),
}

/// Verifies an exported log line by line. Without `trusted`, the keys in the file itself are used.
///
/// # Errors
/// [`FileError`] if the file is not an exported log. An inconsistent log is not an error but part of the result.
pub fn verify_file(
    file: impl BufRead,
    trusted: Option<Vec<PublicKey>>,
    kept: Vec<Checkpoint>,
) -> Result<(VerificationResult, Vec<PublicKey>), FileError> {
    let mut lines = (1..).zip(file.lines());
    let (_, first) = lines.next().ok_or(FileError::NoHeader)?;
    let first = first.map_err(|error| FileError::Unreadable(1, error))?;
    let Ok(Line::Header(header)) = serde_json::from_str(&first) else { return Err(FileError::NoHeader) };
    if header.format != FORMAT {
        return Err(FileError::NoHeader);
    }
    if header.version != VERSION {
        return Err(FileError::Version(header.version));
    }
    let trusted = match trusted {
        Some(trusted) => trusted,
        None => keys::from_jwks(&header.keys).ok_or(FileError::NoHeader)?,
    };
    // Whatever is wrong with the first line, the file was not written by Keyward.
    let before = hex::decode(&header.before).map_err(|_| FileError::NoHeader)?;
    // The first event of a log follows 32 zero bytes, whatever the file contains.
    let before = if header.first == 1 { vec![0; 32] } else { before };
    // Skip checkpoints of events after the end of the file.
    let kept = kept.into_iter().filter(|it| it.seq <= header.last).collect();
    let mut checker = ChainVerifier::from(header.first, before, trusted.clone(), kept);
    for (number, line) in lines {
        let line = line.map_err(|error| FileError::Unreadable(number, error))?;
        let holds = match serde_json::from_str(&line) {
            Ok(Line::Event(event)) => checker.check_event(&(*event).into()),
            Ok(Line::Checkpoint { token, .. }) => checker.check_checkpoint(&token),
            _ => return Err(FileError::NoLine(number)),
        };
        if !holds {
            return Ok((checker.into_result(), trusted));
        }
    }
    checker.check_end(header.last);
    Ok((checker.into_result(), trusted))
}
