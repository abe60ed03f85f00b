//! Disabling a user with many keys: the keys are deactivated in several writes, and a background job finishes the rest.

use crate::{
    lists::insert_keys,
    support::{Engine, TestServer, test_data::change_key},
};
use keyward::{
    domain::transition::Transition,
    service::{actor::Actor, users::Users},
    store::{self, Location, write_queue::WriteOutcome},
};
use std::time::Duration;

const MAREN: &str = "maren@pelagic.example";
const ACTIVE: &str = "SELECT COUNT(*) FROM keys WHERE active AND deleted_at IS NULL";
const STOPS: &str = "SELECT COUNT(*) FROM key_stops";
const EVENTS: &str = "SELECT COUNT(*) FROM audit_events WHERE action = 'key.deactivated'";
const ACTORS: &str = "SELECT DISTINCT actor FROM audit_events WHERE action = 'key.deactivated' ORDER BY actor";
/// Counts the events of the background job that name the administrator.
const FOR_ROOT: &str = "SELECT COUNT(*) FROM audit_events WHERE action = 'key.deactivated' AND actor = 'system' \
    AND detail LIKE '%\"for\":\"root\"%'";

on_both_engines! {
    async fn many_keys_are_deactivated_in_many_writes(bench: TestServer) {
        let root = bench.create_user("root@pelagic.example", true).await;
        let maren = bench.create_user(MAREN, false).await;
        let project = bench.app.keys.new_key_form(&maren).await.unwrap().projects[0].id;
        insert_keys(&bench, &maren, project, 700).await;
        let live = bench.query_number(ACTIVE).await;
        assert!(live > 600);
        let mut commits = 0;
        let mut head = bench.app.context.queue.head();
        head.mark_unchanged();
        let actor = Actor::User(root.clone());
        let disabling = bench.app.users.disable(&actor, maren.user, "Found a leak.", true);
        tokio::pin!(disabling);
        let done = loop {
            tokio::select! {
                biased;
                changed = head.changed() => { changed.unwrap(); commits += 1; }
                done = &mut disabling => break done.unwrap(),
            }
        };
        assert!(commits >= 3, "other writes take their turn: {commits} writes");
        assert_eq!((done.keys as i64, bench.query_number(ACTIVE).await, bench.query_number(STOPS).await), (live, 0, 0));
        assert_eq!(bench.query_number(EVENTS).await, live, "each has an event");
        assert_eq!(bench.query_texts(ACTORS).await, [format!("user:{}", root.user)]);
        let notes = bench.query_number("SELECT COUNT(*) FROM keys WHERE held AND note = 'Found a leak.' AND note_by = 'root'").await;
        assert_eq!(notes, live);
    }

    /// The event has the exact number of keys that are still to be deactivated.
    async fn the_log_counts_the_keys_that_are_still_to_be_deactivated(bench: TestServer) {
        let root = bench.create_user("root@pelagic.example", true).await;
        let maren = bench.create_user(MAREN, false).await;
        let project = bench.app.keys.new_key_form(&maren).await.unwrap().projects[0].id;
        insert_keys(&bench, &maren, project, 450).await;
        bench.execute_sql("UPDATE keys SET active = TRUE, deleted_at = NULL").await;
        // Keys of other users and inactive keys are not counted.
        bench.create_key(&root, "Other").await;
        let inactive = bench.create_key(&maren, "Inactive").await;
        change_key(&bench.app.keys, &maren, inactive.id, Transition::Deactivate).await.unwrap();
        {
            let mut reader = bench.app.context.pool.acquire_reader().await.unwrap();
            let count = store::users::exact_live_key_count(&mut reader.conn(), maren.user.into()).await.unwrap();
            assert_eq!(count, 450);
        }
        let done = bench.app.users.disable(&Actor::User(root), maren.user, "Found a leak.", true).await.unwrap();
        assert_eq!(done.keys, 450);
        let detail = bench.query_texts("SELECT detail FROM audit_events WHERE action = 'user.disabled'").await.remove(0);
        assert!(detail.contains("\"keys_deactivated\":200"), "{detail}");
        assert!(detail.contains("\"keys_to_deactivate\":250"), "{detail}");
    }

    /// A process that ends after the first write leaves a row in `key_stops`, and any process can continue.
    async fn what_another_process_began_is_finished(bench: TestServer) {
        let root = bench.create_user("root@pelagic.example", true).await;
        let maren = bench.create_user(MAREN, false).await;
        let project = bench.app.keys.new_key_form(&maren).await.unwrap().projects[0].id;
        insert_keys(&bench, &maren, project, 700).await;
        let live = bench.query_number(ACTIVE).await;
        {
            let mut head = bench.app.context.queue.head();
            head.mark_unchanged();
            let actor = Actor::User(root.clone());
            let disabling = bench.app.users.disable(&actor, maren.user, "Found a leak.", true);
            tokio::pin!(disabling);
            // The caller is canceled after the first write is committed.
            tokio::select! {
                biased;
                changed = head.changed() => changed.unwrap(),
                _ = &mut disabling => {}
            }
        }
        assert_eq!(bench.query_number("SELECT COUNT(*) FROM users WHERE active").await, 1, "the person is blocked first");
        keyward::service::maintenance::run_once(&bench.app).await.unwrap();
        assert_eq!((bench.query_number(ACTIVE).await, bench.query_number(STOPS).await), (0, 0));
        assert_eq!(bench.query_texts(ACTORS).await, ["system".to_owned(), format!("user:{}", root.user)]);
        assert_eq!(bench.query_number(FOR_ROOT).await, live - 200, "the events of upkeep name the administrator");
    }

    /// If the administrator is demoted before the last write, the remaining events do not name them as the actor.
    async fn the_keys_are_deactivated_although_the_administrator_is_demoted(bench: TestServer) {
        let root = bench.create_user("root@pelagic.example", true).await;
        let maren = bench.create_user(MAREN, false).await;
        let project = bench.app.keys.new_key_form(&maren).await.unwrap().projects[0].id;
        insert_keys(&bench, &maren, project, 700).await;
        let live = bench.query_number(ACTIVE).await;
        let mut head = bench.app.context.queue.head();
        head.mark_unchanged();
        let actor = Actor::User(root);
        let disabling = bench.app.users.disable(&actor, maren.user, "Found a leak.", true);
        tokio::pin!(disabling);
        tokio::select! {
            biased;
            changed = head.changed() => changed.unwrap(),
            _ = &mut disabling => panic!("one write does not take all keys"),
        }
        bench.execute_sql("UPDATE users SET admin = FALSE WHERE email = 'root@pelagic.example'").await;
        let done = disabling.await.unwrap();
        assert_eq!((done.keys as i64, bench.query_number(ACTIVE).await, bench.query_number(STOPS).await), (live, 0, 0));
        assert_eq!((bench.query_number(EVENTS).await, bench.query_number(FOR_ROOT).await), (live, live - 200));
    }

    /// A failed later write is not an error: the first write stays committed, and a background job does the rest.
    async fn a_person_is_disabled_although_a_later_write_fails(bench: TestServer) {
        let root = bench.create_user("root@pelagic.example", true).await;
        let maren = bench.create_user(MAREN, false).await;
        let project = bench.app.keys.new_key_form(&maren).await.unwrap().projects[0].id;
        insert_keys(&bench, &maren, project, 300).await;
        let live = bench.query_number(ACTIVE).await;
        assert!((201..400).contains(&live), "{live}");
        let (refuse, allow) = match bench.location {
            Location::Sqlite(_) => (
                "CREATE TRIGGER refuse BEFORE DELETE ON key_stops BEGIN SELECT RAISE(ABORT, 'refused'); END",
                "DROP TRIGGER refuse",
            ),
            Location::Postgres(_) => (
                "CREATE FUNCTION refuse() RETURNS trigger AS $$ BEGIN RAISE EXCEPTION 'refused'; END $$ LANGUAGE plpgsql; \
                 CREATE TRIGGER refuse BEFORE DELETE ON key_stops FOR EACH ROW EXECUTE FUNCTION refuse()",
                "DROP TRIGGER refuse ON key_stops",
            ),
        };
        bench.execute_sql(refuse).await;
        let done = bench.app.users.disable(&Actor::User(root), maren.user, "Found a leak.", true).await.unwrap();
        assert_eq!(done.keys, 200, "those of the first write");
        assert_eq!((bench.query_number(ACTIVE).await, bench.query_number(STOPS).await), (live - 200, 1));
        bench.execute_sql(allow).await;
        keyward::service::maintenance::run_once(&bench.app).await.unwrap();
        assert_eq!((bench.query_number(ACTIVE).await, bench.query_number(STOPS).await), (0, 0));
    }

    /// Two nodes that finish the job at the same time deactivate different keys. The row in `key_stops` remains until
    /// the last key is deactivated.
    async fn two_nodes_finish_it_together(bench: TestServer) {
        let root = bench.create_user("root@pelagic.example", true).await;
        let maren = bench.create_user(MAREN, false).await;
        let project = bench.app.keys.new_key_form(&maren).await.unwrap().projects[0].id;
        bench.app.users.disable(&Actor::User(root.clone()), maren.user, "Away.", false).await.unwrap();
        insert_keys(&bench, &maren, project, 1_000).await;
        let live = bench.query_number(ACTIVE).await;
        let stop = store::users::KeyStopRow { user_id: maren.user.into(), reason: "Away.".into(), stopped_by: "root".into() };
        let write = bench.app.context.queue.write(move |tx| {
            let stop = stop.clone();
            Box::pin(async move {
                store::users::insert_key_stop(tx, &stop, 1).await?;
                Ok::<_, store::Error>(WriteOutcome::unaudited(()))
            })
        });
        write.await.unwrap();
        let other = Users::new(crate::support::open_context(&bench.location, bench.clock.clone()).await);
        let (here, there) = tokio::join!(bench.app.users.stop_remaining_keys(), other.stop_remaining_keys());
        here.unwrap();
        there.unwrap();
        assert_eq!((bench.query_number(ACTIVE).await, bench.query_number(STOPS).await), (0, 0));
        assert_eq!(bench.query_number(EVENTS).await, live, "each has one event");
    }

    /// A user whose keys cannot be deactivated does not block the next user.
    async fn one_user_whose_keys_cannot_be_deactivated_keeps_no_other(bench: TestServer) {
        let root = bench.create_user("root@pelagic.example", true).await;
        let maren = bench.create_user(MAREN, false).await;
        let tove = bench.create_user("tove@drift.example", false).await;
        for (at, person) in [(1, &maren), (2, &tove)] {
            bench.create_key(person, "Gateway").await;
            bench.app.users.disable(&Actor::User(root.clone()), person.user, "Away.", false).await.unwrap();
            let stop =
                store::users::KeyStopRow { user_id: person.user.into(), reason: "Away.".into(), stopped_by: "root".into() };
            let write = bench.app.context.queue.write(move |tx| {
                let stop = stop.clone();
                Box::pin(async move {
                    store::users::insert_key_stop(tx, &stop, at).await?;
                    Ok::<_, store::Error>(WriteOutcome::unaudited(()))
                })
            });
            write.await.unwrap();
        }
        bench.execute_sql("UPDATE key_stops SET reason = '' WHERE created_at = 1").await;
        assert!(bench.app.users.stop_remaining_keys().await.is_err(), "the error is reported");
        assert_eq!((bench.query_number(ACTIVE).await, bench.query_number(STOPS).await), (1, 1));
        bench.execute_sql("UPDATE key_stops SET reason = 'Away.'").await;
        bench.app.users.stop_remaining_keys().await.unwrap();
        assert_eq!((bench.query_number(ACTIVE).await, bench.query_number(STOPS).await), (0, 0));
    }

    async fn enabling_ends_what_was_still_to_be_deactivated(bench: TestServer) {
        let root = bench.create_user("root@pelagic.example", true).await;
        let maren = bench.create_user(MAREN, false).await;
        let project = bench.app.keys.new_key_form(&maren).await.unwrap().projects[0].id;
        bench.app.users.disable(&Actor::User(root.clone()), maren.user, "Away.", false).await.unwrap();
        insert_keys(&bench, &maren, project, 300).await;
        let stop = store::users::KeyStopRow { user_id: maren.user.into(), reason: "Away.".into(), stopped_by: "root".into() };
        let write = bench.app.context.queue.write(move |tx| {
            let stop = stop.clone();
            Box::pin(async move {
                store::users::insert_key_stop(tx, &stop, 1).await?;
                Ok::<_, store::Error>(WriteOutcome::unaudited(()))
            })
        });
        write.await.unwrap();
        let live = bench.query_number(ACTIVE).await;
        bench.app.users.enable(&Actor::User(root.clone()), maren.user).await.unwrap();
        bench.app.users.stop_remaining_keys().await.unwrap();
        assert_eq!((bench.query_number(ACTIVE).await, bench.query_number(STOPS).await), (live, 0));
    }
}

/// Another process on the same SQLite file waits for the end of one write, not for the end of the whole job.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_process_writes_while_many_keys_are_deactivated() {
    let bench = TestServer::new(Engine::Sqlite).await;
    let root = bench.create_user("root@pelagic.example", true).await;
    let maren = bench.create_user(MAREN, false).await;
    let project = bench.app.keys.new_key_form(&maren).await.unwrap().projects[0].id;
    insert_keys(&bench, &maren, project, 2_000).await;
    let other = crate::support::open_context(&bench.location, bench.clock.clone()).await;
    // The sequence number of the last event that the job has written.
    let head = bench.app.context.queue.head();
    let mut most = 0;
    let actor = Actor::User(root.clone());
    let disabling = bench.app.users.disable(&actor, maren.user, "Found a leak.", true);
    tokio::pin!(disabling);
    let done = loop {
        let waiting = async {
            let before = *head.borrow();
            let write =
                other.queue.write(|_| Box::pin(async move { Ok::<_, store::Error>(WriteOutcome::unaudited(())) }));
            write.await.unwrap();
            let passed = *head.borrow() - before;
            tokio::time::sleep(Duration::from_millis(10)).await;
            passed
        };
        tokio::select! {
            done = &mut disabling => break done.unwrap(),
            passed = waiting => most = most.max(passed),
        }
    };
    assert!(done.keys > 1_600, "{} keys", done.keys);
    // Each write deactivates 200 keys. The first write has one more event, and one measurement may be slow.
    assert!(most <= 450, "one write of the other process waited for {most} events");
    assert_eq!((bench.query_number(ACTIVE).await, bench.query_number(STOPS).await), (0, 0));
}
