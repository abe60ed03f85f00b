//! Key pages: lists in every order, time zones, edits, and lifecycle changes with a note by an administrator.

use crate::support::{
    TestServer,
    html::fields_with_errors,
    test_data::{KeyEdit, KeyForms as _, change_any_key, change_key},
};
use keyward::{
    domain::{
        filter::{BEFORE, KeyFilter, Sort},
        ids::KeyId,
        key::{Environment, Key, Status},
        time::Timestamp,
        transition::Transition,
    },
    service::{
        Error,
        actor::{Actor, Caller, Origin},
        audit::{self, Chain},
        time_format,
    },
    store::{self, write_queue::WriteOutcome},
};
use std::collections::HashSet;

const EMAIL: &str = "maren@pelagic.example";
const DAY: i64 = 86_400;

fn status(status: Status) -> KeyFilter {
    KeyFilter { status: Some(status), ..KeyFilter::default() }
}

/// Reads all pages of a list in order, and back to the first page. Returns the keys and the sizes of the pages.
async fn load_all_pages(
    bench: &TestServer,
    caller: &Caller,
    filter: &KeyFilter,
    everybodys: bool,
) -> (Vec<Key>, Vec<usize>) {
    let (mut keys, mut sizes, mut cursor) = (Vec::new(), Vec::new(), String::new());
    let load = async |cursor: &str| {
        if everybodys {
            bench.app.keys.list_all(caller, filter, cursor).await.unwrap()
        } else {
            bench.app.keys.list(caller, filter, cursor).await.unwrap()
        }
    };
    let mut page = load(&cursor).await;
    loop {
        assert_eq!(page.position, keys.len() as u64, "{filter:?}");
        assert_eq!(page.previous.is_some(), !keys.is_empty(), "{filter:?}");
        sizes.push(page.keys.len());
        keys.extend(page.keys);
        match page.next {
            Some(next) => cursor = next,
            None => break,
        }
        page = load(&cursor).await;
    }
    assert_eq!(page.total, keys.len() as u64, "{filter:?}");
    let mut end = keys.len() - sizes.last().unwrap();
    let mut previous = page.previous;
    while let Some(before) = previous {
        let page = load(&format!("{BEFORE}{before}")).await;
        let start = end - page.keys.len();
        assert_eq!(page.position, start as u64, "{filter:?}");
        assert!(page.next.is_some(), "{filter:?}");
        let ids = |keys: &[Key]| keys.iter().map(|key| key.id).collect::<Vec<_>>();
        assert_eq!(ids(&page.keys), ids(&keys[start..end]), "{filter:?}");
        (end, previous) = (start, page.previous);
    }
    assert_eq!(end, 0, "{filter:?}: the first page is reached");
    (keys, sizes)
}

/// Returns the sort value of a key. Lists are in ascending order of this value, then newest first.
fn sort_value(sort: Sort, key: &Key, now: Timestamp) -> (i64, String) {
    match sort {
        Sort::Newest => (0, String::new()),
        Sort::Name => (0, key.name.to_lowercase()),
        Sort::Used => (key.last_used_at.map_or(1, |at| -at.micros()), String::new()),
        Sort::Expires => match key.expires_at.map_or(i64::MAX, |at| at.micros()) {
            at if at > now.micros() => (at, String::new()),
            // After the keys that never expire.
            at => (i64::MAX, format!("{:020}", u64::MAX - at as u64)),
        },
        Sort::Status => {
            let rank = match key.status {
                Status::Active => 0,
                Status::Scheduled => 1,
                Status::Expired => 2,
                Status::Inactive => 3,
                Status::Deleted => 4,
            };
            (rank, String::new())
        }
    }
}

async fn edit(bench: &TestServer, caller: &Caller, id: KeyId) -> (KeyEdit, i64) {
    let form = bench.app.keys.edit_form(caller, id).await.unwrap();
    let edit = KeyEdit {
        version: form.version,
        name: form.key.name,
        expires: "keep".into(),
        expires_on: String::new(),
        scopes: form.key.scopes,
        issued_to: form.key.issued_to.unwrap_or_default(),
        restrictions: Default::default(),
    };
    (edit, form.version)
}

on_both_engines! {
    /// 230 keys of every kind, in every order, in pages of 50: each key occurs once, in order, and the count is exact.
    async fn every_order_pages_without_gap_or_repeat(bench: TestServer) {
        const MANY: usize = 230;
        let maren = bench.create_user(EMAIL, false).await;
        let tove = bench.create_user("tove@drift.example", true).await;
        let project = bench.project_of(&maren).await;
        bench.create_key(&tove, "Not hers").await;
        let names = ["boje", "Anker", "anker", "zulu", "Kai"];
        let mut last_used = Vec::new();
        for n in 0..MANY {
            let mut draft = bench.draft(project, names[n % names.len()]);
            draft.environment = if n % 3 == 0 { "test" } else { "live" }.into();
            draft.expires = ["30d", "never", "7d", "90d"][n % 4].into();
            let (key, _) = bench.app.keys.create_from(&maren, draft).await.unwrap();
            match n % 10 {
                7 => { change_key(&bench.app.keys, &maren, key.id, Transition::Deactivate).await.unwrap(); }
                8 => { change_key(&bench.app.keys, &maren, key.id, Transition::Delete).await.unwrap(); }
                _ => {}
            }
            if n % 4 == 0 {
                // Several keys were last used at the same instant.
                last_used.push((key.id, bench.app.context.now().plus_seconds(n as i64 % 5).micros()));
            }
        }
        let note = bench.app.context.queue.write(move |tx| {
            let last_used = last_used.clone();
            Box::pin(async move {
                for (id, at) in last_used {
                    store::keys::set_last_used(tx, id.into(), at).await?;
                }
                Ok::<_, Error>(WriteOutcome::unaudited(()))
            })
        });
        note.await.unwrap();
        // Keys with a lifetime of 7 days expired half a day ago. Deleted keys are purged.
        bench.clock.advance(6 * DAY + DAY / 2);
        assert_eq!(bench.app.keys.list(&maren, &KeyFilter::default(), "").await.unwrap().deleted, 23);
        bench.clock.advance(DAY);
        let page = bench.app.keys.list(&maren, &KeyFilter::default(), "").await.unwrap();
        assert_eq!((page.deleted, page.any, page.total, page.keys.len()), (0, true, 207, 50));
        assert_eq!(page.projects.iter().map(|it| it.id).collect::<Vec<_>>(), [project]);
        for sort in Sort::ALL {
            let filter = KeyFilter { sort, ..KeyFilter::default() };
            let (keys, sizes) = load_all_pages(&bench, &maren, &filter, false).await;
            assert_eq!(sizes, [50, 50, 50, 50, 7], "{sort:?}");
            let ids: HashSet<_> = keys.iter().map(|key| key.id).collect();
            assert_eq!(ids.len(), 207, "{sort:?}: each once");
            for pair in keys.windows(2) {
                let now = bench.app.context.now();
                let (one, two) = (sort_value(sort, &pair[0], now), sort_value(sort, &pair[1], now));
                let in_order = if one.1.is_empty() || sort != Sort::Expires { pair[0].id > pair[1].id } else { pair[0].id < pair[1].id };
                assert!(one < two || (one == two && in_order), "{sort:?}: {one:?} {two:?}");
            }
            for wanted in [Status::Active, Status::Expired, Status::Inactive] {
                for environment in [None, Some(Environment::Test)] {
                    let filter = KeyFilter { status: Some(wanted), environment, project: Some(project), sort, ..KeyFilter::default() };
                    let (some, _) = load_all_pages(&bench, &maren, &filter, false).await;
                    let fits = |key: &&Key| key.status == wanted && environment.is_none_or(|it| key.environment == it);
                    let expected: Vec<_> = keys.iter().filter(fits).map(|key| key.id).collect();
                    assert_eq!(some.iter().map(|key| key.id).collect::<Vec<_>>(), expected, "{filter:?}");
                    assert!(!expected.is_empty());
                }
            }
            let (everybodys, _) = load_all_pages(&bench, &tove, &filter, true).await;
            assert_eq!(everybodys.len(), 208);
        }
        let elsewhere = KeyFilter { project: Some(bench.project_of(&tove).await), ..KeyFilter::default() };
        let page = bench.app.keys.list(&maren, &elsewhere, "").await.unwrap();
        assert_eq!((page.total, page.any, page.keys.len()), (0, true, 0), "another's project is an empty filter");
        for after in ["x", "1.2.3", "9223372036854775807.0.ffffffffffffffffffffffffffffffff.\0"] {
            let page = bench.app.keys.list(&maren, &KeyFilter::default(), after).await.unwrap();
            assert_eq!(page.keys.len(), 50, "{after:?} begins anew");
        }
    }

    /// Pages stay right while keys are added and deleted between two requests.
    async fn a_previous_page_is_the_one_before_although_keys_come_and_go(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let mut ids = Vec::new();
        for n in 0..120 {
            ids.push(bench.create_key(&maren, &format!("{n}")).await.id);
        }
        // All have the time of the test's clock.
        ids.sort_unstable_by(|one, two| two.cmp(one));
        bench.clock.advance(1);
        let filter = KeyFilter { sort: Sort::Newest, ..KeyFilter::default() };
        let load = async |cursor: &str| bench.app.keys.list(&maren, &filter, cursor).await.unwrap();
        let of = |page: &keyward::domain::key::KeyPage| page.keys.iter().map(|key| key.id).collect::<Vec<_>>();
        let second = load(&load("").await.next.unwrap()).await;
        assert_eq!((of(&second), second.position), (ids[50..100].to_vec(), 50));
        // The first key of the second page, which the cursor names, and one of the first page are deleted.
        for gone in [ids[50], ids[10]] {
            change_key(&bench.app.keys, &maren, gone, Transition::Delete).await.unwrap();
        }
        let new = bench.create_key(&maren, "new").await.id;
        let previous = format!("{BEFORE}{}", second.previous.unwrap());
        let first = load(&previous).await;
        let left: Vec<_> = [new].into_iter().chain(ids.iter().copied().filter(|id| ![ids[50], ids[10]].contains(id))).collect();
        assert_eq!((of(&first), first.position), (left[..50].to_vec(), 0));
        // With two keys more, the page before the cursor is not the first one.
        let mut newer = Vec::new();
        for name in ["a", "b"] {
            bench.clock.advance(1);
            newer.push(bench.create_key(&maren, name).await.id);
        }
        let before = load(&previous).await;
        assert_eq!(of(&before), left[..50]);
        assert!(before.previous.is_some() && before.next.is_some());
        let top = load(&format!("{BEFORE}{}", before.previous.unwrap())).await;
        assert_eq!((of(&top)[0], top.previous, top.position), (newer[1], None, 0));
    }

    /// A key that expires between two page requests is on one of the pages, and the count does not change.
    async fn all_pages_are_of_one_instant(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let project = bench.project_of(&maren).await;
        for n in 0..60 {
            let mut draft = bench.draft(project, &format!("{n}"));
            draft.expires = if n % 2 == 0 { "7d" } else { "never" }.into();
            bench.app.keys.create_from(&maren, draft).await.unwrap();
        }
        let active = status(Status::Active);
        let first = bench.app.keys.list(&maren, &active, "").await.unwrap();
        assert_eq!((first.total, first.expiring, first.keys.len()), (60, 30, 50));
        bench.clock.advance(8 * DAY);
        let second = bench.app.keys.list(&maren, &active, &first.next.unwrap()).await.unwrap();
        assert_eq!((second.total, second.keys.len(), second.next), (60, 10, None));
        let fresh = bench.app.keys.list(&maren, &active, "").await.unwrap();
        assert_eq!((fresh.total, fresh.expiring), (30, 0));
    }

    /// Dates are in the user's time zone: the one from the settings, otherwise the browser's, otherwise UTC.
    async fn dates_are_in_the_persons_zone(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let made = bench.create_key(&maren, "Gateway").await;
        let mut browser = bench.signed_in(EMAIL).await;
        let session = browser.cookie.clone().unwrap();
        let id = made.id.to_string();
        let at = bench.key_row(made.id).await.unwrap().created_at;
        let at = keyward::domain::time::Timestamp::from_micros(at);
        let mut check = async |cookie: &str, zone: &str| {
            browser.cookie = Some(format!("{session}; {cookie}"));
            let created = time_format::format_moment(at, &time_format::zone(zone).unwrap()).exact;
            let page = browser.get(&format!("/keys/{id}")).await;
            assert!(page.text().contains(&created), "{cookie}: {created}: {}", page.text());
            let page = browser.get("/keys/new").await;
            assert!(page.text().contains(&format!("Time zone: {zone}.")), "{cookie}: {}", page.text());
        };
        for (cookie, zone) in [
            ("zone=Europe/Berlin", "Europe/Berlin"),
            ("zone=Asia%2FKathmandu", "Asia/Kathmandu"),
            ("zone=Mars/Olympus", "UTC"),
            ("zone=", "UTC"),
            ("other=1", "UTC"),
        ] {
            check(cookie, zone).await;
        }
        bench.execute_sql("UPDATE users SET zone = 'Pacific/Auckland'").await;
        check("zone=Europe/Berlin", "Pacific/Auckland").await;
        bench.execute_sql("UPDATE users SET zone = 'Mars/Olympus'").await;
        check("zone=Europe/Berlin", "Europe/Berlin").await;
        let response = browser.call("keys/say_expiry", &[("expires", "date"), ("expires_on", "2031-07-18")]).await;
        assert_eq!(response.json(), "Expires on Friday 18 July 2031 at 23:59:59 CEST.");
        let response = browser.call("keys/say_expiry", &[("expires", "date"), ("expires_on", "2001-07-18")]).await;
        assert_eq!((response.status, &response.json()["fields"][0]["field"]), (422, &"expires_on".into()));
        // The expiry of a key that is created in that zone is in that zone.
        let (number, project) = (bench.app.context.new_id().to_string(), made.project.to_string());
        let fields = [("number", number.as_str()), ("project", &project), ("name", "Sonde"), ("expires", "date"), ("expires_on", "2031-07-18")];
        let page = browser.post("/keys/new", &fields).await;
        assert_eq!(page.status, 200, "{}", page.text());
        let berlin = Caller { zone: time_format::zone("Europe/Berlin").unwrap(), ..maren.clone() };
        let keys = bench.app.keys.list(&berlin, &KeyFilter::default(), "").await.unwrap().keys;
        let expires = keys.into_iter().find(|key| key.name == "Sonde").unwrap().expires_at.unwrap();
        let expires = time_format::format_moment(expires, &berlin.zone);
        assert_eq!((expires.iso.as_str(), expires.exact.as_str()), ("2031-07-18T21:59:59Z", "18 July 2031, 23:59:59 CEST"));
    }

    /// An edit starts from the version that the form showed. It is denied if anything but the key's last use has
    /// changed since.
    async fn an_edit_of_what_has_changed_is_refused(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let id = bench.create_key(&maren, "Gateway").await.id;
        let keys = &bench.app.keys;
        // The clock does not advance: the version must distinguish two changes at one instant.
        let (first, _) = edit(&bench, &maren, id).await;
        let changed = keys.edit_from(&maren, id, KeyEdit { name: "Gateway 2".into(), ..first.clone() }).await.unwrap();
        assert_eq!(changed.name, "Gateway 2");
        let before = (bench.stored_key(id).await, bench.events("key.edited").await);
        let refused = keys.edit_from(&maren, id, first).await;
        assert!(matches!(refused, Err(Error::Conflict(why)) if why.starts_with("This key was changed elsewhere")));
        assert_eq!((bench.stored_key(id).await, bench.events("key.edited").await), before);
        let (stale, _) = edit(&bench, &maren, id).await;
        change_key(keys, &maren, id, Transition::Deactivate).await.unwrap();
        assert!(matches!(keys.edit_from(&maren, id, stale).await, Err(Error::Conflict(_))));
        let (fresh, version) = edit(&bench, &maren, id).await;
        let at = bench.app.context.now().plus_seconds(5).micros();
        let used = bench.app.context.queue.write(move |tx| Box::pin(async move {
            store::keys::set_last_used(tx, id.into(), at).await?;
            Ok::<_, Error>(WriteOutcome::unaudited(()))
        }));
        used.await.unwrap();
        assert_eq!(edit(&bench, &maren, id).await.1, version);
        keys.edit_from(&maren, id, fresh).await.unwrap();
        assert_eq!(keys.last_used(&maren, id).await.unwrap().unwrap().micros(), at);
    }

    /// The edit form: every field, the extension of an expired key, and a scope that the project no longer offers.
    async fn an_edit_by_form(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let made = bench.create_key(&maren, "Gateway").await;
        let mut browser = bench.signed_in(EMAIL).await;
        let id = made.id.to_string();
        bench.clock.advance(DAY / 4);
        bench.execute_sql("UPDATE scopes SET in_default = (1 = 0) WHERE name = 'usage:read'").await;
        let (keys, path) = (&bench.app.keys, format!("/keys/{id}/edit"));
        let form = keys.edit_form(&maren, made.id).await.unwrap();
        let names: Vec<_> = form.offered.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(names, ["data:read", "data:write", "keyward:keys.read", "keyward:keys.write", "usage:read"]);
        assert_eq!(form.expiries.len(), 7);
        let version = form.version.to_string();
        let wrong = [("id", id.as_str()), ("version", &version), ("name", " "), ("expires", "soon"), ("scopes[]", "a b")];
        let page = browser.post(&path, &wrong).await;
        assert_eq!(page.status, 422, "{}", page.text());
        assert_eq!(fields_with_errors(&page), ["name", "scopes", "expires"]);
        let fields = [("id", id.as_str()), ("version", &version), ("name", "Gate"), ("expires", "keep"),
            ("scopes[]", "usage:read"), ("issued_to", "crew")];
        let page = browser.post(&path, &fields).await;
        assert_eq!(page.status, 303, "{}", page.text());
        assert_eq!(browser.post(&path, &fields).await.status, 409, "the same form twice");
        let key = keys.get_for(&maren, made.id).await.unwrap();
        assert_eq!((key.name.as_str(), key.issued_to.as_deref()), ("Gate", Some("crew")));
        assert_eq!((key.scopes, key.expires_at), (vec!["usage:read".to_owned()], form.key.expires_at));
        // A removed scope that the project no longer offers cannot be granted again.
        for (scope, status) in [("data:write", 303), ("usage:read", 422)] {
            let version = keys.edit_form(&maren, made.id).await.unwrap().version.to_string();
            let fields = [("id", id.as_str()), ("version", &version), ("name", "Gate"), ("expires", "keep"), ("scopes[]", scope)];
            assert_eq!(browser.post(&path, &fields).await.status, status, "{scope}");
        }
        bench.clock.advance(91 * DAY);
        let mut browser = bench.signed_in(EMAIL).await;
        let form = keys.edit_form(&maren, made.id).await.unwrap();
        assert_eq!(form.key.status, Status::Expired);
        let version = form.version.to_string();
        let fields = [("id", id.as_str()), ("version", &version), ("name", "Gate"), ("expires", "30d")];
        assert_eq!(browser.post(&path, &fields).await.status, 303);
        assert_eq!(keys.get_for(&maren, made.id).await.unwrap().status, Status::Active);
        change_key(keys, &maren, made.id, Transition::Delete).await.unwrap();
        assert_eq!(browser.get(&path).await.status, 409);
    }

    /// An owner cannot start a key that an administrator stopped: neither by activation, nor by deletion and
    /// restoration.
    async fn a_held_key_stays_stopped(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let admin = bench.create_user("root@keys.example", true).await;
        let id = bench.create_key(&maren, "Gateway").await.id;
        let keys = &bench.app.keys;
        // The hold applies even if the owner had deactivated the key before.
        change_key(keys, &maren, id, Transition::Deactivate).await.unwrap();
        let held = change_any_key(keys, &admin, id, Transition::Deactivate, " Found in a public repository ").await.unwrap();
        assert!(held.may_start && !held.may_change);
        let seen = keys.get_for(&maren, id).await.unwrap();
        let note = seen.note.unwrap();
        assert_eq!((note.text.as_str(), note.by.as_str(), note.held), ("Found in a public repository", "root", true));
        assert_eq!(note.at, bench.app.context.now());
        assert!(seen.may_change && !seen.may_start && seen.owner.is_none() && seen.owner_email.is_none());
        let before = bench.stored_key(id).await;
        let events = bench.query_number("SELECT COUNT(*) FROM audit_events").await;
        for refused in [change_key(keys, &maren, id, Transition::Activate).await, change_key(keys, &maren, id, Transition::Restore).await] {
            assert!(matches!(refused, Err(Error::Stopped { reason }) if reason == "Found in a public repository"));
        }
        let mut browser = bench.signed_in(EMAIL).await;
        let page = browser.post(&format!("/keys/{id}/activate"), &[("id", &id.to_string())]).await;
        assert_eq!(page.status, 403, "{}", page.text());
        let words = "An administrator deactivated this key: Found in a public repository. Ask an administrator to activate it.";
        assert!(page.text().contains(words), "{}", page.text());
        assert_eq!(bench.stored_key(id).await, before);
        assert_eq!(bench.query_number("SELECT COUNT(*) FROM audit_events").await, events + 1, "but for signing in");
        change_key(keys, &maren, id, Transition::Delete).await.unwrap();
        assert!(matches!(change_key(keys, &maren, id, Transition::Restore).await, Err(Error::Stopped { .. })));
        // A repeated note changes nothing, and deleting a deleted key does not extend its restore period of seven days.
        bench.clock.advance(DAY);
        let before = bench.stored_key(id).await;
        change_any_key(keys, &admin, id, Transition::Delete, "Found in a public repository").await.unwrap();
        assert_eq!(bench.stored_key(id).await, before);
        let deleted_at = bench.key_row(id).await.unwrap().deleted_at;
        change_any_key(keys, &admin, id, Transition::Delete, "Really.").await.unwrap();
        let row = bench.key_row(id).await.unwrap();
        assert_eq!((row.deleted_at, row.note.as_deref(), row.held), (deleted_at, Some("Really."), true));
        assert!(matches!(change_any_key(keys, &admin, id, Transition::Activate, "x").await, Err(Error::Conflict(_))));
        // An administrator restores the key, and its owner may activate it again.
        change_any_key(keys, &admin, id, Transition::Restore, "It was another's.").await.unwrap();
        let seen = keys.get_for(&maren, id).await.unwrap();
        assert_eq!((seen.status, seen.may_start), (Status::Inactive, true));
        assert_eq!(seen.note.map(|it| (it.text, it.held)), Some(("It was another's.".into(), false)));
        assert_eq!(change_key(keys, &maren, id, Transition::Activate).await.unwrap().status, Status::Active);
        let reasons = format!("SELECT action || ': ' || COALESCE(reason, '') FROM audit_events WHERE target = 'key:{id}' ORDER BY seq");
        let expected = [
            "key.created: ", "key.deactivated: ", "key.deactivated: Found in a public repository", "key.deleted: ",
            "key.deleted: Really.", "key.restored: It was another's.", "key.activated: ",
        ];
        assert_eq!(bench.query_texts(&reasons).await, expected);
        assert!(matches!(audit::verify(&bench.app.context).await.unwrap(), Chain::Intact { .. }));
        // A purged key does not exist for administrators either.
        change_key(keys, &maren, id, Transition::Delete).await.unwrap();
        bench.clock.advance(7 * DAY);
        assert!(matches!(keys.get(&Actor::Administrator(admin.clone()), id).await, Err(Error::NotFound)));
        assert!(matches!(change_any_key(keys, &admin, id, Transition::Restore, "x").await, Err(Error::NotFound)));
        assert!(matches!(change_any_key(keys, &admin, id, Transition::Delete, "x").await, Err(Error::NotFound)));
    }

    /// The administrators' list names the owner of each key. A former administrator is denied at once.
    async fn every_key_and_its_owner(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let admin = bench.create_user("root@keys.example", true).await;
        let (theirs, own) = (bench.create_key(&maren, "Gateway").await, bench.create_key(&admin, "Root").await);
        let page = bench.app.keys.list_all(&admin, &KeyFilter::default(), "").await.unwrap();
        assert_eq!((page.total, page.projects.len()), (2, 2));
        let seen = |id: KeyId| page.keys.iter().find(|key| key.id == id).unwrap();
        assert_eq!(seen(theirs.id).owner.as_deref(), Some("maren"));
        assert_eq!(seen(theirs.id).owner_email.as_deref(), Some(EMAIL));
        assert!(!seen(theirs.id).may_change && seen(own.id).may_change);
        let mine = bench.app.keys.list(&admin, &KeyFilter::default(), "").await.unwrap();
        assert_eq!((mine.total, mine.keys[0].id, mine.keys[0].owner.clone()), (1, own.id, None));
        assert_eq!(bench.app.keys.get(&Actor::Administrator(admin.clone()), theirs.id).await.unwrap().owner.as_deref(), Some("maren"));
        let before = bench.stored_key(theirs.id).await;
        bench.execute_sql("UPDATE users SET admin = (1 = 0)").await;
        assert!(matches!(bench.app.keys.list_all(&admin, &KeyFilter::default(), "").await, Err(Error::NotFound)));
        assert!(matches!(bench.app.keys.get(&Actor::Administrator(admin.clone()), theirs.id).await, Err(Error::NotFound)));
        assert!(matches!(change_any_key(&bench.app.keys, &admin, theirs.id, Transition::Deactivate, "x").await, Err(Error::NotFound)));
        assert!(matches!(change_any_key(&bench.app.keys, &admin, theirs.id, Transition::Deactivate, "").await, Err(Error::NotFound)));
        assert_eq!(bench.stored_key(theirs.id).await, before);
        let again = bench.app.accounts.caller(admin.user, Origin::default(), bench.app.context.now()).await.unwrap().unwrap();
        assert!(!again.admin);
    }

    /// A form redirects to the list behind its dialog, with the list's filter, and the list reports what was done.
    /// Parameters that are not part of a filter are dropped.
    async fn a_form_leads_back_to_its_list(bench: TestServer) {
        let maren = bench.create_user(EMAIL, true).await;
        let made = bench.create_key(&maren, "Gateway").await;
        let mut browser = bench.signed_in(EMAIL).await;
        let (id, project) = (made.id.to_string(), made.project.to_string());
        let filter = format!("project={project}&environment=live&sort=name");
        let more = "&status=none&x=y&done=deleted&key=other&next=%2F%2Fevil.example";
        for (list, reason) in [("/keys", None), ("/admin/keys", Some(("reason", "leaked")))] {
            for (verb, done) in [("deactivate", "deactivated"), ("activate", "activated"), ("delete", "deleted"), ("restore", "restored")] {
                let fields: Vec<_> = [("id", id.as_str())].into_iter().chain(reason).collect();
                let page = browser.post(&format!("{list}/{id}/{verb}?{filter}{more}"), &fields).await;
                let back = format!("{list}?{filter}&done={done}&key={id}");
                assert_eq!((page.status, page.location()), (303, back.as_str()), "{}", page.text());
                let sentence = format!("“Gateway” {done}.");
                let page = browser.get(&back).await;
                assert_eq!(page.status, 200);
                assert!(page.text().contains(&sentence), "{back}: {}", page.text());
                // The list reports a change only if the key's state confirms it.
                let untrue = if verb == "delete" { "restored" } else { "deleted" };
                let page = browser.get(&back.replace(done, untrue)).await;
                assert!(!page.text().contains(&format!("“Gateway” {untrue}.")), "{list} {untrue}");
            }
        }
    }

    /// A page with a form error always has scripts. A page that shows a secret has scripts only if the form was sent by
    /// navigation.
    async fn a_refused_form_has_scripts(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let project = bench.project_of(&maren).await.to_string();
        let mut browser = bench.signed_in(EMAIL).await;
        let is_alive = |html: &str| html.contains("<script") && html.contains("keyward.js");
        for live in [false, true] {
            for (name, status) in [("", 422), ("Gateway", 200)] {
                let number = bench.app.context.new_id().to_string();
                let fields = [("number", number.as_str()), ("project", &project), ("name", name), ("expires", "30d")];
                let page = if live { browser.post_live("/keys/new", &fields).await } else { browser.post("/keys/new", &fields).await };
                assert_eq!((page.status, page.header("cache-control")), (status, "no-store"), "{live}");
                assert_eq!(is_alive(page.text()), live || status == 422, "{live} {status}: {}", page.text());
            }
        }
        let page = browser.get("/keys").await;
        assert!(is_alive(page.text()));
        assert_eq!(page.text().matches("<select").count(), 5, "a list has its five filters");
    }
}

/// A forged notice in the URL reveals nothing of another owner's key, and the list is shown anyway.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn responses_about_another_users_key() {
    let bench = TestServer::new(crate::support::Engine::Sqlite).await;
    let maren = bench.create_user(EMAIL, false).await;
    let other = bench.create_user("tove@drift.example", true).await;
    let made = bench.create_key(&maren, "Gateway").await;
    bench.create_key(&other, "Sonde").await;
    let mut browser = bench.signed_in("tove@drift.example").await;
    let missing = uuid::Uuid::from_bytes(crate::support::random()).to_string();
    let mut answers = Vec::new();
    for key in [&made.id.to_string(), &missing] {
        let page = browser.get(&format!("/keys?done=edited&key={key}")).await;
        assert!(page.text().contains("Sonde") && !page.text().contains("Gateway"));
        answers.push((page.status, page.masked(&[key])));
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0].0, 200, "the list is there");
}

/// The form shows a saved config in a form that can be saved again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_config_can_be_saved_as_it_is_shown() {
    let bench = TestServer::new(crate::support::Engine::Sqlite).await;
    let maren = bench.create_user(EMAIL, false).await;
    let id = bench.project_of(&maren).await;
    let config = format!("{{\"a\":[{}1]}}", "1,".repeat(100_000));
    bench.app.projects.set_config(&Actor::Operator, id, &config).await.unwrap();
    let seen = bench.app.projects.get(&maren, id).await.unwrap();
    let outcome = bench.app.projects.save_config(&maren, id, &seen.version, &seen.config).await;
    assert!(outcome.is_ok(), "{} bytes are shown as {}: {outcome:?}", config.len(), seen.config.len());
}

/// An invalid theme is rejected with a page that explains the error.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_theme_that_is_none_is_refused_in_words() {
    let bench = TestServer::new(crate::support::Engine::Sqlite).await;
    bench.create_user(EMAIL, false).await;
    let page = bench.signed_in(EMAIL).await.post("/settings/theme", &[("theme", "blue")]).await;
    assert_eq!(page.status, 422, "{}", page.text());
    assert!(page.text().contains("Choose system, light, or dark."));
}
