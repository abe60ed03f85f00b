//! Paginated lists of keys: those of a user's projects, and all keys for an administrator.

use super::{Keys, require_administrator, to_key};
use crate::{
    Error,
    actor::{Actor, Caller},
    permissions::AdminPermission,
    read_list,
};
use keyward_domain::{
    count::COUNT_MAX,
    filter::{BEFORE, EXPIRING_DAYS, ExpiryFilter, KeyFilter, UNUSED_DAYS},
    key::{Key, KeyPage, PAGE_SIZE, RESTORE_DAYS, Status},
    people::PersonChoice,
    project::{ProjectName, Role},
    time::{DAY, Timestamp},
};
use keyward_store::{
    self as store, Engine,
    keys::{Direction, KeyCursor, KeyQuery, ListedRow, Visibility},
};
use std::collections::{HashMap, hash_map::Entry};
use uuid::Uuid;

/// Maximum projects, and maximum owners, in an administrator's filter.
const CHOICES: i64 = 500;

/// A pagination cursor, the value of `?after=` or, with [`BEFORE`], of `?before=`: the time of the first page, so that
/// all pages show the statuses of one instant, the sort position, id, and title of the key next to the page, and the
/// number of keys before that page.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Cursor {
    now: Timestamp,
    key: KeyCursor,
    direction: Direction,
    /// For a page before the cursor: the number of keys before the cursor's key.
    position: u64,
}

impl Cursor {
    fn parse(text: &str) -> Option<Self> {
        let (direction, text) = match text.strip_prefix(BEFORE) {
            Some(text) => (Direction::Before, text),
            None => (Direction::After, text),
        };
        let mut parts = text.splitn(4, '.');
        let now = Timestamp::from_micros(parts.next()?.parse().ok()?);
        let place = parts.next()?.parse::<i64>().ok()?.max(-i64::MAX);
        let id = parts.next()?;
        let (id, position) = id.split_once('~').unwrap_or((id, "0"));
        let (id, position) = (id.parse::<Uuid>().ok()?, position.parse().ok()?);
        // PostgreSQL text cannot contain a NUL.
        let title = parts.next().filter(|title| !title.contains('\0'))?.to_owned();
        Some(Self { now, key: KeyCursor { place, title, id }, direction, position })
    }

    /// Returns the value of the query parameter, without [`BEFORE`].
    fn encode(&self) -> String {
        let KeyCursor { place, title, id } = &self.key;
        let position = if self.position == 0 { String::new() } else { format!("~{}", self.position) };
        format!("{}.{place}.{}{position}.{title}", self.now.micros(), id.simple())
    }
}

/// Whether a text is a valid cursor.
pub(super) fn is_cursor(text: &str) -> bool {
    Cursor::parse(text).is_some()
}

/// Search criteria in addition to the filter, and the page size.
pub(super) struct SearchOptions<'a> {
    pub text: Option<&'a str>,
    pub issued_to: Option<&'a str>,
    pub limit: usize,
}

impl Default for SearchOptions<'_> {
    fn default() -> Self {
        Self { text: None, issued_to: None, limit: PAGE_SIZE }
    }
}

/// Returns a user's role in each of their projects, and the names of those projects.
async fn memberships(conn: &mut Engine<'_>, caller: &Caller) -> Result<(HashMap<Uuid, Role>, Vec<ProjectName>), Error> {
    let (mut roles, mut projects) = (HashMap::new(), Vec::new());
    for member in store::projects::list_by_user(conn, caller.user.into()).await? {
        let role = member.role.parse().map_err(|_| store::Error::Corrupt("role of a member"))?;
        roles.insert(member.project.id, role);
        projects.push(ProjectName { id: member.project.id.into(), name: member.project.name });
    }
    Ok((roles, projects))
}

impl Keys {
    /// Returns one page of the keys that a user sees. An invalid cursor returns the first page.
    ///
    /// # Errors
    /// If the database cannot be read.
    #[tracing::instrument(name = "keys.list", skip_all)]
    pub async fn list(&self, caller: &Caller, filter: &KeyFilter, after: &str) -> Result<KeyPage, Error> {
        read_list(async {
            let mut reader = self.context.pool.acquire_list_reader().await?;
            let mut conn = reader.conn();
            let (roles, projects) = memberships(&mut conn, caller).await?;
            let (page, rows, _) = self
                .page(
                    &mut conn,
                    Visibility::MemberOf(caller.user.into()),
                    &filter.clone().for_members(),
                    &SearchOptions::default(),
                    after,
                )
                .await?;
            let actor = Actor::User(caller.clone());
            let keys = rows
                .into_iter()
                .map(|row| {
                    let role = roles.get(&row.project_id).copied();
                    to_key(row, &actor, role, page.now)
                })
                .collect::<Result<_, _>>()?;
            Ok(KeyPage { keys, projects, ..page })
        })
        .await
    }

    /// Returns one page of all keys, each with an owner, for administrators.
    ///
    /// # Errors
    /// [`Error::NotFound`] for other users.
    #[tracing::instrument(name = "keys.list_all", skip_all)]
    pub async fn list_all(&self, caller: &Caller, filter: &KeyFilter, after: &str) -> Result<KeyPage, Error> {
        read_list(async {
            let mut reader = self.context.pool.acquire_list_reader().await?;
            let mut conn = reader.conn();
            require_administrator(&mut conn, caller, AdminPermission::SeeEveryKey).await?;
            let (page, rows, _) =
                self.page(&mut conn, Visibility::All, filter, &SearchOptions::default(), after).await?;
            let actor = Actor::Administrator(caller.clone());
            let (roles, _) = memberships(&mut conn, caller).await?;
            let mut owners = HashMap::new();
            let mut keys: Vec<Key> = Vec::with_capacity(rows.len());
            for row in rows {
                let project = row.project_id;
                let mut key = to_key(row, &actor, roles.get(&project).copied(), page.now)?;
                let owner = match owners.entry(project) {
                    Entry::Occupied(known) => known.into_mut(),
                    Entry::Vacant(place) => place.insert(store::keys::owner(&mut conn, project).await?),
                };
                if let Some(owner) = owner {
                    key.owner = Some(owner.name.clone());
                    key.owner_email = Some(owner.email.clone());
                }
                keys.push(key);
            }
            let mut projects: Vec<_> = store::projects::names(&mut conn, CHOICES)
                .await?
                .into_iter()
                .map(|row| ProjectName { id: row.id.into(), name: row.name })
                .collect();
            if let Some(chosen) = filter.project.filter(|id| projects.iter().all(|it| it.id != *id)) {
                let row = store::projects::by_id(&mut conn, chosen.into()).await?;
                projects.extend(row.map(|row| ProjectName { id: row.id.into(), name: row.name }));
            }
            let mut owners: Vec<PersonChoice> =
                store::users::owners(&mut conn, CHOICES).await?.into_iter().map(Into::into).collect();
            if let Some(chosen) = filter.owner.filter(|id| owners.iter().all(|it| it.id != *id)) {
                let row = store::users::by_id(&mut conn, chosen.into()).await?;
                owners.extend(row.map(|row| PersonChoice { id: row.id.into(), name: row.name, email: row.email }));
            }
            Ok(KeyPage { keys, projects, owners, ..page })
        })
        .await
    }

    /// Returns the counts of a page, its rows, and whether the total is exact. A search reads a bounded number of keys:
    /// a page can then have fewer keys than its limit, or none, and still be followed by another one.
    pub(super) async fn page(
        &self,
        conn: &mut Engine<'_>,
        seen: Visibility,
        filter: &KeyFilter,
        narrow: &SearchOptions<'_>,
        after: &str,
    ) -> Result<(KeyPage, Vec<store::keys::KeyRow>, bool), Error> {
        let now = self.context.now();
        let start = || Cursor { now, key: KeyCursor::start(), direction: Direction::After, position: 0 };
        let mut cursor = Cursor::parse(after).unwrap_or_else(start);
        let wanted = KeyQuery {
            visibility: seen,
            status: filter.status,
            project: filter.project.map(Into::into),
            environment: filter.environment,
            owner: filter.owner.map(Into::into),
            view: filter.view,
            text: narrow.text,
            issued_to: narrow.issued_to,
            expires_by: filter.expires.map(|ExpiryFilter::Soon| cursor.now.plus_seconds(EXPIRING_DAYS * DAY).micros()),
            unused: cursor.now.plus_seconds(-UNUSED_DAYS * DAY).micros(),
            now: cursor.now.micros(),
            ended: now.plus_seconds(-RESTORE_DAYS * DAY).micros(),
        };
        let soon = cursor.now.plus_seconds(EXPIRING_DAYS * DAY).micros();
        let (mut counted, mut until) = (None, None);
        if let (Some(_), Some(project)) = (narrow.text, wanted.project)
            && filter.status != Some(Status::Deleted)
        {
            counted = store::keys::search_end(conn, project, Uuid::max()).await?;
            until = store::keys::search_end(conn, project, cursor.key.id).await?;
        }
        let counts = store::keys::counts(conn, &wanted, soon, counted.unwrap_or_default()).await?;
        let (until_id, limit) = (until.unwrap_or_default(), narrow.limit as i64 + 1);
        let mut rows = Vec::new();
        if cursor.direction == Direction::Before {
            let (sort, key) = (filter.sort, &cursor.key);
            rows = store::keys::page(conn, &wanted, sort, &counts, key, Direction::Before, Uuid::nil(), limit).await?;
            if rows.len() > narrow.limit {
                rows.remove(0);
            } else {
                // The start of the list is reached: the first page, complete.
                (rows, cursor) = (Vec::new(), Cursor { now: cursor.now, ..start() });
            }
        }
        let is_before = cursor.direction == Direction::Before;
        let mut more = is_before;
        if !is_before {
            let (sort, key) = (filter.sort, &cursor.key);
            rows = store::keys::page(conn, &wanted, sort, &counts, key, Direction::After, until_id, limit).await?;
            more = rows.len() > narrow.limit;
            rows.truncate(narrow.limit);
        }
        let length = u64::try_from(rows.len()).unwrap_or_default();
        let position = if is_before { cursor.position.saturating_sub(length) } else { cursor.position };
        let at = |row: &ListedRow, direction, position| {
            let key = KeyCursor { place: row.place, title: row.title.clone(), id: row.key.id };
            Cursor { now: cursor.now, key, direction, position }.encode()
        };
        let next = rows.last().filter(|_| more).map(|last| at(last, Direction::After, position + length));
        let has_previous = is_before || cursor.key != KeyCursor::start();
        let previous = rows.first().filter(|_| has_previous).map(|first| at(first, Direction::Before, position));
        let searched = until.map(|id| {
            let key = KeyCursor { id, ..KeyCursor::start() };
            Cursor { now: cursor.now, key, direction: Direction::After, position: 0 }.encode()
        });
        let next = next.or(searched);
        let count = |n: i64| u64::try_from(n).unwrap_or_default();
        let page = KeyPage {
            keys: Vec::new(),
            next,
            previous,
            position,
            total: count(counts.total),
            expiring: count(counts.expiring),
            projects: Vec::new(),
            owners: Vec::new(),
            any: counts.not_deleted > 0,
            deleted: count(counts.deleted),
            now,
        };
        let is_exact = counted.is_none() && page.total <= COUNT_MAX;
        Ok((page, rows.into_iter().map(|row| row.key).collect(), is_exact))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_round_trip_and_anything_else_begins_anew() {
        let id = Uuid::max();
        for title in ["", "boje 7. ærø 🌊"] {
            let key = KeyCursor { place: -2, title: title.into(), id };
            let now = Timestamp::from_micros(7);
            for position in [0, 50] {
                let after = Cursor { now, key: key.clone(), direction: Direction::After, position };
                assert_eq!(Cursor::parse(&after.encode()), Some(after.clone()));
                let before = Cursor { direction: Direction::Before, ..after };
                assert_eq!(Cursor::parse(&format!("{BEFORE}{}", before.encode())), Some(before));
            }
        }
        let max = "ffffffffffffffffffffffffffffffff";
        for bad in
            ["", "1", "1.2", "1.2.x", "1.2.x.", &format!("x.2.{max}."), &format!("1.2.{max}"), &format!("1.2.{max}.\0")]
        {
            assert!(Cursor::parse(bad).is_none(), "{bad}");
        }
    }
}
