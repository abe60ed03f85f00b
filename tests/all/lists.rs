//! Lists of many keys: every sort order and filter returns the same keys as a plain sort, totals are bounded, and lists
//! leave database connections to programs.

use crate::support::{Engine, TestServer};
use keyward::{
    domain::{
        filter::{KeyFilter, ReviewFilter, Sort},
        ids::ProjectId,
        key::Status,
        time::{DAY, Timestamp},
    },
    service::{Error, actor::Caller, read_list},
    store::{
        self,
        demo::KeyWithState,
        keys::{Direction, KeyCursor, KeyFields, KeyQuery, KeyRow, ListedRow, NewKeyRow, Visibility},
        write_queue::WriteOutcome,
    },
};
use sqlx::{Connection as _, PgConnection};
use std::{collections::BTreeSet, time::Duration};
use uuid::Uuid;

/// More keys than a list counts, so that each sort order is read along its index.
const MANY: i64 = 10_050;
/// Page size. Some statements sort the whole list for each page.
const PAGE: i64 = 2_400;
/// A statement that runs for minutes.
const ENDLESS_QUERY: &str =
    "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 2000000000) SELECT COUNT(*) FROM n";

/// Inserts keys in many states: active, expired, and scheduled ones.
pub async fn insert_keys(bench: &TestServer, maker: &Caller, project: ProjectId, count: i64) {
    let now = bench.app.context.now();
    let keys: Vec<KeyWithState> = (0..count)
        .map(|n| {
            let at = now.plus_seconds(-(n % 300) * DAY).micros() - n;
            KeyWithState {
                key: NewKeyRow {
                    id: uuid::Builder::from_unix_timestamp_millis(
                        u64::try_from(at / 1_000).unwrap(),
                        &crate::support::random(),
                    )
                    .into_uuid(),
                    project_id: project.into(),
                    environment: if n % 3 == 0 { "test" } else { "live" },
                    digest: crate::support::random(),
                    preview: format!("kw_live_{n:04}"),
                    fields: KeyFields {
                        name: format!(
                            "{} {}",
                            ["Émile", "emile", "Zebra", "apple", "Ночная"][(n % 5) as usize],
                            n % 97
                        ),
                        scopes: vec!["data:read".into()],
                        issued_to: (n % 7 == 0).then(|| format!("Kunde {}", n % 70)),
                        not_before: (n % 50 == 1).then(|| now.plus_seconds(DAY)),
                        expires_at: (n % 4 != 0).then(|| now.plus_seconds((n % 60 - 30) * DAY)),
                        ..KeyFields::default()
                    },
                    form_number: None,
                    request_digest: None,
                    created_by: Some(maker.user.into()),
                    created_by_name: "maker".into(),
                    created_at: at,
                },
                active: n % 11 != 0,
                deleted_at: (n % 500 == 3).then(|| now.plus_seconds(-DAY).micros()),
                updated_at: at,
                last_used_at: (n % 2 == 0).then(|| now.plus_seconds(-(n % 200) * DAY).micros()),
            }
        })
        .collect();
    let write = bench.app.context.queue.write(move |tx| {
        let keys = keys.clone();
        Box::pin(async move {
            store::demo::insert_keys(tx, &keys).await?;
            Ok::<_, store::Error>(WriteOutcome::unaudited(()))
        })
    });
    write.await.unwrap();
}

fn key_query(now: Timestamp) -> KeyQuery<'static> {
    KeyQuery {
        visibility: Visibility::All,
        status: None,
        project: None,
        environment: None,
        owner: None,
        view: None,
        text: None,
        issued_to: None,
        expires_by: None,
        unused: now.plus_seconds(-90 * DAY).micros(),
        now: now.micros(),
        ended: now.plus_seconds(-7 * DAY).micros(),
    }
}

fn status_sort_order(row: &KeyRow, now: Timestamp) -> u8 {
    match row.lifecycle().status(now) {
        Status::Active => 0,
        Status::Scheduled => 1,
        Status::Expired => 2,
        Status::Inactive => 3,
        Status::Deleted => 4,
    }
}

/// Reads the ids of a whole list, page by page, forwards. Then reads it backwards from its last key, and asserts that
/// both are the same.
async fn load_all_pages(conn: &mut store::Engine<'_>, wanted: &KeyQuery<'_>, sort: Sort) -> (Vec<Uuid>, i64) {
    let counts = store::keys::counts(conn, wanted, wanted.now, Uuid::nil()).await.unwrap();
    let at = |row: &ListedRow| KeyCursor { place: row.place, title: row.title.clone(), id: row.key.id };
    let (mut found, mut cursor) = (Vec::new(), KeyCursor::start());
    loop {
        let rows = page(conn, wanted, sort, &counts, &cursor, Direction::After).await;
        found.extend(rows.iter().map(|row| row.key.id));
        if let Some(last) = rows.last() {
            cursor = at(last);
        }
        if (rows.len() as i64) < PAGE {
            break;
        }
    }
    let mut before: Vec<Uuid> = found.last().copied().into_iter().collect();
    while !before.is_empty() {
        let rows = page(conn, wanted, sort, &counts, &cursor, Direction::Before).await;
        before.splice(0..0, rows.iter().map(|row| row.key.id));
        match rows.first() {
            Some(first) => cursor = at(first),
            None => break,
        }
    }
    assert_eq!(before, found, "backwards, {sort:?}");
    (found, counts.total)
}

async fn page(
    conn: &mut store::Engine<'_>,
    wanted: &KeyQuery<'_>,
    sort: Sort,
    counts: &store::keys::Counts,
    cursor: &KeyCursor,
    direction: Direction,
) -> Vec<ListedRow> {
    store::keys::page(conn, wanted, sort, counts, cursor, direction, Uuid::nil(), PAGE).await.unwrap()
}

/// Returns the expected ids of a list, sorted in Rust.
fn expected(rows: &[KeyRow], now: Timestamp, sort: Sort, fits: impl Fn(&KeyRow) -> bool) -> Vec<Uuid> {
    let mut rows: Vec<_> = rows.iter().filter(|row| fits(row)).collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.id));
    match sort {
        Sort::Status => rows.sort_by_cached_key(|row| status_sort_order(row, now)),
        // For a list by name, only the set of ids is compared.
        Sort::Newest | Sort::Name => {}
        Sort::Used => rows.sort_by_key(|row| -row.last_used_at.unwrap_or_default()),
        // Those that expire next, those that never expire, then the expired ones: the latest first, and equal ones from the
        // oldest.
        Sort::Expires => rows.sort_by_key(|row| match row.expires_at.unwrap_or(i64::MAX) {
            at if at > now.micros() => (false, at, Uuid::nil()),
            at => (true, -at, row.id),
        }),
    }
    rows.into_iter().map(|row| row.id).collect()
}

/// Asserts that two lists are equal.
///
/// The database may order two folded names differently. For a list by name, only the sets are compared.
fn assert_same(found: &[Uuid], wanted: &[Uuid], sort: Sort, what: &str) {
    if sort == Sort::Name {
        let set = |ids: &[Uuid]| ids.iter().copied().collect::<BTreeSet<_>>();
        assert_eq!((found.len(), set(found)), (wanted.len(), set(wanted)), "{what}");
    } else {
        assert_eq!(found, wanted, "{what}");
    }
}

on_both_engines! {
    async fn every_order_and_filter_of_many_keys_is_that_of_a_plain_sort(bench: TestServer) {
        let maren = bench.create_user("maren@pelagic.example", false).await;
        let tove = bench.create_user("tove@pelagic.example", false).await;
        let large = bench.app.keys.new_key_form(&maren).await.unwrap().projects[0].id;
        let small = bench.app.keys.new_key_form(&tove).await.unwrap().projects[0].id;
        insert_keys(&bench, &maren, large, MANY).await;
        insert_keys(&bench, &tove, small, 90).await;
        // Keys of a user who is not a member.
        insert_keys(&bench, &maren, small, 30).await;
        let now = bench.app.context.now();
        let mut reader = bench.app.context.pool.acquire_reader().await.unwrap();
        let mut rows = store::keys::list_newest_by_project(&mut reader.conn(), large.into(), i64::MAX).await.unwrap();
        rows.extend(store::keys::list_newest_by_project(&mut reader.conn(), small.into(), i64::MAX).await.unwrap());
        let base = key_query(now);
        let live = |row: &KeyRow| row.deleted_at.is_none();
        let of = |project: ProjectId| move |row: &KeyRow| row.project_id == Uuid::from(project);
        drop(reader);
        for sort in Sort::ALL {
            let mut reader = bench.app.context.pool.acquire_reader().await.unwrap();
            let mut conn = reader.conn();
            let (found, total) = load_all_pages(&mut conn, &base, sort).await;
            assert_same(&found, &expected(&rows, now, sort, live), sort, &format!("all, {sort:?}"));
            assert_eq!(total, 10_001, "as far as it is counted");
            for project in [large, small] {
                let of_project = KeyQuery { project: Some(project.into()), ..base };
                let (found, _) = load_all_pages(&mut conn, &of_project, sort).await;
                assert_same(&found, &expected(&rows, now, sort, of(project)), sort, &format!("{project}, {sort:?}"));
            }
            for (user, project) in [(&maren, large), (&tove, small)] {
                let seen = KeyQuery { visibility: Visibility::MemberOf(user.user.into()), ..base };
                let (found, _) = load_all_pages(&mut conn, &seen, sort).await;
                assert_same(&found, &expected(&rows, now, sort, of(project)), sort, &format!("of {project}, {sort:?}"));
                let owned = KeyQuery { owner: Some(user.user.into()), ..base };
                let (found, _) = load_all_pages(&mut conn, &owned, sort).await;
                assert_same(&found, &expected(&rows, now, sort, of(project)), sort, &format!("owned {project}, {sort:?}"));
            }
            for status in [Status::Active, Status::Scheduled, Status::Expired, Status::Inactive] {
                let only = KeyQuery { status: Some(status), ..base };
                let fits = |row: &KeyRow| row.lifecycle().status(now) == status;
                let (found, total) = load_all_pages(&mut conn, &only, sort).await;
                let all = expected(&rows, now, sort, fits);
                assert_same(&found, &all, sort, &format!("{status:?}, {sort:?}"));
                assert_eq!(total, all.len() as i64);
            }
            let unused = |row: &KeyRow| row.last_used_at.unwrap_or(row.created_at) < base.unused;
            let endless = |row: &KeyRow| row.expires_at.is_none();
            let left = |row: &KeyRow| {
                row.project_id == Uuid::from(small) && row.created_by == Some(maren.user.into())
            };
            for (view, all) in [
                (ReviewFilter::Unused, expected(&rows, now, sort, unused)),
                (ReviewFilter::NoExpiry, expected(&rows, now, sort, endless)),
                (ReviewFilter::Orphaned, expected(&rows, now, sort, left)),
            ] {
                let (found, total) = load_all_pages(&mut conn, &KeyQuery { view: Some(view), ..base }, sort).await;
                assert_same(&found, &all, sort, &format!("{view:?}, {sort:?}"));
                assert_eq!(total, all.len() as i64, "{view:?}");
            }
            let soon = now.plus_seconds(7 * DAY).micros();
            let expiring = |row: &KeyRow| row.expires_at.is_some_and(|at| at > now.micros() && at <= soon);
            let (found, total) = load_all_pages(&mut conn, &KeyQuery { expires_by: Some(soon), ..base }, sort).await;
            let all = expected(&rows, now, sort, expiring);
            assert_same(&found, &all, sort, &format!("expiring, {sort:?}"));
            assert_eq!(total, all.len() as i64, "expiring");
            let deleted = KeyQuery { status: Some(Status::Deleted), ..base };
            assert_eq!(load_all_pages(&mut conn, &deleted, sort).await.1, 21 + 1 + 1, "of those that were deleted");
        }
        let mut reader = bench.app.context.pool.acquire_reader().await.unwrap();
        let mut conn = reader.conn();
        let issued = KeyQuery { project: Some(large.into()), issued_to: Some("Kunde 7"), ..base };
        let fits = |row: &KeyRow| of(large)(row) && row.issued_to.as_deref() == Some("Kunde 7");
        let all = expected(&rows, now, Sort::Newest, fits);
        assert!(!all.is_empty());
        assert_eq!(load_all_pages(&mut conn, &issued, Sort::Newest).await, (all.clone(), all.len() as i64));
        for (text, name) in [("ночная 3", "Ночная 3"), ("НОЧНАЯ 3", "Ночная 3"), ("kunde 7", "Kunde 7")] {
            let searched = KeyQuery { project: Some(large.into()), text: Some(text), ..base };
            let fits = |row: &KeyRow| {
                of(large)(row) && (row.name.contains(name) || row.issued_to.as_deref().is_some_and(|it| it.contains(name)))
            };
            let all = expected(&rows, now, Sort::Newest, fits);
            assert!(!all.is_empty());
            assert_eq!(load_all_pages(&mut conn, &searched, Sort::Newest).await, (all.clone(), all.len() as i64), "{text}");
        }
    }

    async fn a_total_is_exact_as_far_as_ten_thousand(bench: TestServer) {
        let root = bench.create_user("root@pelagic.example", true).await;
        let project = bench.app.keys.new_key_form(&root).await.unwrap().projects[0].id;
        insert_keys(&bench, &root, project, MANY).await;
        let page = bench.app.keys.list_all(&root, &KeyFilter::default(), "").await.unwrap();
        assert_eq!((page.total, page.keys.len(), page.any), (10_001, 50, true));
        let mut browser = bench.signed_in("root@pelagic.example").await;
        let page = browser.get("/admin/keys").await;
        let text = page.text();
        assert!(text.contains("10,000+ keys") && text.contains("of 10,000+"), "{text}");
        let page = browser.get(&format!("/projects/{project}/keys")).await;
        let keys = page.text();
        assert!(keys.contains("200 of 10,000+ keys"), "{keys}");
    }

    /// At most four lists run at once. A fifth list waits, while programs and the readiness check get a connection.
    async fn lists_leave_connections_to_programs(bench: TestServer) {
        let pool = &bench.app.context.pool;
        let mut lists = Vec::new();
        for _ in 0..4 {
            lists.push(pool.acquire_list_reader().await.unwrap());
        }
        let fifth = tokio::time::timeout(Duration::from_millis(200), pool.acquire_list_reader()).await;
        assert!(fifth.is_err(), "it waits for its turn");
        let current = tokio::time::timeout(Duration::from_secs(5), pool.is_current()).await;
        assert!(current.expect("a connection is left").unwrap());
        lists.pop();
        assert!(tokio::time::timeout(Duration::from_secs(5), pool.acquire_list_reader()).await.is_ok());
    }

    /// A statement of a list is stopped after its time limit. The error reports it, and the connection still works.
    async fn a_list_has_a_time_limit(bench: TestServer) {
        let pool = &bench.app.context.pool;
        let mut list = pool.acquire_list_reader().await.unwrap();
        let mut conn = list.conn();
        let error = match &mut conn {
            store::Engine::Sqlite(c) => sqlx::query(ENDLESS_QUERY).fetch_one(&mut **c).await.map(|_| ()),
            store::Engine::Postgres(c) => sqlx::query(ENDLESS_QUERY).fetch_one(&mut **c).await.map(|_| ()),
        };
        let error = store::Error::from(error.expect_err("it is stopped"));
        assert!(error.is_time_limit(), "{error}");
        let error = read_list(async { Err::<(), _>(Error::from(error)) }).await.unwrap_err();
        assert!(matches!(error, Error::TooLong), "{error}");
        drop(list);
        for _ in 0..9 {
            assert!(pool.is_current().await.unwrap());
        }
    }
}

/// A list on PostgreSQL that reaches its time limit reports this, as on SQLite.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_a_slow_list_returns_an_error() {
    let bench = TestServer::new(Engine::Postgres).await;
    let maren = bench.create_user("maren@pelagic.example", false).await;
    let store::Location::Postgres(url) = &bench.location else { unreachable!("it is PostgreSQL") };
    let mut other = PgConnection::connect(url).await.unwrap();
    sqlx::query("BEGIN").execute(&mut other).await.unwrap();
    sqlx::query("LOCK TABLE keys IN ACCESS EXCLUSIVE MODE").execute(&mut other).await.unwrap();
    let error = bench.app.keys.list(&maren, &KeyFilter::default(), "").await.unwrap_err();
    assert!(matches!(error, Error::TooLong), "{error}");
    sqlx::query("ROLLBACK").execute(&mut other).await.unwrap();
    bench.app.keys.list(&maren, &KeyFilter::default(), "").await.unwrap();
}

/// A list on SQLite is stopped. Later statements on the same connection have no time limit.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_time_limit_of_a_list_ends_with_the_list() {
    let bench = TestServer::new(Engine::Sqlite).await;
    let pool = &bench.app.context.pool;
    for _ in 0..4 {
        drop(pool.acquire_list_reader().await.unwrap());
    }
    tokio::time::sleep(Duration::from_secs(6)).await;
    for _ in 0..16 {
        let mut reader = pool.acquire_reader().await.unwrap();
        store::keys::list_newest_by_project(&mut reader.conn(), Uuid::nil(), 1).await.unwrap();
    }
}

/// A list on SQLite whose caller is canceled in the middle of a statement is stopped and releases its connection.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_abandoned_list_is_canceled() {
    let bench = TestServer::new(Engine::Sqlite).await;
    let pool = &bench.app.context.pool;
    for _ in 0..10 {
        let mut list = pool.acquire_list_reader().await.unwrap();
        let mut conn = list.conn();
        let store::Engine::Sqlite(c) = &mut conn else { unreachable!("it is SQLite") };
        let reading = sqlx::query(ENDLESS_QUERY).fetch_one(&mut **c);
        assert!(tokio::time::timeout(Duration::from_millis(100), reading).await.is_err(), "it ended");
    }
    let all = async {
        let mut readers = Vec::new();
        for _ in 0..8 {
            readers.push(pool.acquire_reader().await.unwrap());
        }
        store::keys::list_newest_by_project(&mut readers[0].conn(), Uuid::nil(), 1).await.unwrap();
    };
    tokio::time::timeout(Duration::from_secs(20), all).await.expect("every connection is free");
}
