//! The change log (outbox): changes that other processes on the same database must receive, in commit order.

use super::{Engine, Error, Tx, audit::Head, change_feed::ChangeEvent, with_engine};
use uuid::Uuid;

/// Declares [`Topic`] from one table of topics and stored texts, so that every topic that is written is also parsed.
macro_rules! topics {
    ($($(#[$doc:meta])* $topic:ident = $text:literal,)+) => {
        /// The kind of a changed object.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Topic {
            $($(#[$doc])* $topic,)+
        }

        impl Topic {
            /// All topics.
            pub const ALL: &[Self] = &[$(Self::$topic),+];

            /// Returns the stored text.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$topic => $text),+ }
            }

            /// Parses a stored text. Returns `None` for a topic of a newer release.
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$topic),)+ _ => None }
            }
        }
    };
}

topics! {
    Key = "key",
    Grant = "grant",
    Project = "project",
    User = "user",
    /// The policy has no id; the id of its changes is nil.
    Policy = "policy",
    SigningKey = "signing_key",
    /// A revoked token; the id of its change is the token's `jti`.
    Token = "token",
}

/// A changed object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub topic: Topic,
    pub id: Uuid,
}

/// A row of the change log.
#[derive(sqlx::FromRow)]
struct ChangeRow {
    seq: i64,
    topic: String,
    id: Uuid,
    digest: Option<Vec<u8>>,
}

impl From<ChangeRow> for ChangeEvent {
    fn from(row: ChangeRow) -> Self {
        Self { seq: row.seq, topic: Topic::parse(&row.topic), id: row.id, digest: row.digest }
    }
}

/// The PostgreSQL channel that notifies other nodes of changes.
pub(super) const CHANNEL: &str = "keyward_changes";

impl Change {
    /// Returns the change of the policy.
    pub fn policy() -> Self {
        Self { topic: Topic::Policy, id: Uuid::nil() }
    }
}

/// Notifies the other nodes when this transaction commits. Other processes on SQLite poll instead.
pub(super) async fn notify(tx: &mut Tx<'_>) -> Result<(), Error> {
    const NOTIFY_POSTGRES: &str = "SELECT pg_notify($1, '')";
    if let Engine::Postgres(c) = tx.reborrow() {
        sqlx::query(NOTIFY_POSTGRES).bind(CHANNEL).execute(c).await?;
    }
    Ok(())
}

/// Returns the changes after number `seq`, in order, at most `limit`. A change of an existing key includes the key's
/// digest.
pub(super) async fn after(conn: &mut Engine<'_>, seq: i64, limit: i64) -> Result<Vec<ChangeEvent>, Error> {
    const SQL: &str = "SELECT c.seq, c.topic, c.id, k.digest FROM changes c LEFT JOIN keys k ON k.id = c.id AND c.topic = 'key' \
        WHERE c.seq > $1 ORDER BY c.seq LIMIT $2";
    let rows: Vec<ChangeRow> = with_engine!(conn, c => sqlx::query_as(SQL).bind(seq).bind(limit).fetch_all(c).await?);
    Ok(rows.into_iter().map(ChangeEvent::from).collect())
}

/// Appends a change under the next sequence number.
pub(super) async fn append(tx: &mut Tx<'_>, head: &mut Head, at: i64, change: &Change) -> Result<(), Error> {
    const SQL: &str = "INSERT INTO changes (seq, at, topic, id) VALUES ($1, $2, $3, $4)";
    head.change_seq += 1;
    with_engine!(tx, c => {
        sqlx::query(SQL).bind(head.change_seq).bind(at).bind(change.topic.as_str()).bind(change.id).execute(c).await?;
    });
    Ok(())
}

/// Deletes old changes, which every process has already received: those before `before` (microseconds since the epoch),
/// at most `limit`. Returns the number of deleted rows.
pub async fn delete_before(tx: &mut Tx<'_>, before: i64, limit: i64) -> Result<u64, Error> {
    const SQL: &str = "DELETE FROM changes WHERE seq IN (SELECT seq FROM changes WHERE at < $1 LIMIT $2)";
    Ok(with_engine!(tx, c => sqlx::query(SQL).bind(before).bind(limit).execute(c).await?.rows_affected()))
}

/// Returns the number of the newest change, or 0 if there is none.
pub async fn newest(conn: &mut Engine<'_>) -> Result<i64, Error> {
    const SQL: &str = "SELECT change_seq FROM head WHERE id = 1";
    Ok(with_engine!(conn, c => sqlx::query_scalar(SQL).fetch_one(c).await?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nodes of different releases share a database, so the stored texts never change.
    #[test]
    fn stored_topics_are_stable() {
        let texts: Vec<_> = Topic::ALL.iter().map(|topic| topic.as_str()).collect();
        assert_eq!(texts, ["key", "grant", "project", "user", "policy", "signing_key", "token"]);
        for topic in Topic::ALL {
            assert_eq!(Topic::parse(topic.as_str()), Some(*topic));
        }
        for unknown in ["", "Key", "keys", "signing key"] {
            assert_eq!(Topic::parse(unknown), None, "{unknown}");
        }
    }
}
