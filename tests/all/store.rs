//! Store and write queue, on both engines.

use crate::support::{
    TestServer,
    test_data::{KeyEdit, KeyForms as _, change_key},
};
use keyward::{
    domain::{
        ids::{KeyId, SubjectId},
        transition::Transition,
    },
    service::{
        Error,
        actor::Actor,
        audit::{self, Chain},
        keys::{KeyDraft, Precondition},
    },
    store::{self, write_queue::WriteOutcome},
};

fn draft(bench: &TestServer, project: keyward::domain::ids::ProjectId, name: &str) -> KeyDraft {
    KeyDraft { scopes: vec!["data:read".into()], ..bench.draft(project, name) }
}

on_both_engines! {
    /// 50 clients create, edit and delete keys concurrently: no error occurs, nothing is lost, and the audit chain is
    /// intact.
    async fn fifty_clients_at_once(bench: TestServer) {
        const CLIENTS: usize = 50;
        const ROUNDS: usize = 6;
        let maren = bench.create_user("maren@pelagic.example", false).await;
        let project = bench.app.keys.new_key_form(&maren).await.unwrap().projects[0].id;
        let mut clients = Vec::new();
        for client in 0..CLIENTS {
            let (app, maren) = (bench.app.clone(), maren.clone());
            let drafts: Vec<_> = (0..ROUNDS).map(|n| draft(&bench, project, &format!("{client}-{n}"))).collect();
            clients.push(tokio::spawn(async move {
                let mut kept = Vec::<(KeyId, String)>::new();
                for (n, draft) in drafts.into_iter().enumerate() {
                    let (key, secret) = app.keys.create_from(&maren, draft).await?;
                    let edit = KeyEdit {
                        version: app.keys.edit_form(&maren, key.id).await?.version,
                        name: format!("{} edited", key.name),
                        expires: "keep".into(),
                        expires_on: String::new(),
                                    scopes: vec!["data:write".into()],
                        issued_to: "crew".into(),
                        restrictions: Default::default(),
                    };
                    let edited = app.keys.edit_from(&maren, key.id, edit).await?;
                    assert_eq!(edited.scopes, ["data:write"]);
                    if n % 2 == 0 {
                        change_key(&app.keys, &maren, key.id, Transition::Delete).await?;
                    } else {
                        kept.push((key.id, secret.expose().to_owned()));
                    }
                }
                Ok::<_, Error>(kept)
            }));
        }
        let mut kept = Vec::new();
        for client in clients {
            kept.extend(client.await.unwrap().expect("no client sees an error"));
        }
        assert_eq!(kept.len(), CLIENTS * ROUNDS / 2);
        for (id, secret) in &kept {
            let facts = bench.app.verify.verify_secret(secret, &Default::default()).await.unwrap().expect("accepted").snapshot;
            assert_eq!(facts.subject(), SubjectId::Key(*id));
            assert!(facts.name.ends_with(" edited"), "{}", facts.name);
        }
        let total = (CLIENTS * ROUNDS) as i64;
        assert_eq!(bench.query_number("SELECT COUNT(*) FROM keys").await, total);
        assert_eq!(bench.query_number("SELECT COUNT(*) FROM keys WHERE deleted_at IS NOT NULL").await, total / 2);
        for (action, expected) in [("key.created", total), ("key.edited", total), ("key.deleted", total / 2)] {
            let sql: &'static str = match action {
                "key.created" => "SELECT COUNT(*) FROM audit_events WHERE action = 'key.created'",
                "key.edited" => "SELECT COUNT(*) FROM audit_events WHERE action = 'key.edited'",
                _ => "SELECT COUNT(*) FROM audit_events WHERE action = 'key.deleted'",
            };
            assert_eq!(bench.query_number(sql).await, expected, "{action}");
        }
        let events = bench.query_number("SELECT COUNT(*) FROM audit_events").await;
        assert_eq!(audit::verify(&bench.app.context).await.unwrap(), Chain::Intact { events });
    }

    /// Two processes write to one database concurrently: the server and the command line, or two nodes.
    async fn two_processes_share_one_chain(bench: TestServer) {
        let maren = bench.create_user("maren@pelagic.example", false).await;
        let project = bench.app.keys.new_key_form(&maren).await.unwrap().projects[0].id;
        let other = crate::support::service(&bench.location, &bench.folder, bench.clock.clone(), crate::support::URL);
        // The key file exists already, and a second service opens it.
        let other = other.await;
        let work = |app: keyward::service::Services, drafts: Vec<KeyDraft>| {
            let maren = maren.clone();
            async move {
                for draft in drafts {
                    let (key, _) = app.keys.create_from(&maren, draft).await.unwrap();
                    change_key(&app.keys, &maren, key.id, Transition::Deactivate).await.unwrap();
                }
            }
        };
        let drafts = |who: &str| (0..40).map(|n| draft(&bench, project, &format!("{who}{n}"))).collect::<Vec<_>>();
        tokio::join!(work(bench.app.clone(), drafts("a")), work(other, drafts("b")));
        assert_eq!(bench.query_number("SELECT COUNT(*) FROM keys WHERE NOT active").await, 80);
        assert!(matches!(audit::verify(&bench.app.context).await.unwrap(), Chain::Intact { .. }));
        let changes = bench.query_number("SELECT COUNT(DISTINCT seq) FROM changes WHERE topic = 'key'").await;
        assert_eq!(changes, 160);
    }

    /// A failing change does not roll back the other changes of its batch.
    async fn a_failing_change_rolls_back_alone(bench: TestServer) {
        let maren = bench.create_user("maren@pelagic.example", false).await;
        let project = bench.app.keys.new_key_form(&maren).await.unwrap().projects[0].id;
        let (key, _) = bench.app.keys.create_from(&maren, draft(&bench, project, "kept")).await.unwrap();
        let queue = bench.app.context.queue.clone();
        let (id, now) = (key.id, bench.app.context.now());
        let fail = |n: usize| queue.write(move |tx| Box::pin(async move {
            store::keys::set_active(tx, id.into(), false, now.micros()).await?;
            match n % 3 {
                0 => Err(Error::Conflict("changed its mind")),
                // A statement that the database rejects, inside the transaction of the batch.
                1 => Err(store::projects::add_member(tx, uuid::Uuid::nil(), uuid::Uuid::nil(), "owner", 0).await.unwrap_err().into()),
                _ => panic!("a fault in a change"),
            }
        }));
        let succeed = |n: usize| bench.app.keys.create_from(&maren, draft(&bench, project, &format!("beside {n}")));
        let (failed, made) = tokio::join!(
            futures::future::join_all((0..9).map(fail)),
            futures::future::join_all((0..9).map(succeed))
        );
        assert!(failed.iter().all(|outcome: &Result<(), Error>| outcome.is_err()));
        assert!(made.iter().all(Result::is_ok));
        assert_eq!(bench.query_number("SELECT COUNT(*) FROM keys WHERE active").await, 10);
        assert!(matches!(audit::verify(&bench.app.context).await.unwrap(), Chain::Intact { .. }));
    }

    /// Triggers make the audit log append-only, and chain verification detects a change that bypasses them.
    async fn the_log_is_append_only_and_chained(bench: TestServer) {
        bench.create_user("maren@pelagic.example", false).await;
        bench.create_user("tove@pelagic.example", false).await;
        assert_eq!(audit::verify(&bench.app.context).await.unwrap(), Chain::Intact { events: 6 });
        let tamper = |sql: &'static str| bench.app.context.queue.write(move |tx| Box::pin(async move {
            match &mut **tx {
                store::Engine::Sqlite(c) => sqlx::query(sql).execute(&mut **c).await.map(|_| ()),
                store::Engine::Postgres(c) => sqlx::query(sql).execute(&mut **c).await.map(|_| ()),
            }.map_err(store::Error::from)?;
            Ok::<_, Error>(WriteOutcome::unaudited(()))
        }));
        for sql in ["UPDATE audit_events SET actor_name = 'nobody' WHERE seq = 3", "DELETE FROM audit_events"] {
            let refused = tamper(sql).await.unwrap_err().to_string();
            assert!(refused.contains("append-only"), "{refused}");
        }
        let (unlock, change) = match bench.app.context.pool {
            store::Pool::Sqlite { .. } => ("DROP TRIGGER audit_events_stay", "UPDATE audit_events SET actor_name = 'nobody' WHERE seq = 3"),
            store::Pool::Postgres(_) => ("DROP TRIGGER audit_events_stay ON audit_events", "UPDATE audit_events SET actor_name = 'nobody' WHERE seq = 3"),
        };
        tamper(unlock).await.unwrap();
        tamper(change).await.unwrap();
        assert_eq!(audit::verify(&bench.app.context).await.unwrap(), Chain::Broken { seq: 3 });
    }

    /// The change feed delivers changes of the command line, and contains every change of a key.
    async fn every_change_is_noted_for_others(bench: TestServer) {
        let maren = bench.create_user("maren@pelagic.example", false).await;
        let project = bench.app.keys.new_key_form(&maren).await.unwrap().projects[0].id;
        let newest = || async {
            let mut reader = bench.app.context.pool.acquire_reader().await.unwrap();
            store::change_log::newest(&mut reader.conn()).await.unwrap()
        };
        let before = newest().await;
        let (key, _) = bench.app.keys.create_from(&maren, draft(&bench, project, "received")).await.unwrap();
        bench.app.keys.transition(&Actor::Operator, key.id, Transition::Deactivate, Precondition::default()).await.unwrap();
        bench.app.keys.transition(&Actor::Operator, key.id, Transition::Deactivate, Precondition::default()).await.unwrap();
        assert_eq!(newest().await, before + 2, "a change that changes nothing is none");
        bench.app.projects.set_config(&Actor::Operator, project, r#"{"a": 1}"#).await.unwrap();
        assert_eq!(newest().await, before + 3);
    }
}
