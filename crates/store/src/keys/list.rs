//! Key lists: pages with a cursor, and totals.
//!
//! A list has one of these sources, each with a constant statement for each sort order:
//!
//! - `walk`: scans the index of the sort order and filters on the way. Used for all keys, or for a project or a user
//!   with very many keys.
//! - `project`, `member`: the keys of one project, or of a user's projects, sorted.
//! - `few`, `unused`, `left`: at most [`COUNT_MAX`] keys that match a filter, sorted.
//! - `issued`: the keys that were issued to one name.
//! - `deleted`: the keys that were deleted in the last seven days.
//!
//! The columns that a filter compares are part of the indexes `keys_listed` and `keys_listed_by_project`. A comparison
//! with an optional parameter (`$3 IS NULL OR …`) is used only where it does not affect the choice of the index.

use super::{KeyRow, columns};
use crate::{Engine, Error, like, with_engine};
use keyward_domain::{
    count::COUNT_MAX,
    filter::{ReviewFilter, Sort},
    key::{Environment, Status},
};
use uuid::Uuid;

/// The keys that a list may contain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visibility {
    /// Keys of the projects that this user is a member of.
    MemberOf(Uuid),
    /// Keys of every project, for administrators.
    All,
}

/// The filter of a list, and the times that it depends on.
#[derive(Clone, Copy, Debug)]
pub struct KeyQuery<'a> {
    pub visibility: Visibility,
    /// `None` matches every key that is not deleted.
    pub status: Option<Status>,
    pub project: Option<Uuid>,
    pub environment: Option<Environment>,
    /// Only keys of projects that this user owns. Not combined with [`Visibility::MemberOf`].
    pub owner: Option<Uuid>,
    /// Only with [`Visibility::All`].
    pub view: Option<ReviewFilter>,
    /// Text in the key's name, its preview, the name it was issued to, or its description. Ignores case and accents.
    /// Totals and sorted lists need a project; [`newest`] does not.
    pub text: Option<&'a str>,
    /// Exactly the name the key was issued to. Totals and sorted lists need a project; [`newest`] does not.
    pub issued_to: Option<&'a str>,
    /// Only keys that expire after now and by this time. Has no effect on deleted keys.
    pub expires_by: Option<i64>,
    /// A key that was last used before this time is [`ReviewFilter::Unused`].
    pub unused: i64,
    /// The time for which statuses are computed.
    pub now: i64,
    /// A key that was deleted at or before this time can no longer be restored and is not listed.
    pub ended: i64,
}

/// The statuses of keys that are not deleted, in the order of a list sorted by status.
const STATUSES: [Status; 4] = [Status::Active, Status::Scheduled, Status::Expired, Status::Inactive];

/// Returns the sort order of a status, as in [`matching!`].
const fn status_sort_order(status: Status) -> i64 {
    match status {
        Status::Active => 0,
        Status::Scheduled => 1,
        Status::Expired => 2,
        Status::Inactive => 3,
        Status::Deleted => 4,
    }
}

/// $2: the project; $4: the user whose projects are listed; $5: that user's role.
macro_rules! scope {
    () => {
        "($2 IS NULL OR k.project_id = $2) AND ($4 IS NULL OR k.project_id IN \
         (SELECT m.project_id FROM members m WHERE m.user_id = $4 AND ($5 IS NULL OR m.role = $5)))"
    };
}

/// $1: the current time; $3: the environment; $11: only keys that never expire; $13: the sort order of the status;
/// $19: only keys that expire after now and by this time.
macro_rules! matching {
    () => {
        concat!(
            scope!(),
            " AND k.deleted_at IS NULL AND ($13 IS NULL OR CASE WHEN NOT k.active THEN 3 WHEN k.not_before > $1 THEN 1 \
             WHEN k.expires_at <= $1 THEN 2 ELSE 0 END = $13) AND ($3 IS NULL OR k.environment = $3) \
             AND (NOT $11 OR k.expires_at IS NULL) AND ($19 IS NULL OR (k.expires_at > $1 AND k.expires_at <= $19)) "
        )
    };
}

/// Conditions on columns outside the index. $14: the view; $9: its limit for unused keys; $15 and $16: patterns for a
/// text, folded and in lower case; $17: the name a key was issued to. Keys from the command line have no creator who
/// could leave.
macro_rules! row_matching {
    () => {
        "AND ($14 IS NULL OR ($14 = 'unused' AND k.deleted_at IS NULL AND COALESCE(k.last_used_at, k.created_at) < $9) \
         OR ($14 = 'endless' AND k.expires_at IS NULL) OR ($14 = 'left' AND k.created_by IS NOT NULL AND NOT EXISTS \
         (SELECT 1 FROM members l CROSS JOIN users u WHERE u.id = l.user_id AND l.project_id = k.project_id \
         AND l.user_id = k.created_by AND u.active))) AND ($15 IS NULL OR k.name_folded LIKE $15 ESCAPE '!' \
         OR k.issued_to_folded LIKE $15 ESCAPE '!' OR k.description_folded LIKE $15 ESCAPE '!' \
         OR LOWER(k.preview) LIKE $16 ESCAPE '!') \
         AND ($17 IS NULL OR k.issued_to = $17) "
    };
}

macro_rules! walk {
    ($rest:expr) => {
        concat!("FROM keys k WHERE ", matching!(), $rest)
    };
}

macro_rules! project {
    ($rest:expr) => {
        concat!("FROM keys k WHERE k.project_id = $2 AND ", matching!(), $rest)
    };
}

macro_rules! member {
    ($rest:expr) => {
        concat!(
            "FROM keys k WHERE k.project_id IN (SELECT m.project_id FROM members m WHERE m.user_id = $4 \
             AND ($5 IS NULL OR m.role = $5)) AND ",
            matching!(),
            $rest
        )
    };
}

macro_rules! issued {
    ($rest:expr) => {
        concat!("FROM keys k WHERE k.project_id = $2 AND k.issued_to = $17 AND ", matching!(), $rest)
    };
}

/// $12: keys that were deleted at or before this time are not listed.
macro_rules! deleted {
    ($rest:expr) => {
        concat!(
            "FROM keys k WHERE k.deleted_at > $12 AND ",
            scope!(),
            " AND ($3 IS NULL OR k.environment = $3) AND (NOT $11 OR k.expires_at IS NULL) ",
            row_matching!(),
            $rest
        )
    };
}

macro_rules! few {
    ($rest:expr) => {
        concat!("FROM (SELECT k.id ", walk!("LIMIT 10001"), ") AS f CROSS JOIN keys k WHERE k.id = f.id ", $rest)
    };
}

macro_rules! unused {
    ($rest:expr) => {
        concat!(
            "FROM (SELECT k.id ",
            walk!(
                "AND COALESCE(k.last_used_at, 0) < $9 AND COALESCE(k.last_used_at, k.created_at) < $9 \
                 ORDER BY COALESCE(k.last_used_at, 0) DESC LIMIT 10001"
            ),
            ") AS f CROSS JOIN keys k WHERE k.id = f.id ",
            $rest
        )
    };
}

/// Selects each pair of project and creator once, then the keys of those creators who left.
macro_rules! left {
    ($rest:expr) => {
        concat!(
            "FROM (SELECT k.id FROM (SELECT DISTINCT c.created_by, c.project_id FROM keys c \
             WHERE c.deleted_at IS NULL AND c.created_by IS NOT NULL) AS d CROSS JOIN keys k \
             WHERE k.created_by = d.created_by AND k.project_id = d.project_id AND NOT EXISTS (SELECT 1 FROM members l \
             CROSS JOIN users u WHERE u.id = l.user_id AND l.project_id = d.project_id AND l.user_id = d.created_by AND u.active) AND ",
            matching!(),
            "LIMIT 10001) AS f CROSS JOIN keys k WHERE k.id = f.id ",
            $rest
        )
    };
}

/// Selects a page: first the cursor values and ids, then the rows with these ids in the order of the list. $10: the
/// limit. The inner order decides which keys are next to the cursor, so a page before a cursor has the reverse order.
macro_rules! page {
    ($place:literal, $title:literal, $from:expr) => {
        page!($place, $title, $from, "k.id DESC")
    };
    ($place:literal, $title:literal, $from:expr, $ids:literal) => {
        concat!(
            "SELECT s.place, s.title, ",
            columns!(),
            "FROM (SELECT k.id, ",
            $place,
            " AS place, ",
            $title,
            " AS title ",
            $from,
            "LIMIT $10) AS s CROSS JOIN keys k CROSS JOIN projects p WHERE k.id = s.id AND p.id = k.project_id \
             ORDER BY s.place, s.title, ",
            $ids
        )
    };
}

/// $8: after this id; $18: down to and including this id.
macro_rules! newest {
    ($source:ident, $rows:expr) => {
        page!(
            "CAST(0 AS BIGINT)",
            "''",
            $source!(concat!("AND k.id < $8 AND k.id >= $18 ", $rows, "ORDER BY k.id DESC "))
        )
    };
}

/// $8: before this id.
macro_rules! newest_before {
    ($source:ident, $rows:expr) => {
        page!("CAST(0 AS BIGINT)", "''", $source!(concat!("AND k.id > $8 ", $rows, "ORDER BY k.id ")))
    };
}

/// $7: after this name, or the same name and after the id.
macro_rules! by_name {
    ($source:ident) => {
        page!(
            "CAST(0 AS BIGINT)",
            "k.name_folded",
            $source!(concat!(
                "AND k.name_folded >= $7 AND (k.name_folded > $7 OR k.id < $8) ",
                row_matching!(),
                "ORDER BY k.name_folded, k.id DESC "
            ))
        )
    };
}

/// $7: before this name, or the same name and before the id.
macro_rules! by_name_before {
    ($source:ident) => {
        page!(
            "CAST(0 AS BIGINT)",
            "k.name_folded",
            $source!(concat!(
                "AND k.name_folded <= $7 AND (k.name_folded < $7 OR k.id > $8) ",
                row_matching!(),
                "ORDER BY k.name_folded DESC, k.id "
            ))
        )
    };
}

/// $6: after this place, which is the negative time of the last use. The latest use comes first; keys that were never
/// used come last.
macro_rules! by_use {
    ($source:ident) => {
        page!(
            "-COALESCE(k.last_used_at, 0)",
            "''",
            $source!(concat!(
                "AND COALESCE(k.last_used_at, 0) <= -CAST($6 AS BIGINT) AND (COALESCE(k.last_used_at, 0) < -CAST($6 AS BIGINT) OR k.id < $8) ",
                row_matching!(),
                "ORDER BY COALESCE(k.last_used_at, 0) DESC, k.id DESC "
            ))
        )
    };
}

/// $6: before this place.
macro_rules! by_use_before {
    ($source:ident) => {
        page!(
            "-COALESCE(k.last_used_at, 0)",
            "''",
            $source!(concat!(
                "AND COALESCE(k.last_used_at, 0) >= -CAST($6 AS BIGINT) AND (COALESCE(k.last_used_at, 0) > -CAST($6 AS BIGINT) OR k.id > $8) ",
                row_matching!(),
                "ORDER BY COALESCE(k.last_used_at, 0), k.id "
            ))
        )
    };
}

/// The keys that have not expired, those that expire next first. Keys that never expire come last. $6: after this
/// place, which is the expiry.
macro_rules! by_end {
    ($source:ident) => {
        page!(
            "COALESCE(k.expires_at, 9223372036854775807)",
            "''",
            $source!(concat!(
                "AND COALESCE(k.expires_at, 9223372036854775807) > $1 AND COALESCE(k.expires_at, 9223372036854775807) >= $6 \
                 AND (COALESCE(k.expires_at, 9223372036854775807) > $6 OR k.id < $8) ",
                row_matching!(),
                "ORDER BY COALESCE(k.expires_at, 9223372036854775807), k.id DESC "
            ))
        )
    };
}

/// $6: before this place.
macro_rules! by_end_before {
    ($source:ident) => {
        page!(
            "COALESCE(k.expires_at, 9223372036854775807)",
            "''",
            $source!(concat!(
                "AND COALESCE(k.expires_at, 9223372036854775807) > $1 AND COALESCE(k.expires_at, 9223372036854775807) <= $6 \
                 AND (COALESCE(k.expires_at, 9223372036854775807) < $6 OR k.id > $8) ",
                row_matching!(),
                "ORDER BY COALESCE(k.expires_at, 9223372036854775807) DESC, k.id "
            ))
        )
    };
}

/// The expired keys, those that expired last first. $6: after this place, which is the negative expiry. Equal keys are
/// in the order of the index, oldest first.
macro_rules! by_past_end {
    ($source:ident) => {
        page!(
            "-COALESCE(k.expires_at, 9223372036854775807)",
            "''",
            $source!(concat!(
                "AND COALESCE(k.expires_at, 9223372036854775807) <= $1 \
                 AND COALESCE(k.expires_at, 9223372036854775807) <= -CAST($6 AS BIGINT) \
                 AND (COALESCE(k.expires_at, 9223372036854775807) < -CAST($6 AS BIGINT) OR k.id > $8) ",
                row_matching!(),
                "ORDER BY COALESCE(k.expires_at, 9223372036854775807) DESC, k.id "
            )),
            "k.id"
        )
    };
}

/// $6: before this place.
macro_rules! by_past_end_before {
    ($source:ident) => {
        page!(
            "-COALESCE(k.expires_at, 9223372036854775807)",
            "''",
            $source!(concat!(
                "AND COALESCE(k.expires_at, 9223372036854775807) <= $1 \
                 AND COALESCE(k.expires_at, 9223372036854775807) >= -CAST($6 AS BIGINT) \
                 AND (COALESCE(k.expires_at, 9223372036854775807) > -CAST($6 AS BIGINT) OR k.id < $8) ",
                row_matching!(),
                "ORDER BY COALESCE(k.expires_at, 9223372036854775807), k.id DESC "
            )),
            "k.id"
        )
    };
}

/// Counts the matching keys, up to [`COUNT_MAX`] + 1.
macro_rules! count {
    ($from:expr) => {
        concat!("SELECT COUNT(*) FROM (SELECT 1 ", $from, "LIMIT 10001) AS counted")
    };
}

const WALK_NEWEST: &str = newest!(walk, "");
const WALK_NEWEST_BEFORE: &str = newest_before!(walk, "");
const WALK_NEWEST_ROWS: &str = newest!(walk, row_matching!());
const WALK_NEWEST_ROWS_BEFORE: &str = newest_before!(walk, row_matching!());
const WALK_BY_NAME: &str = by_name!(walk);
const WALK_BY_NAME_BEFORE: &str = by_name_before!(walk);
const WALK_BY_USE: &str = by_use!(walk);
const WALK_BY_USE_BEFORE: &str = by_use_before!(walk);
const WALK_BY_END: &str = by_end!(walk);
const WALK_BY_END_BEFORE: &str = by_end_before!(walk);
const WALK_BY_PAST_END: &str = by_past_end!(walk);
const WALK_BY_PAST_END_BEFORE: &str = by_past_end_before!(walk);
const PROJECT_NEWEST: &str = newest!(project, "");
const PROJECT_NEWEST_BEFORE: &str = newest_before!(project, "");
const PROJECT_NEWEST_ROWS: &str = newest!(project, row_matching!());
const PROJECT_NEWEST_ROWS_BEFORE: &str = newest_before!(project, row_matching!());
const PROJECT_BY_NAME: &str = by_name!(project);
const PROJECT_BY_NAME_BEFORE: &str = by_name_before!(project);
const PROJECT_BY_USE: &str = by_use!(project);
const PROJECT_BY_USE_BEFORE: &str = by_use_before!(project);
const PROJECT_BY_END: &str = by_end!(project);
const PROJECT_BY_END_BEFORE: &str = by_end_before!(project);
const PROJECT_BY_PAST_END: &str = by_past_end!(project);
const PROJECT_BY_PAST_END_BEFORE: &str = by_past_end_before!(project);
const MEMBER_NEWEST: &str = newest!(member, "");
const MEMBER_NEWEST_BEFORE: &str = newest_before!(member, "");
const MEMBER_BY_NAME: &str = by_name!(member);
const MEMBER_BY_NAME_BEFORE: &str = by_name_before!(member);
const MEMBER_BY_USE: &str = by_use!(member);
const MEMBER_BY_USE_BEFORE: &str = by_use_before!(member);
const MEMBER_BY_END: &str = by_end!(member);
const MEMBER_BY_END_BEFORE: &str = by_end_before!(member);
const MEMBER_BY_PAST_END: &str = by_past_end!(member);
const MEMBER_BY_PAST_END_BEFORE: &str = by_past_end_before!(member);
const FEW_BY_NAME: &str = by_name!(few);
const FEW_BY_NAME_BEFORE: &str = by_name_before!(few);
const FEW_BY_USE: &str = by_use!(few);
const FEW_BY_USE_BEFORE: &str = by_use_before!(few);
const FEW_BY_END: &str = by_end!(few);
const FEW_BY_END_BEFORE: &str = by_end_before!(few);
const FEW_BY_PAST_END: &str = by_past_end!(few);
const FEW_BY_PAST_END_BEFORE: &str = by_past_end_before!(few);
const UNUSED_NEWEST: &str = newest!(unused, "");
const UNUSED_NEWEST_BEFORE: &str = newest_before!(unused, "");
const UNUSED_BY_NAME: &str = by_name!(unused);
const UNUSED_BY_NAME_BEFORE: &str = by_name_before!(unused);
const UNUSED_BY_USE: &str = by_use!(unused);
const UNUSED_BY_USE_BEFORE: &str = by_use_before!(unused);
const UNUSED_BY_END: &str = by_end!(unused);
const UNUSED_BY_END_BEFORE: &str = by_end_before!(unused);
const UNUSED_BY_PAST_END: &str = by_past_end!(unused);
const UNUSED_BY_PAST_END_BEFORE: &str = by_past_end_before!(unused);
const LEFT_NEWEST: &str = newest!(left, "");
const LEFT_NEWEST_BEFORE: &str = newest_before!(left, "");
const LEFT_BY_NAME: &str = by_name!(left);
const LEFT_BY_NAME_BEFORE: &str = by_name_before!(left);
const LEFT_BY_USE: &str = by_use!(left);
const LEFT_BY_USE_BEFORE: &str = by_use_before!(left);
const LEFT_BY_END: &str = by_end!(left);
const LEFT_BY_END_BEFORE: &str = by_end_before!(left);
const LEFT_BY_PAST_END: &str = by_past_end!(left);
const LEFT_BY_PAST_END_BEFORE: &str = by_past_end_before!(left);
const DELETED_NEWEST: &str = newest!(deleted, "");
const DELETED_NEWEST_BEFORE: &str = newest_before!(deleted, "");
const DELETED_BY_NAME: &str = by_name!(deleted);
const DELETED_BY_NAME_BEFORE: &str = by_name_before!(deleted);
const DELETED_BY_USE: &str = by_use!(deleted);
const DELETED_BY_USE_BEFORE: &str = by_use_before!(deleted);
const DELETED_BY_END: &str = by_end!(deleted);
const DELETED_BY_END_BEFORE: &str = by_end_before!(deleted);
const DELETED_BY_PAST_END: &str = by_past_end!(deleted);
const DELETED_BY_PAST_END_BEFORE: &str = by_past_end_before!(deleted);
const ISSUED_NEWEST: &str = newest!(issued, row_matching!());
const ISSUED_NEWEST_BEFORE: &str = newest_before!(issued, row_matching!());

const COUNT_WALK: &str = count!(walk!(""));
const COUNT_PROJECT: &str = count!(project!(""));
const COUNT_PROJECT_ROWS: &str = count!(project!(concat!("AND k.id >= $18 ", row_matching!())));
const COUNT_MEMBER: &str = count!(member!(""));
const COUNT_ISSUED: &str = count!(issued!(row_matching!()));
const COUNT_UNUSED: &str = count!(unused!(""));
const COUNT_LEFT: &str = count!(left!(""));
const COUNT_DELETED: &str = count!(deleted!(""));
/// Counts the keys that expire after now and by $6.
const COUNT_EXPIRING: &str = count!(walk!(concat!(
    "AND COALESCE(k.expires_at, 9223372036854775807) > $1 AND COALESCE(k.expires_at, 9223372036854775807) <= $6 ",
    row_matching!()
)));
const COUNT_EXPIRING_OF_PROJECT: &str =
    count!(project!(concat!("AND k.expires_at > $1 AND k.expires_at <= $6 ", row_matching!())));
const COUNT_EXPIRING_OF_MEMBER: &str =
    count!(member!(concat!("AND k.expires_at > $1 AND k.expires_at <= $6 ", row_matching!())));

/// Selects the id at the maximum distance that a search reads from its start.
const SEARCH_END: &str = "SELECT k.id FROM keys k WHERE k.project_id = $1 AND k.deleted_at IS NULL AND k.id < $2 \
    ORDER BY k.id DESC LIMIT 1 OFFSET $3";

/// The cursor of a page: it begins after the key with this place, title and id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyCursor {
    /// The sort value if it is a number, ascending. For a list by status, the sort order of the status.
    pub place: i64,
    /// The sort value if it is a text.
    pub title: String,
    pub id: Uuid,
}

impl KeyCursor {
    /// Returns the cursor before the first key.
    pub fn start() -> Self {
        Self { place: -i64::MAX, title: String::new(), id: Uuid::max() }
    }

    fn is_start(&self) -> bool {
        self.place == -i64::MAX
    }
}

/// The side of a cursor on which a page is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    After,
    Before,
}

/// A part of a list with its own statement. The parts follow each other.
struct Segment {
    order: Order,
    /// The sort order of the only status in this part.
    rank: Option<i64>,
    /// The cursors before the first and after the last key.
    bounds: [KeyCursor; 2],
}

/// Returns the parts of a list, in the order of the list.
fn segments(sort: Sort, status: Option<Status>) -> Vec<Segment> {
    let only = status.filter(|it| *it != Status::Deleted);
    let rank = only.map(status_sort_order);
    let at = |place: i64, id: Uuid| KeyCursor { place, title: String::new(), id };
    let whole = |order| vec![Segment { order, rank, bounds: [KeyCursor::start(), at(i64::MAX, Uuid::nil())] }];
    match sort {
        // One status after another, each sorted by id.
        Sort::Status if status != Some(Status::Deleted) => STATUSES
            .into_iter()
            .filter(|it| only.is_none_or(|only| only == *it))
            .map(|it| Segment {
                order: Order::Newest,
                rank: Some(status_sort_order(it)),
                bounds: [Uuid::max(), Uuid::nil()].map(|id| at(status_sort_order(it), id)),
            })
            .collect(),
        Sort::Status | Sort::Newest => whole(Order::Newest),
        Sort::Name => whole(Order::Name),
        Sort::Used => whole(Order::Used),
        // An active key has not expired.
        Sort::Expires => {
            let coming = Segment { order: Order::End, rank, bounds: [at(0, Uuid::max()), at(i64::MAX, Uuid::nil())] };
            let past =
                Segment { order: Order::PastEnd, rank, bounds: [at(-i64::MAX, Uuid::nil()), at(-1, Uuid::max())] };
            match only {
                Some(Status::Active) => vec![coming],
                Some(Status::Expired) => vec![past],
                _ => vec![coming, past],
            }
        }
    }
}

impl Segment {
    /// Whether the key of a cursor is in this part.
    fn contains(&self, sort: Sort, cursor: &KeyCursor) -> bool {
        match (sort, self.order) {
            (Sort::Status, Order::Newest) => self.bounds[0].place == cursor.place || self.rank.is_none(),
            (_, Order::End) => cursor.place >= 0,
            (_, Order::PastEnd) => cursor.place < 0,
            _ => true,
        }
    }
}

/// A row of the list, with its cursor values.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct ListedRow {
    pub place: i64,
    pub title: String,
    #[sqlx(flatten)]
    pub key: KeyRow,
}

/// Totals of a list, each up to [`COUNT_MAX`] + 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Keys that match the filter.
    pub total: i64,
    /// Keys that match the filter, are active, and expire within the given time.
    pub expiring: i64,
    /// Keys that are not deleted, regardless of the filter.
    pub not_deleted: i64,
    /// Deleted keys, regardless of the filter.
    pub deleted: i64,
    /// Keys that are not deleted in the filter's project, or in the projects of the filter's user.
    scope: i64,
}

/// The source of a list, which selects its statements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    Walk,
    Project,
    Member,
    Few,
    Unused,
    Left,
    Issued,
    Deleted,
}

const MOST: i64 = COUNT_MAX as i64;

impl KeyQuery<'_> {
    /// Returns the user whose projects are listed, and that user's required role.
    fn member(&self) -> (Option<Uuid>, Option<&'static str>) {
        match (self.visibility, self.owner) {
            (Visibility::MemberOf(user), _) => (Some(user), None),
            (Visibility::All, Some(owner)) => (Some(owner), Some("owner")),
            (Visibility::All, None) => (None, None),
        }
    }

    /// Returns the source without the filter: a project, a user's projects, or all keys.
    fn scope(&self) -> Source {
        match (self.project, self.member().0) {
            (Some(_), _) => Source::Project,
            (None, Some(_)) => Source::Member,
            (None, None) => Source::Walk,
        }
    }

    /// Returns the source for counting the matching keys.
    fn count_source(&self) -> Source {
        match (self.status, self.view) {
            (Some(Status::Deleted), _) => Source::Deleted,
            (_, Some(ReviewFilter::Unused)) => Source::Unused,
            (_, Some(ReviewFilter::Orphaned)) => Source::Left,
            _ if self.issued_to.is_some() && self.project.is_some() => Source::Issued,
            _ => self.scope(),
        }
    }

    /// Returns the source for a page, depending on the sort order and the totals.
    fn page_source(&self, sort: Sort, counts: &Counts) -> Source {
        let by_id = matches!(sort, Sort::Status | Sort::Newest);
        let narrows = self.status.is_some()
            || self.environment.is_some()
            || self.expires_by.is_some()
            || self.view == Some(ReviewFilter::NoExpiry);
        match self.count_source() {
            Source::Unused | Source::Left if counts.total > MOST => Source::Walk,
            source @ (Source::Unused | Source::Left | Source::Issued | Source::Deleted) => source,
            Source::Project if by_id => Source::Project,
            source if by_id && (source == Source::Walk || counts.scope <= MOST) => source,
            _ if by_id => Source::Walk,
            source @ (Source::Project | Source::Member) if counts.scope <= MOST => source,
            _ if narrows && counts.total <= MOST => Source::Few,
            _ => Source::Walk,
        }
    }

    /// Returns whether a walk needs conditions on columns outside the index.
    fn reads_rows(&self) -> bool {
        self.text.is_some()
            || self.issued_to.is_some()
            || matches!(self.view, Some(ReviewFilter::Unused | ReviewFilter::Orphaned))
    }
}

/// The order of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Newest,
    Name,
    Used,
    /// Keys that have not expired.
    End,
    /// Expired keys.
    PastEnd,
}

/// Returns the statements for a page after and before a cursor.
const fn page_of(source: Source, order: Order, rows: bool) -> [&'static str; 2] {
    match (source, order) {
        (Source::Walk, Order::Newest) if rows => [WALK_NEWEST_ROWS, WALK_NEWEST_ROWS_BEFORE],
        (Source::Walk, Order::Newest) => [WALK_NEWEST, WALK_NEWEST_BEFORE],
        (Source::Walk, Order::Name) => [WALK_BY_NAME, WALK_BY_NAME_BEFORE],
        (Source::Walk, Order::Used) => [WALK_BY_USE, WALK_BY_USE_BEFORE],
        (Source::Walk, Order::End) => [WALK_BY_END, WALK_BY_END_BEFORE],
        (Source::Walk, Order::PastEnd) => [WALK_BY_PAST_END, WALK_BY_PAST_END_BEFORE],
        (Source::Project, Order::Newest) if rows => [PROJECT_NEWEST_ROWS, PROJECT_NEWEST_ROWS_BEFORE],
        (Source::Project, Order::Newest) => [PROJECT_NEWEST, PROJECT_NEWEST_BEFORE],
        (Source::Project, Order::Name) => [PROJECT_BY_NAME, PROJECT_BY_NAME_BEFORE],
        (Source::Project, Order::Used) => [PROJECT_BY_USE, PROJECT_BY_USE_BEFORE],
        (Source::Project, Order::End) => [PROJECT_BY_END, PROJECT_BY_END_BEFORE],
        (Source::Project, Order::PastEnd) => [PROJECT_BY_PAST_END, PROJECT_BY_PAST_END_BEFORE],
        (Source::Member, Order::Newest) => [MEMBER_NEWEST, MEMBER_NEWEST_BEFORE],
        (Source::Member, Order::Name) => [MEMBER_BY_NAME, MEMBER_BY_NAME_BEFORE],
        (Source::Member, Order::Used) => [MEMBER_BY_USE, MEMBER_BY_USE_BEFORE],
        (Source::Member, Order::End) => [MEMBER_BY_END, MEMBER_BY_END_BEFORE],
        (Source::Member, Order::PastEnd) => [MEMBER_BY_PAST_END, MEMBER_BY_PAST_END_BEFORE],
        (Source::Few, Order::Newest | Order::Name) => [FEW_BY_NAME, FEW_BY_NAME_BEFORE],
        (Source::Few, Order::Used) => [FEW_BY_USE, FEW_BY_USE_BEFORE],
        (Source::Few, Order::End) => [FEW_BY_END, FEW_BY_END_BEFORE],
        (Source::Few, Order::PastEnd) => [FEW_BY_PAST_END, FEW_BY_PAST_END_BEFORE],
        (Source::Unused, Order::Newest) => [UNUSED_NEWEST, UNUSED_NEWEST_BEFORE],
        (Source::Unused, Order::Name) => [UNUSED_BY_NAME, UNUSED_BY_NAME_BEFORE],
        (Source::Unused, Order::Used) => [UNUSED_BY_USE, UNUSED_BY_USE_BEFORE],
        (Source::Unused, Order::End) => [UNUSED_BY_END, UNUSED_BY_END_BEFORE],
        (Source::Unused, Order::PastEnd) => [UNUSED_BY_PAST_END, UNUSED_BY_PAST_END_BEFORE],
        (Source::Left, Order::Newest) => [LEFT_NEWEST, LEFT_NEWEST_BEFORE],
        (Source::Left, Order::Name) => [LEFT_BY_NAME, LEFT_BY_NAME_BEFORE],
        (Source::Left, Order::Used) => [LEFT_BY_USE, LEFT_BY_USE_BEFORE],
        (Source::Left, Order::End) => [LEFT_BY_END, LEFT_BY_END_BEFORE],
        (Source::Left, Order::PastEnd) => [LEFT_BY_PAST_END, LEFT_BY_PAST_END_BEFORE],
        (Source::Deleted, Order::Newest) => [DELETED_NEWEST, DELETED_NEWEST_BEFORE],
        (Source::Deleted, Order::Name) => [DELETED_BY_NAME, DELETED_BY_NAME_BEFORE],
        (Source::Deleted, Order::Used) => [DELETED_BY_USE, DELETED_BY_USE_BEFORE],
        (Source::Deleted, Order::End) => [DELETED_BY_END, DELETED_BY_END_BEFORE],
        (Source::Deleted, Order::PastEnd) => [DELETED_BY_PAST_END, DELETED_BY_PAST_END_BEFORE],
        (Source::Issued, _) => [ISSUED_NEWEST, ISSUED_NEWEST_BEFORE],
    }
}

/// Returns the statement for a total.
fn count_of(source: Source, rows: bool) -> &'static str {
    match source {
        Source::Walk | Source::Few => COUNT_WALK,
        Source::Project if rows => COUNT_PROJECT_ROWS,
        Source::Project => COUNT_PROJECT,
        Source::Member => COUNT_MEMBER,
        Source::Unused => COUNT_UNUSED,
        Source::Left => COUNT_LEFT,
        Source::Issued => COUNT_ISSUED,
        Source::Deleted => COUNT_DELETED,
    }
}

/// Binds the parameters of the statements in this file. Each statement uses only those that it names.
macro_rules! bound {
    ($query:expr, $wanted:expr, $given:expr) => {{
        let (wanted, given) = ($wanted, $given);
        let (member, role) = wanted.member();
        $query
            .bind(wanted.now)
            .bind(wanted.project)
            .bind(wanted.environment.map(Environment::as_str))
            .bind(member)
            .bind(role)
            .bind(given.after.place)
            .bind(given.after.title.as_str())
            .bind(given.after.id)
            .bind(wanted.unused)
            .bind(given.limit)
            .bind(wanted.view == Some(ReviewFilter::NoExpiry))
            .bind(wanted.ended)
            .bind(given.rank)
            .bind(wanted.view.map(ReviewFilter::as_str))
            .bind(wanted.text.map(like::folded))
            .bind(wanted.text.map(like::lower))
            .bind(wanted.issued_to)
            .bind(given.until)
            .bind(wanted.expires_by)
    }};
}

struct Given<'a> {
    after: &'a KeyCursor,
    limit: i64,
    rank: Option<i64>,
    until: Uuid,
}

/// Maximum number of keys that a search reads for one page.
const SEARCHED: i64 = 100_000;

/// Returns the last key that a search in a project reads, or `None` if it reaches the end of the project's keys.
pub async fn search_end(conn: &mut Engine<'_>, project: Uuid, after: Uuid) -> Result<Option<Uuid>, Error> {
    Ok(with_engine!(conn, c => sqlx::query_scalar(SEARCH_END)
        .bind(project)
        .bind(after)
        .bind(SEARCHED)
        .fetch_optional(c)
        .await?))
}

/// Returns the matching keys next to the cursor on one side of it, at most `limit`, in the order of the list. A search
/// reads down to `until`, or to the end if `until` is nil.
#[expect(clippy::too_many_arguments, reason = "each is a part of the request for a page")]
pub async fn page(
    conn: &mut Engine<'_>,
    wanted: &KeyQuery<'_>,
    sort: Sort,
    counts: &Counts,
    cursor: &KeyCursor,
    direction: Direction,
    until: Uuid,
    limit: i64,
) -> Result<Vec<ListedRow>, Error> {
    let source = wanted.page_source(sort, counts);
    let mut segments = segments(sort, wanted.status);
    if direction == Direction::Before {
        segments.reverse();
    }
    // A cursor of another filter can be in none of the parts. The list then begins anew.
    let first = match cursor.is_start() {
        true => None,
        false => segments.iter().position(|it| it.contains(sort, cursor)),
    };
    let mut parts: Vec<Vec<ListedRow>> = Vec::new();
    let mut left = limit;
    for (at, segment) in segments.iter().enumerate().skip(first.unwrap_or_default()) {
        if left == 0 {
            break;
        }
        let bound = &segment.bounds[usize::from(direction == Direction::Before)];
        let after = if Some(at) == first { cursor } else { bound };
        let sql = page_of(source, segment.order, wanted.reads_rows())[usize::from(direction == Direction::Before)];
        let given = Given { after, limit: left, rank: segment.rank, until };
        let mut rows: Vec<ListedRow> =
            with_engine!(conn, c => bound!(sqlx::query_as(sql), wanted, given).fetch_all(c).await?);
        if sort == Sort::Status && segment.rank.is_some() {
            rows.iter_mut().for_each(|row| row.place = segment.bounds[0].place);
        }
        left -= i64::try_from(rows.len()).unwrap_or(left);
        parts.push(rows);
    }
    if direction == Direction::Before {
        parts.reverse();
    }
    Ok(parts.into_iter().flatten().collect())
}

/// Returns the matching keys after the id `after`, newest first, at most `limit`. For lists that show no totals: the
/// filter may name a text or a recipient without a project, but no owner and no view. Only with [`Visibility::All`].
pub async fn newest(
    conn: &mut Engine<'_>,
    wanted: &KeyQuery<'_>,
    after: Uuid,
    limit: i64,
) -> Result<Vec<KeyRow>, Error> {
    let sql = page_of(wanted.count_source(), Order::Newest, wanted.reads_rows())[0];
    let only = wanted.status.filter(|it| *it != Status::Deleted);
    let after = KeyCursor { id: after, ..KeyCursor::start() };
    let given = Given { after: &after, limit, rank: only.map(status_sort_order), until: Uuid::nil() };
    let rows: Vec<ListedRow> = with_engine!(conn, c => bound!(sqlx::query_as(sql), wanted, given).fetch_all(c).await?);
    Ok(rows.into_iter().map(|row| row.key).collect())
}

/// Counts the keys. `soon` is the end of the period in which keys count as expiring. A search counts from its start
/// down to `until`.
pub async fn counts(conn: &mut Engine<'_>, wanted: &KeyQuery<'_>, soon: i64, until: Uuid) -> Result<Counts, Error> {
    let start = KeyCursor { place: soon, ..KeyCursor::start() };
    let given = |rank| Given { after: &start, limit: MOST, rank, until };
    let only = wanted.status.filter(|it| *it != Status::Deleted).map(status_sort_order);
    // Only the visibility remains of the filter.
    let all = KeyQuery {
        status: None,
        project: None,
        environment: None,
        owner: None,
        view: None,
        text: None,
        issued_to: None,
        expires_by: None,
        ..*wanted
    };
    let scope = KeyQuery { project: wanted.project, owner: wanted.owner, ..all };
    let expiring = KeyQuery { text: None, issued_to: None, ..*wanted };
    let mut count = async |sql: &'static str, wanted: &KeyQuery<'_>, rank: Option<i64>| {
        Ok::<i64, Error>(
            with_engine!(conn, c => bound!(sqlx::query_scalar(sql), wanted, given(rank)).fetch_one(c).await?),
        )
    };
    let total = count(count_of(wanted.count_source(), wanted.text.is_some()), wanted, only).await?;
    let is_of_active = matches!(wanted.status, None | Some(Status::Active));
    let due = match (wanted.scope(), wanted.view) {
        _ if !is_of_active || wanted.text.is_some() || wanted.issued_to.is_some() => 0,
        (_, Some(ReviewFilter::NoExpiry)) => 0,
        (Source::Project, _) => count(COUNT_EXPIRING_OF_PROJECT, &expiring, Some(0)).await?,
        (Source::Member, _) => count(COUNT_EXPIRING_OF_MEMBER, &expiring, Some(0)).await?,
        _ => count(COUNT_EXPIRING, &expiring, Some(0)).await?,
    };
    let kept = count(count_of(all.scope(), false), &all, None).await?;
    let scope = match wanted.scope() {
        Source::Walk => kept,
        source => count(count_of(source, false), &scope, None).await?,
    };
    Ok(Counts { total, expiring: due, not_deleted: kept, deleted: count(COUNT_DELETED, &all, None).await?, scope })
}
