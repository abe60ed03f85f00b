//! The validity period of a key: from `not_before`, that instant included, to `expires_at`, that instant excluded.
//!
//! The rule is written in the domain type, in the decision of verify, in the SQL of lists, and in the code for tokens.
//! This test compares all of them with one definition.

use crate::support::{
    Engine, TestServer,
    oauth::{basic, post},
    test_data::CreatedKey,
};
use keyward::{
    domain::{
        filter::Sort,
        key::{Lifecycle, Status},
        time::{DAY, Timestamp},
    },
    service::{
        actor::Caller,
        clock::Clock as _,
        tokens::{ExchangeDenyReason, TokenParameters},
        verify::{self, KeySnapshot, VerifyRequest},
    },
    store::{
        self,
        keys::{KeyCursor, KeyQuery, Visibility},
    },
};
use proptest::{prelude::*, test_runner::TestRunner};
use tokio::runtime::Handle;
use uuid::Uuid;

const SECOND: i64 = 1_000_000;
const STATUSES: [Status; 5] = [Status::Active, Status::Scheduled, Status::Expired, Status::Inactive, Status::Deleted];

/// The state of a key at an instant. The bounds are distances from the instant, in microseconds.
#[derive(Clone, Copy, Debug)]
struct Case {
    /// Microseconds after a full second: tokens count whole seconds.
    fraction: i64,
    not_before: Option<i64>,
    expires_at: Option<i64>,
    active: bool,
    deleted: bool,
}

/// A distance from the current instant: often zero, one microsecond, or about one second.
fn distance() -> impl Strategy<Value = i64> {
    let near = prop_oneof![Just(0_i64), Just(1), Just(SECOND - 1), Just(SECOND), Just(SECOND + 1), 0..3 * SECOND];
    (near, any::<bool>()).prop_map(|(distance, is_past)| if is_past { -distance } else { distance })
}

fn cases() -> impl Strategy<Value = Case> {
    let fraction = prop_oneof![Just(0_i64), Just(1), Just(SECOND - 1), 0..SECOND];
    let often = proptest::bool::weighted(0.9);
    (fraction, proptest::option::of(distance()), proptest::option::of(distance()), often, often).prop_map(
        |(fraction, not_before, expires_at, active, kept)| Case {
            fraction,
            not_before,
            expires_at,
            active,
            deleted: !kept,
        },
    )
}

impl Case {
    /// The definition: a status from distances to the current instant.
    fn status(&self) -> Status {
        match (self.deleted, self.active, self.not_before, self.expires_at) {
            (true, ..) => Status::Deleted,
            (_, false, ..) => Status::Inactive,
            (_, _, Some(1..), _) => Status::Scheduled,
            (_, _, _, Some(..=0)) => Status::Expired,
            _ => Status::Active,
        }
    }

    /// The code with which verify answers.
    fn code(&self) -> &'static str {
        match self.status() {
            Status::Active => "good",
            Status::Scheduled => "not_yet_valid",
            Status::Expired => "expired",
            Status::Inactive => "inactive",
            Status::Deleted => "deleted",
        }
    }

    fn lifecycle(&self, now: Timestamp) -> Lifecycle {
        let at = |distance: i64| Timestamp::from_micros(now.micros() + distance);
        Lifecycle {
            active: self.active,
            not_before: self.not_before.map(at),
            expires_at: self.expires_at.map(at),
            deleted_at: self.deleted.then_some(now),
        }
    }
}

/// A key whose state each case sets, a token of it, and a second key that is always valid.
struct Fixture<'b> {
    bench: &'b TestServer,
    maren: Caller,
    key: CreatedKey,
    valid: CreatedKey,
    snapshot: KeySnapshot,
    token: String,
}

impl<'b> Fixture<'b> {
    async fn new(bench: &'b TestServer) -> Self {
        let maren = bench.create_user("maren@pelagic.example", false).await;
        let (key, valid) = (bench.create_key(&maren, "Tested").await, bench.create_key(&maren, "Valid").await);
        let verified = bench.app.verify.verify_secret(&key.secret, &VerifyRequest::default()).await.unwrap();
        let snapshot = verified.expect("it is valid").snapshot;
        let issued = bench.app.tokens.issue_for_key(&snapshot, &TokenParameters::for_own_project(DAY)).unwrap();
        Self { bench, maren, key, valid, snapshot, token: issued.access_token }
    }

    /// Advances the clock, and sets the key. Returns the current instant.
    async fn prepare(&self, case: &Case) -> Timestamp {
        let before = self.bench.clock.now();
        let now = Timestamp::from_micros((before.seconds() + 1) * SECOND + case.fraction);
        self.bench.clock.advance_micros(now.micros() - before.micros());
        let life = case.lifecycle(now);
        let sql = |at: Option<Timestamp>| at.map_or("NULL".to_owned(), |at| at.micros().to_string());
        let update = format!(
            "UPDATE keys SET active = {}, not_before = {}, expires_at = {}, deleted_at = {} WHERE id = {}",
            case.active,
            sql(life.not_before),
            sql(life.expires_at),
            sql(life.deleted_at),
            self.bench.literal(self.key.id)
        );
        self.bench.execute_sql(&update).await;
        now
    }

    fn check_pure_functions(&self, case: &Case, now: Timestamp) {
        let lifecycle = case.lifecycle(now);
        assert_eq!(lifecycle.status(now), case.status());
        let mut snapshot = self.snapshot.clone();
        snapshot.lifecycle = lifecycle;
        let decided = verify::decide(&snapshot, &VerifyRequest::default(), now);
        assert_eq!(decided.map_or_else(|reason| reason.code(), |()| "good"), case.code());
    }

    /// Lists by status, and totals of valid keys.
    async fn check_sql(&self, case: &Case, now: Timestamp) {
        let mut reader = self.bench.app.context.pool.acquire_reader().await.unwrap();
        let mut conn = reader.conn();
        let (id, valid) = (Uuid::from(self.key.id), Uuid::from(self.valid.id));
        let query = |status: Option<Status>| KeyQuery {
            visibility: Visibility::All,
            status,
            project: Some(self.key.project.into()),
            environment: None,
            owner: None,
            view: None,
            text: None,
            issued_to: None,
            expires_by: None,
            unused: 0,
            now: now.micros(),
            ended: 0,
        };
        for status in STATUSES {
            let listed = store::keys::newest(&mut conn, &query(Some(status)), Uuid::max(), 10).await.unwrap();
            assert_eq!(listed.iter().any(|row| row.id == id), case.status() == status, "listed as {status:?}");
        }
        // The first page by status: the valid key is among the active ones.
        let soon = now.plus_seconds(DAY).micros();
        let (every, start, until) = (query(None), KeyCursor::start(), Uuid::nil());
        let counts = store::keys::counts(&mut conn, &every, soon, until).await.unwrap();
        let listed = store::keys::page(
            &mut conn,
            &every,
            Sort::Status,
            &counts,
            &start,
            store::keys::Direction::After,
            until,
            10,
        )
        .await
        .unwrap();
        let places: Vec<(i64, Uuid)> = listed.iter().map(|row| (row.place, row.key.id)).collect();
        let place = STATUSES.iter().position(|it| *it == case.status()).and_then(|at| i64::try_from(at).ok());
        let mut expected = vec![(0, valid)];
        expected.extend(place.filter(|_| case.status() != Status::Deleted).map(|place| (place, id)));
        expected.sort_by_key(|(place, id)| (*place, std::cmp::Reverse(*id)));
        assert_eq!(places, expected);
        // The valid key expires in 90 days.
        let expiring = case.status() == Status::Active && case.expires_at.is_some();
        assert_eq!(counts.expiring, i64::from(expiring), "keys that expire within a day");
        let projects = store::projects::counts(&mut conn, self.maren.user.into(), now.micros()).await.unwrap();
        assert_eq!(projects[0].active, 1 + i64::from(case.status() == Status::Active), "valid keys of the project");
    }

    /// Verify, token exchange, and introspection.
    async fn check_service(&self, case: &Case, now: Timestamp) {
        let (app, request) = (&self.bench.app, VerifyRequest::default());
        let verified = app.verify.verify_secret(&self.key.secret, &request).await.unwrap();
        assert_eq!(verified.map_or_else(|reason| reason.code(), |_| "good"), case.code(), "the secret");
        let checked = app.tokens.check_credential(&self.token, &request).await.unwrap();
        assert_eq!(checked.map_or_else(|reason| reason.code(), |_| "good"), case.code(), "the token");
        let fields = [("token", self.token.as_str())];
        let page = post(&mut self.bench.browser(), "/oauth/introspect", &basic(&self.valid), &fields).await;
        assert_eq!(page.json()["active"], case.status() == Status::Active, "introspection: {}", page.text());
        // A new token ends with the second in which its key expires, and is valid for at least one second.
        let parameters = TokenParameters::for_own_project(DAY);
        let issued = app.tokens.exchange(&self.key.secret, None, &parameters).await.unwrap();
        let end = case.lifecycle(now).expires_at;
        let is_over = end.is_some_and(|end| end.seconds() <= now.seconds());
        let code = if case.status() == Status::Active && is_over { "expired" } else { case.code() };
        assert_eq!(issued.as_ref().map_or_else(ExchangeDenyReason::code, |_| "good"), code, "the exchange");
        if let (Ok(issued), Some(end)) = (&issued, end) {
            let claims = app.tokens.parse(&issued.access_token).unwrap();
            assert!(claims.expires_at > now.seconds() && claims.expires_at <= end.seconds(), "{claims:?}");
        }
    }
}

async fn check(engine: Engine, count: u32) {
    let bench = TestServer::new(engine).await;
    let fixture = Fixture::new(&bench).await;
    let config = ProptestConfig { cases: count, failure_persistence: None, ..ProptestConfig::default() };
    let checked = TestRunner::new(config).run(&cases(), |case| {
        let check = async {
            let now = fixture.prepare(&case).await;
            fixture.check_pure_functions(&case, now);
            fixture.check_sql(&case, now).await;
            fixture.check_service(&case, now).await;
        };
        tokio::task::block_in_place(|| Handle::current().block_on(check));
        Ok(())
    });
    checked.expect("one rule everywhere");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_every_place_has_the_same_rule() {
    check(Engine::Sqlite, 300).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_every_place_has_the_same_rule() {
    check(Engine::Postgres, 80).await;
}
