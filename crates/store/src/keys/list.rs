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

/// $1: the current time; $3: the environment; $11: only keys that never expire; $13: the sort order of the status.
macro_rules! matching {
    () => {
        concat!(
            scope!(),
            " AND k.deleted_at IS NULL AND ($13 IS NULL OR CASE WHEN NOT k.active THEN 3 WHEN k.not_before > $1 THEN 1 \
             WHEN k.expires_at <= $1 THEN 2 ELSE 0 END = $13) AND ($3 IS NULL OR k.environment = $3) \
             AND (NOT $11 OR k.expires_at IS NULL) "
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

/// Selects a page: first the cursor values and ids, then the rows with these ids. $10: the limit.
macro_rules! page {
    ($place:literal, $title:literal, $from:expr) => {
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
             ORDER BY s.place, s.title, k.id DESC"
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

/// $6: after this place, which is the expiry. Keys that never expire come last.
macro_rules! by_end {
    ($source:ident) => {
        page!(
            "COALESCE(k.expires_at, 9223372036854775807)",
            "''",
            $source!(concat!(
                "AND COALESCE(k.expires_at, 9223372036854775807) >= $6 \
                 AND (COALESCE(k.expires_at, 9223372036854775807) > $6 OR k.id < $8) ",
                row_matching!(),
                "ORDER BY COALESCE(k.expires_at, 9223372036854775807), k.id DESC "
            ))
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
const WALK_NEWEST_ROWS: &str = newest!(walk, row_matching!());
const WALK_BY_NAME: &str = by_name!(walk);
const WALK_BY_USE: &str = by_use!(walk);
const WALK_BY_END: &str = by_end!(walk);
const PROJECT_NEWEST: &str = newest!(project, "");
const PROJECT_NEWEST_ROWS: &str = newest!(project, row_matching!());
const PROJECT_BY_NAME: &str = by_name!(project);
const PROJECT_BY_USE: &str = by_use!(project);
const PROJECT_BY_END: &str = by_end!(project);
const MEMBER_NEWEST: &str = newest!(member, "");
const MEMBER_BY_NAME: &str = by_name!(member);
const MEMBER_BY_USE: &str = by_use!(member);
const MEMBER_BY_END: &str = by_end!(member);
const ISSUED_NEWEST: &str = newest!(issued, row_matching!());
const FEW_BY_NAME: &str = by_name!(few);
const FEW_BY_USE: &str = by_use!(few);
const FEW_BY_END: &str = by_end!(few);
const UNUSED_NEWEST: &str = newest!(unused, "");
const UNUSED_BY_NAME: &str = by_name!(unused);
const UNUSED_BY_USE: &str = by_use!(unused);
const UNUSED_BY_END: &str = by_end!(unused);
const LEFT_NEWEST: &str = newest!(left, "");
const LEFT_BY_NAME: &str = by_name!(left);
const LEFT_BY_USE: &str = by_use!(left);
const LEFT_BY_END: &str = by_end!(left);
const DELETED_NEWEST: &str = newest!(deleted, "");
const DELETED_BY_NAME: &str = by_name!(deleted);
const DELETED_BY_USE: &str = by_use!(deleted);
const DELETED_BY_END: &str = by_end!(deleted);

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
        let narrows = self.status.is_some() || self.environment.is_some() || self.view == Some(ReviewFilter::NoExpiry);
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

/// Returns the statement for a page.
fn page_of(source: Source, sort: Sort, rows: bool) -> &'static str {
    match (source, sort) {
        (Source::Walk, Sort::Name) => WALK_BY_NAME,
        (Source::Walk, Sort::Used) => WALK_BY_USE,
        (Source::Walk, Sort::Expires) => WALK_BY_END,
        (Source::Walk, _) => [WALK_NEWEST, WALK_NEWEST_ROWS][usize::from(rows)],
        (Source::Project, Sort::Name) => PROJECT_BY_NAME,
        (Source::Project, Sort::Used) => PROJECT_BY_USE,
        (Source::Project, Sort::Expires) => PROJECT_BY_END,
        (Source::Project, _) => [PROJECT_NEWEST, PROJECT_NEWEST_ROWS][usize::from(rows)],
        (Source::Member, Sort::Name) => MEMBER_BY_NAME,
        (Source::Member, Sort::Used) => MEMBER_BY_USE,
        (Source::Member, Sort::Expires) => MEMBER_BY_END,
        (Source::Member, _) => MEMBER_NEWEST,
        (Source::Few, Sort::Used) => FEW_BY_USE,
        (Source::Few, Sort::Expires) => FEW_BY_END,
        (Source::Few, _) => FEW_BY_NAME,
        (Source::Unused, Sort::Name) => UNUSED_BY_NAME,
        (Source::Unused, Sort::Used) => UNUSED_BY_USE,
        (Source::Unused, Sort::Expires) => UNUSED_BY_END,
        (Source::Unused, _) => UNUSED_NEWEST,
        (Source::Left, Sort::Name) => LEFT_BY_NAME,
        (Source::Left, Sort::Used) => LEFT_BY_USE,
        (Source::Left, Sort::Expires) => LEFT_BY_END,
        (Source::Left, _) => LEFT_NEWEST,
        (Source::Issued, _) => ISSUED_NEWEST,
        (Source::Deleted, Sort::Name) => DELETED_BY_NAME,
        (Source::Deleted, Sort::Used) => DELETED_BY_USE,
        (Source::Deleted, Sort::Expires) => DELETED_BY_END,
        (Source::Deleted, _) => DELETED_NEWEST,
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

/// Returns the matching keys after the cursor, at most `limit`. A search reads down to `until`, or to the end if
/// `until` is nil.
pub async fn page(
    conn: &mut Engine<'_>,
    wanted: &KeyQuery<'_>,
    sort: Sort,
    counts: &Counts,
    after: &KeyCursor,
    until: Uuid,
    limit: i64,
) -> Result<Vec<ListedRow>, Error> {
    let sql = page_of(wanted.page_source(sort, counts), sort, wanted.reads_rows());
    let only = wanted.status.filter(|it| *it != Status::Deleted);
    let is_sorted_by_status = sort == Sort::Status && wanted.status != Some(Status::Deleted);
    if !is_sorted_by_status {
        let given = Given { after, limit, rank: only.map(status_sort_order), until };
        return Ok(with_engine!(conn, c => bound!(sqlx::query_as(sql), wanted, given).fetch_all(c).await?));
    }
    // One status after another, each sorted by id.
    let mut found: Vec<ListedRow> = Vec::new();
    for status in STATUSES.into_iter().filter(|it| only.is_none_or(|only| only == *it)) {
        let (place, left) = (status_sort_order(status), limit - i64::try_from(found.len()).unwrap_or(limit));
        if place < after.place || left == 0 {
            continue;
        }
        let start = KeyCursor { id: if place == after.place { after.id } else { Uuid::max() }, ..KeyCursor::start() };
        let given = Given { after: &start, limit: left, rank: Some(place), until };
        let rows: Vec<ListedRow> =
            with_engine!(conn, c => bound!(sqlx::query_as(sql), wanted, given).fetch_all(c).await?);
        found.extend(rows.into_iter().map(|row| ListedRow { place, ..row }));
    }
    Ok(found)
}

/// Returns the matching keys after the id `after`, newest first, at most `limit`. For lists that show no totals: the
/// filter may name a text or a recipient without a project, but no owner and no view. Only with [`Visibility::All`].
pub async fn newest(
    conn: &mut Engine<'_>,
    wanted: &KeyQuery<'_>,
    after: Uuid,
    limit: i64,
) -> Result<Vec<KeyRow>, Error> {
    let sql = page_of(wanted.count_source(), Sort::Newest, wanted.reads_rows());
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
