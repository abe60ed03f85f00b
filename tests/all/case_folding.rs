//! Search and sort order ignore case and accents, in every script and on both engines.

use crate::support::TestServer;
use keyward::{
    domain::{audit::AuditFilter, ids::ProjectId},
    service::{
        accounts::NewUser,
        actor::{Actor, Caller},
    },
    store,
};

const ROOT: &str = "root@pelagic.example";

async fn create_named_user(bench: &TestServer, name: &str, email: &str) {
    let person = NewUser {
        email: email.into(),
        name: name.into(),
        password: keyward::domain::sensitive::Password::new(crate::support::PASSWORD.into()),
        admin: false,
        project: String::new(),
    };
    bench.app.accounts.create_user(&Actor::Operator, person).await.unwrap();
}

async fn search_users(bench: &TestServer, root: &Caller, text: &str) -> Vec<String> {
    let page = bench.app.users.list(root, text, "").await.unwrap();
    assert_eq!(page.total, page.users.len() as u64);
    page.users.into_iter().map(|user| user.name).collect()
}

/// Runs a statement as the previous release would run it.
async fn execute_old_statement(bench: &TestServer, sql: &'static str) {
    bench
        .app
        .context
        .queue
        .write(move |tx| {
            Box::pin(async move {
                match &mut **tx {
                    store::Engine::Sqlite(c) => sqlx::query(sql).execute(&mut **c).await.map(|_| ()),
                    store::Engine::Postgres(c) => sqlx::query(sql).execute(&mut **c).await.map(|_| ()),
                }?;
                Ok::<_, store::Error>(store::write_queue::WriteOutcome::unaudited(()))
            })
        })
        .await
        .unwrap();
}

on_both_engines! {
    async fn people_are_found_in_any_case_and_script(bench: TestServer) {
        let root = bench.create_user(ROOT, true).await;
        for (name, email) in [
            ("Ольга Петрова", "olga@pelagic.example"),
            ("Émile Zola", "zola@pelagic.example"),
            ("STRASSE 50%_a", "strasse@pelagic.example"),
        ] {
            create_named_user(&bench, name, email).await;
        }
        for (text, names) in [
            ("ольга", vec!["Ольга Петрова"]),
            ("Ольга", vec!["Ольга Петрова"]),
            ("ПЕТРОВА", vec!["Ольга Петрова"]),
            ("emile", vec!["Émile Zola"]),
            ("ÉMILE", vec!["Émile Zola"]),
            ("straße", vec!["STRASSE 50%_a"]),
            ("50%_", vec!["STRASSE 50%_a"]),
            ("ZOLA@pelagic", vec!["Émile Zola"]),
            ("_mile", vec![]),
            ("%", vec!["STRASSE 50%_a"]),
        ] {
            assert_eq!(search_users(&bench, &root, text).await, names, "{text}");
        }
    }

    async fn projects_are_in_the_order_of_their_names_without_case(bench: TestServer) {
        let root = bench.create_user(ROOT, true).await;
        for name in ["banana", "Zebra", "apple", "Épée"] {
            bench.app.projects.create(&Actor::User(root.clone()), root.user, name).await.unwrap();
        }
        let names: Vec<_> = bench.app.projects.list(&root).await.unwrap().into_iter().map(|it| it.name).collect();
        let place = |name: &str| names.iter().position(|it| it == name).unwrap();
        assert!(place("apple") < place("banana") && place("banana") < place("Épée") && place("Épée") < place("Zebra"), "{names:?}");
    }

    async fn the_log_is_searched_in_any_case_and_script(bench: TestServer) {
        let root = bench.create_user(ROOT, true).await;
        create_named_user(&bench, "Ольга Петрова", "olga@pelagic.example").await;
        let count = async |filter: AuditFilter| bench.app.audit.list(&root, &filter).await.unwrap().events.len();
        for text in ["ольга", "Ольга", "ПЕТРОВА"] {
            let filter = AuditFilter { thing: text.into(), ..AuditFilter::default() };
            assert!(count(filter).await > 0, "{text}");
        }
        assert_eq!(count(AuditFilter { thing: "_льга".into(), ..AuditFilter::default() }).await, 0);
    }

    /// Rows and events that the previous release writes are found after a run of the maintenance job.
    async fn rows_of_the_previous_release_are_filled(bench: TestServer) {
        let root = bench.create_user(ROOT, true).await;
        create_named_user(&bench, "Zoë", "zoe@pelagic.example").await;
        execute_old_statement(&bench, "UPDATE users SET name = 'Ольга' WHERE email = 'zoe@pelagic.example'").await;
        execute_old_statement(&bench, "DELETE FROM audit_names").await;
        assert!(search_users(&bench, &root, "ольга").await.is_empty(), "it is not filled yet");
        assert_eq!(search_users(&bench, &root, "").await.len(), 2, "it is listed");
        bench.app.folding.fill().await.unwrap();
        assert_eq!(search_users(&bench, &root, "ольга").await, ["Ольга"]);
        assert!(search_users(&bench, &root, "zoe").await.len() == 1, "by the address");
        let filter = AuditFilter { thing: "ZOE".into(), ..AuditFilter::default() };
        assert!(!bench.app.audit.list(&root, &filter).await.unwrap().events.is_empty());
        let project: ProjectId = bench.app.keys.new_key_form(&root).await.unwrap().projects[0].id;
        crate::lists::insert_keys(&bench, &root, project, 700).await;
        execute_old_statement(&bench, "UPDATE keys SET name = 'Заря', issued_to = 'Ольга'").await;
        assert_eq!(bench.query_number("SELECT COUNT(*) FROM keys WHERE name_folded = ''").await, 700);
        bench.app.folding.fill().await.unwrap();
        let sql = "SELECT COUNT(*) FROM keys WHERE name_folded = 'заря' AND issued_to_folded = 'ольга'";
        assert_eq!(bench.query_number(sql).await, 700);
    }

    /// A new name that differs only in case folds to the same text as the old one. It is found at once.
    async fn a_name_in_another_case_is_folded_at_once(bench: TestServer) {
        let root = bench.create_user(ROOT, true).await;
        let made = bench.create_key(&root, "Gateway").await;
        let (user, key, project) = (root.user.into(), made.id.into(), made.project);
        let upper = bench.app.projects.list(&root).await.unwrap()[0].name.to_uppercase();
        bench.app.projects.rename(&Actor::Operator, project, None, &upper).await.unwrap();
        let write = bench.app.context.queue.write(move |tx| {
            Box::pin(async move {
                let fields = store::keys::KeyFields {
                    name: "GATEWAY".into(),
                    scopes: vec!["data:read".into()],
                    ..Default::default()
                };
                let edited = store::keys::edit(tx, key, &fields, 1).await?;
                let named = store::accounts::set_profile(tx, user, "ROOT", None).await?;
                Ok::<_, store::Error>(store::write_queue::WriteOutcome::unaudited((edited, named)))
            })
        });
        assert_eq!(write.await.unwrap(), (true, true));
        for table in ["users", "projects", "keys"] {
            assert_eq!(bench.query_number(&format!("SELECT COUNT(*) FROM {table} WHERE name_folded = ''")).await, 0, "{table}");
        }
        assert_eq!(search_users(&bench, &root, "root").await, ["ROOT"]);
        assert_eq!(bench.query_number("SELECT COUNT(*) FROM keys WHERE name_folded = 'gateway'").await, 1);
    }
}
