//! Listing keys, page by page, and what the form for a new one needs.

use super::{Keys, role, view};
use crate::{
    domain::{
        key::{KeyPage, PAGE_SIZE, RESTORE_DAYS},
        project::{KeyForm, ProjectChoice, Role},
        scope::{ScopeName, ScopeView},
        time::{DAY, Timestamp},
    },
    service::{
        Error,
        actor::Caller,
        can::{Action, can},
    },
    store::{self, keys::After},
};
use std::collections::HashMap;
use uuid::Uuid;

/// What counts as expiring soon, in days.
const SOON: i64 = 7;

/// Where a page begins, as it stands in `?after=`: the instant of the first page (so that the ranks of all pages are of one
/// instant), and the rank and id of the last key before.
struct Cursor {
    now: Timestamp,
    after: After,
}

impl Cursor {
    fn read(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '.');
        let now = Timestamp::from_micros(parts.next()?.parse().ok()?);
        let rank = parts.next()?.parse().ok()?;
        let id: Uuid = parts.next()?.parse().ok()?;
        Some(Self { now, after: After { rank, id } })
    }

    fn write(&self) -> String {
        format!("{}.{}.{}", self.now.micros(), self.after.rank, self.after.id.simple())
    }
}

impl Keys {
    /// One page of the keys that a person sees. `status` is empty or `deleted`; an `after` that is none of ours begins anew.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn list(&self, caller: &Caller, status: &str, after: &str) -> Result<KeyPage, Error> {
        let now = self.ground.now();
        let mut reader = self.ground.pool.read().await?;
        let mut conn = reader.conn();
        let user = caller.user.into();
        let soon = now.plus_seconds(SOON * DAY).micros();
        let ended = now.plus_seconds(-RESTORE_DAYS * DAY).micros();
        let counts = store::keys::counts(&mut conn, user, now.micros(), soon, ended).await?;
        let limit = PAGE_SIZE as i64 + 1;
        let cursor = Cursor::read(after).unwrap_or(Cursor { now, after: After { rank: -1, id: Uuid::max() } });
        let (rows, total) = if status == "deleted" {
            let rows = store::keys::deleted_page(&mut conn, user, Some(cursor.after.id), ended, limit).await?;
            let rows = rows.into_iter().map(|row| (0, row)).collect();
            (rows, counts.deleted)
        } else {
            let rows = store::keys::kept_page(&mut conn, user, cursor.now.micros(), Some(cursor.after), limit).await?;
            (rows.into_iter().map(|row| (row.rank, row.key)).collect::<Vec<_>>(), counts.kept)
        };
        let next = (rows.len() > PAGE_SIZE).then(|| {
            let (rank, last) = &rows[PAGE_SIZE - 1];
            Cursor { now: cursor.now, after: After { rank: *rank, id: last.id } }.write()
        });
        let mut roles = HashMap::<Uuid, Option<Role>>::new();
        let mut keys = Vec::with_capacity(rows.len().min(PAGE_SIZE));
        for (_, row) in rows.into_iter().take(PAGE_SIZE) {
            let known = match roles.get(&row.project_id) {
                Some(known) => *known,
                None => {
                    let found = role(&mut conn, row.project_id.into(), caller.user).await?;
                    roles.insert(row.project_id, found);
                    found
                }
            };
            keys.push(view(row, Some(caller.user), known, now)?);
        }
        let count = |n: i64| u64::try_from(n).unwrap_or_default();
        Ok(KeyPage { keys, next, total: count(total), expiring: count(counts.expiring), now })
    }

    /// The projects in which a person may make keys, with the scopes that they offer, and a one-time number for the form.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn form(&self, caller: &Caller) -> Result<KeyForm, Error> {
        let mut reader = self.ground.pool.read().await?;
        let mut conn = reader.conn();
        let mut projects = Vec::new();
        for member in store::projects::of_user(&mut conn, caller.user.into()).await? {
            let role: Role = member.role.parse().map_err(|_| store::Error::Corrupt("role of a member"))?;
            if !can(role, Action::ChangeKeys) || member.project.archived_at.is_some() {
                continue;
            }
            let mut scopes = Vec::new();
            for row in store::projects::offered(&mut conn, member.project.id).await? {
                let name: ScopeName = row.name.parse().map_err(|_| store::Error::Corrupt("name of a scope"))?;
                if name.is_management() && !can(role, Action::GrantManagement) {
                    continue;
                }
                scopes.push(ScopeView { name, description: row.description });
            }
            projects.push(ProjectChoice { id: member.project.id.into(), name: member.project.name, scopes });
        }
        Ok(KeyForm { projects, number: self.ground.new_id().into(), now: self.ground.now() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_round_trip_and_anything_else_begins_anew() {
        let id = Uuid::max();
        let text = Cursor { now: Timestamp::from_micros(7), after: After { rank: 2, id } }.write();
        let read = Cursor::read(&text).unwrap();
        assert_eq!((read.now.micros(), read.after), (7, After { rank: 2, id }));
        for bad in ["", "1", "1.2", "1.2.x", "x.2.ffffffffffffffffffffffffffffffff"] {
            assert!(Cursor::read(bad).is_none(), "{bad}");
        }
    }
}
