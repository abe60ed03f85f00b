//! Case and accent folding: fills the folded names that are missing in rows of a previous release.

use super::{Engine, Error, Tx, with_engine};
use keyward_domain::fold::fold;
use uuid::Uuid;

/// Audit events that are checked for missing folded names in one query.
const WINDOW: i64 = 10_000;

/// Fills at most `limit` names of each kind. Returns the number of filled names.
pub async fn fill_names(tx: &mut Tx<'_>, limit: i64) -> Result<usize, Error> {
    const USERS: &str = "SELECT id, name FROM users WHERE name_folded = '' LIMIT $1";
    const USER: &str = "UPDATE users SET name_folded = $2 WHERE id = $1";
    const PROJECTS: &str = "SELECT id, name FROM projects WHERE name_folded = '' LIMIT $1";
    const PROJECT: &str = "UPDATE projects SET name_folded = $2 WHERE id = $1";
    const KEYS: &str = "SELECT id, name, issued_to FROM keys WHERE name_folded = '' LIMIT $1";
    const KEY: &str = "UPDATE keys SET name_folded = $2, issued_to_folded = $3 WHERE id = $1";
    let mut filled = 0;
    for (list, set) in [(USERS, USER), (PROJECTS, PROJECT)] {
        let rows: Vec<(Uuid, String)> = with_engine!(tx, c => sqlx::query_as(list).bind(limit).fetch_all(c).await?);
        filled += rows.len();
        for (id, name) in rows {
            with_engine!(tx, c => { sqlx::query(set).bind(id).bind(fold(&name)).execute(c).await?; });
        }
    }
    let rows: Vec<(Uuid, String, Option<String>)> =
        with_engine!(tx, c => sqlx::query_as(KEYS).bind(limit).fetch_all(c).await?);
    filled += rows.len();
    for (id, name, issued_to) in rows {
        let issued_to = issued_to.as_deref().map(fold);
        with_engine!(tx, c => { sqlx::query(KEY).bind(id).bind(fold(&name)).bind(issued_to).execute(c).await?; });
    }
    Ok(filled)
}

/// Restores the folded name after a change to a name that folds to the same value, such as `Zebra` to `zebra`. A
/// database trigger treats such a change as one by the previous release and empties the folded name. `sql` fills the
/// folded name if it is empty.
pub(super) async fn refill(tx: &mut Tx<'_>, sql: &'static str, id: Uuid, name: &str) -> Result<(), Error> {
    with_engine!(tx, c => { sqlx::query(sql).bind(id).bind(fold(name)).execute(c).await?; });
    Ok(())
}

/// An event without folded names.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct EventNamesRow {
    seq: i64,
    actor_name: String,
    target_name: String,
}

/// Returns the events after number `after` without folded names, at most `limit`, and the number up to which events
/// were checked.
pub async fn unfolded_events(
    conn: &mut Engine<'_>,
    after: i64,
    head: i64,
    limit: i64,
) -> Result<(Vec<EventNamesRow>, i64), Error> {
    const SQL: &str = "SELECT e.seq, e.actor_name, e.target_name FROM audit_events e WHERE e.seq > $1 AND e.seq <= $2 \
        AND NOT EXISTS (SELECT 1 FROM audit_names n WHERE n.seq = e.seq) ORDER BY e.seq LIMIT $3";
    let to = head.min(after + WINDOW);
    let rows: Vec<EventNamesRow> =
        with_engine!(conn, c => sqlx::query_as(SQL).bind(after).bind(to).bind(limit).fetch_all(c).await?);
    let looked = if i64::try_from(rows.len()).is_ok_and(|found| found == limit) {
        rows.last().map_or(to, |row| row.seq)
    } else {
        to
    };
    Ok((rows, looked))
}

/// Stores the folded names of these events.
pub async fn fold_events(tx: &mut Tx<'_>, rows: &[EventNamesRow]) -> Result<(), Error> {
    for row in rows {
        fold_event(tx, row.seq, &row.actor_name, &row.target_name).await?;
    }
    Ok(())
}

/// Stores the folded names of one event.
pub(super) async fn fold_event(tx: &mut Tx<'_>, seq: i64, actor_name: &str, target_name: &str) -> Result<(), Error> {
    const SQL: &str =
        "INSERT INTO audit_names (seq, actor_name, target_name) VALUES ($1, $2, $3) ON CONFLICT (seq) DO NOTHING";
    with_engine!(tx, c => {
        sqlx::query(SQL).bind(seq).bind(fold(actor_name)).bind(fold(target_name)).execute(c).await?;
    });
    Ok(())
}
