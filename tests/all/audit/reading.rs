//! The pages of the log and of the history: events, acting roles, sentences, and who may read them.

use super::*;

on_both_engines! {
    /// The acting role of an event: administrator for administration, `self` for the user's own account, and the
    /// project role for a project.
    async fn events_have_the_acting_role(bench: TestServer) {
        let root = Actor::User(bench.create_user("root@keys.example", true).await);
        let maren = bench.create_user("maren@pelagic.example", false).await;
        let project = bench.app.projects.list(&maren).await.unwrap()[0].id;
        bench.app.users.disable(&root, maren.user, "Away", false).await.unwrap();
        bench.app.users.enable(&root, maren.user).await.unwrap();
        bench.app.projects.rename(&Actor::User(maren.clone()), project, None, "Harbour").await.unwrap();
        bench.app.accounts.save_profile(&maren, "Maren", "Europe/Oslo").await.unwrap();
        let sql = "SELECT action || ' ' || acting FROM audit_events WHERE actor LIKE 'user:%' ORDER BY seq";
        assert_eq!(
            bench.query_texts(sql).await,
            ["user.disabled administrator", "user.enabled administrator", "project.renamed owner", "user.changed self"]
        );
    }

    /// Each event records the acting role.
    async fn the_acting_role_of_each_event(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let admin = bench.create_user(ADMIN, true).await;
        let operator = bench.create_user("ops@pelagic.example", false).await;
        let key = bench.create_key(&maren, "Gateway").await;
        bench.add_member(key.project, &operator, "operator").await;
        change_key(&bench.app.keys, &operator, key.id, Transition::Deactivate).await.unwrap();
        change_any_key(&bench.app.keys, &admin, key.id, Transition::Activate, "Needed.").await.unwrap();
        bench.app.keys.transition(&Actor::Operator, key.id, Transition::Deactivate, Precondition::default()).await.unwrap();
        let sql = format!("SELECT action || ' ' || acting FROM audit_events WHERE target = 'key:{}' ORDER BY seq", key.id);
        let expected =
            ["key.created owner", "key.deactivated operator", "key.activated administrator", "key.deactivated command line"];
        assert_eq!(bench.query_texts(&sql).await, expected);
        bench.signed_in(EMAIL).await;
        bench.browser().post("/login", &[("email", EMAIL), ("password", "not that one")]).await;
        let sql = "SELECT action || ' ' || acting FROM audit_events WHERE action LIKE 'session.%' ORDER BY seq";
        assert_eq!(bench.query_texts(sql).await, ["session.started self", "session.refused keyward"]);
    }

    /// Administrators read the whole log, newest first, with filters by user, kind, target, and day, and with
    /// pagination.
    async fn the_log_is_read_and_narrowed(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let mut admin = bench.create_user(ADMIN, true).await;
        let key = bench.create_key(&maren, "Nightly 100%_export").await;
        change_any_key(&bench.app.keys, &admin, key.id, Transition::Deactivate, "Found in a <public> repository.").await.unwrap();
        bench.clock.advance(2 * 86_400);
        change_any_key(&bench.app.keys, &admin, key.id, Transition::Activate, "It was none.").await.unwrap();
        let all = bench.search_events(&admin, "").await;
        assert_eq!(all[0], "root activated the key “Nightly 100%_export”");
        assert_eq!(all[1], "root deactivated the key “Nightly 100%_export”");
        let maren_made = ["maren created the key “Nightly 100%_export”"];
        assert_eq!(bench.search_events(&admin, "who=MAR").await, maren_made);
        assert_eq!(bench.search_events(&admin, &format!("who=user:{}", maren.user)).await, maren_made);
        assert_eq!(bench.search_events(&admin, "who=nobody").await, [""; 0]);
        assert!(bench.search_events(&admin, "who=operator").await.iter().all(|it| it.starts_with("Command line created")));
        assert_eq!(bench.search_events(&admin, "kind=keys").await.len(), 3);
        assert_eq!(bench.search_events(&admin, "kind=keys&who=root").await.len(), 2);
        assert!(bench.search_events(&admin, "kind=people").await.iter().all(|it| it.contains("account of")));
        assert_eq!(bench.search_events(&admin, "thing=100%25").await, [""; 0]);
        assert_eq!(bench.search_events(&admin, "thing=100%_").await.len(), 3);
        assert_eq!(bench.search_events(&admin, "thing=1000").await, [""; 0], "no wildcard");
        assert_eq!(bench.search_events(&admin, &format!("thing=key:{}", key.id)).await.len(), 3);
        let of_project = bench.search_events(&admin, &format!("thing=project:{}", key.project)).await;
        assert_eq!((of_project.len(), of_project[3].as_str()), (4, "Command line created the project “maren’s project”"));

        // A day begins and ends in the caller's time zone.
        let day = |caller: &Caller, ago: i64| {
            let at = bench.app.context.now().plus_seconds(-ago * 86_400);
            keyward::service::time_format::rfc3339(
                at.plus_seconds(i64::from(caller.zone.to_offset(jiff::Timestamp::from_second(at.seconds()).unwrap()).seconds())),
            )[..10].to_owned()
        };
        for zone in ["Pacific/Kiritimati", "Pacific/Pago_Pago", "UTC"] {
            admin.zone = jiff::tz::TimeZone::get(zone).unwrap();
            let (today, then) = (day(&admin, 0), day(&admin, 2));
            assert_eq!(bench.search_events(&admin, &format!("kind=keys&from={today}")).await.len(), 1, "{zone}");
            assert_eq!(bench.search_events(&admin, &format!("kind=keys&from={then}&to={then}")).await.len(), 2, "{zone}");
            assert_eq!(bench.search_events(&admin, &format!("kind=keys&from={then}&to={today}")).await.len(), 3, "{zone}");
            assert_eq!(bench.search_events(&admin, "kind=keys&to=2020-01-31").await.len(), 0);
        }
        assert_eq!(bench.search_events(&admin, "kind=keys&from=2026-02-31").await.len(), 3, "no such day: ignored");

        bench.events_of(120).await;
        let (mut filter, mut seen) = (AuditFilter::default(), Vec::new());
        loop {
            let page = bench.app.audit.list(&admin, &filter).await.unwrap();
            assert!(page.events.len() <= 50);
            seen.extend(page.events.iter().map(|event| event.seq));
            // New events do not move the pages.
            bench.events_of(1).await;
            match page.next {
                Some(next) => filter.before = Some(next),
                None => break,
            }
        }
        let head = seen[0];
        assert_eq!(seen, (1..=head).rev().collect::<Vec<_>>());
        for other in [&maren, &Caller { admin: true, ..maren.clone() }] {
            assert!(matches!(bench.app.audit.list(other, &AuditFilter::default()).await, Err(Error::NotFound)));
            assert!(matches!(bench.app.audit.export(other, "", "").await.map(|_| ()), Err(Error::NotFound)));
        }
    }

    /// The page shows sentences with their exact values, and how far the log is signed. For callers who are not
    /// administrators, it does not exist.
    async fn the_page_is_for_administrators(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let admin = bench.create_user(ADMIN, true).await;
        let key = bench.create_key(&maren, "Gateway").await;
        let mut browser = bench.signed_in(ADMIN).await;
        let page = browser.post(&format!("/admin/keys/{}/deactivate", key.id), &[("id", &key.id.to_string()), ("reason", "Leaked <b>")]).await;
        assert_eq!(page.status, 303);
        let page = browser.get("/admin/audit?kind=keys").await;
        assert_eq!(page.status, 200);
        let text = page.text();
        for words in ["deactivated the key “Gateway”", "“Leaked &lt;b&gt;”", "administrator", "Details", &key.id.to_string(),
            "The log will be signed within a minute", "Status", "inactive", &format!("user:{}", admin.user), "/admin/audit/export"] {
            assert!(text.contains(words), "{words}: {text}");
        }
        assert!(!text.contains("signed in"), "of another kind");
        bench.sign().await;
        assert!(browser.get("/admin/audit").await.text().contains("Signed through event "));
        bench.events_of(1).await;
        assert!(!browser.get("/admin/audit").await.text().contains("not signed after 3 minutes"));
        bench.clock.advance(4 * MINUTE);
        assert!(browser.get("/admin/audit").await.text().contains("not signed after 3 minutes"), "the page warns");

        let before = bench.head().await;
        for mut other in [bench.signed_in(EMAIL).await, bench.browser()] {
            let missing = other.get("/nowhere").await;
            for path in ["/admin/audit", "/admin/audit/export", "/admin/audit/export?from=2026-01-01"] {
                let page = other.get(path).await;
                assert_eq!(page.status, 404, "{path}");
                assert_eq!(page.masked(&[path]), missing.masked(&["/nowhere"]), "{path}");
            }
        }
        assert_eq!(bench.events("audit.exported").await, 0);
        assert_eq!(bench.head().await, before + 1, "the sign-in alone");
        let page = browser.post("/admin/audit/export", &[("from", "2026-02-31")]).await;
        assert_eq!(page.status, 422, "{}", page.text());
        assert_eq!(bench.events("audit.exported").await, 0);
    }

    /// Members of any role read the history of a key and of their project. For other users neither exists. Only
    /// administrators see IP addresses.
    async fn members_read_the_history(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let key = bench.create_key(&maren, "Gateway").await;
        let (id, project) = (key.id.to_string(), key.project.to_string());
        let (mut browsers, mut callers) = (Vec::new(), Vec::new());
        for (email, role) in [("viewer@pelagic.example", "viewer"), ("ops@pelagic.example", "operator")] {
            let member = bench.create_user(email, false).await;
            bench.add_member(key.project, &member, role).await;
            browsers.push((200, bench.signed_in(email).await));
            callers.push((200, member));
        }
        let mut owner = bench.signed_in(EMAIL).await;
        let page = owner.post(&format!("/keys/{id}/deactivate"), &[("id", &id)]).await;
        assert_eq!(page.status, 303);
        browsers.push((200, owner));
        callers.push((200, maren));
        for (email, is_admin) in [("tove@drift.example", false), (ADMIN, true)] {
            callers.push((404, bench.create_user(email, is_admin).await));
            browsers.push((404, bench.signed_in(email).await));
        }
        browsers.push((401, bench.browser()));
        for (status, caller) in &callers {
            let log = &bench.app.audit;
            let histories = [
                ("key", log.key_history(caller, key.id, None).await, 2),
                ("project", log.project_history(caller, key.project, None).await, 3),
            ];
            for (what, history, events) in histories {
                if *status == 200 {
                    let history = json_of(&history.unwrap());
                    assert_eq!(history["events"].as_array().unwrap().len(), events, "{what}: {history}");
                    assert_eq!(history["events"][0]["message"], "deactivated the key “Gateway”");
                    assert_eq!(history["events"][0]["acting"], "owner");
                    assert_eq!(history["events"][0]["changed"][0]["what"], "Status");
                    let text = history.to_string();
                    for hidden in ["127.0.0.1", "user:", "agent\":\"", "hash"] {
                        assert!(!text.contains(hidden), "{hidden}: {text}");
                    }
                } else {
                    assert!(matches!(history, Err(Error::NotFound)), "{what} of {}", caller.email);
                }
            }
        }
        let random = bench.app.context.new_id().to_string();
        for (status, browser) in &mut browsers {
            if *status == 404 {
                let path = format!("/keys/{id}");
                let (theirs, none) = (browser.get(&path).await, browser.get(&format!("/keys/{random}")).await);
                let masked = |page: &Page, id: &str| page.masked(&[id, &id.replace('-', "%2D")]);
                assert_eq!((theirs.status, masked(&theirs, &id)), (404, masked(&none, &random)), "another's key");
            }
            for (path, id) in [("/keys/", &id), ("/projects/", &project)] {
                let page = browser.get(&format!("{path}{id}")).await;
                match *status {
                    200 => assert!(page.text().contains("History") && page.text().contains("deactivated the key “Gateway”"), "{}", page.text()),
                    401 => assert_eq!((page.status, page.location().starts_with("/login?")), (303, true)),
                    // An administrator may open the project. Its history is for its members; the audit log has all
                    // events.
                    _ => assert!(page.status == 404 || !page.text().contains("History"), "{}", page.text()),
                }
            }
        }
        let page = browsers[2].1.get(&format!("/keys/{id}")).await;
        assert!(page.text().contains("<b>You<"));
    }

    /// The cursor of the history is the last event shown. The history of a key contains no events of other keys.
    async fn the_history_goes_on(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let (key, other) = (bench.create_key(&maren, "Gateway").await, bench.create_key(&maren, "Other").await);
        for _ in 0..6 {
            change_key(&bench.app.keys, &maren, key.id, Transition::Deactivate).await.unwrap();
            change_key(&bench.app.keys, &maren, key.id, Transition::Activate).await.unwrap();
        }
        let first = bench.app.audit.key_history(&maren, key.id, None).await.unwrap();
        assert_eq!((first.events.len(), first.next.is_some()), (10, true));
        let rest = bench.app.audit.key_history(&maren, key.id, first.next).await.unwrap();
        assert_eq!((rest.events.len(), rest.next), (3, None));
        assert_eq!(rest.events[2].message, "created the key “Gateway”");
        assert!(first.events.iter().chain(&rest.events).all(|event| event.own && event.exact.is_none()));
        assert_eq!(bench.app.audit.key_history(&maren, other.id, None).await.unwrap().events.len(), 1);
        let mut browser = bench.signed_in(EMAIL).await;
        let page = browser.get(&format!("/keys/{}", key.id)).await;
        let to = format!("/keys/{}?history={}#history", key.id, first.next.unwrap());
        assert!(page.text().contains(&to), "{}", page.text());
        let page = browser.get(to.split('#').next().unwrap()).await;
        assert!(page.text().contains("created the key “Gateway”") && !page.text().contains("Show older"));
        let page = browser.get(&format!("/keys/{}?history=x", key.id)).await;
        assert_eq!(page.status, 200, "what is no number begins anew");
        // A removed key has no page. The history of the project keeps the events of the key.
        change_key(&bench.app.keys, &maren, key.id, Transition::Delete).await.unwrap();
        assert_eq!(bench.app.audit.key_history(&maren, key.id, None).await.unwrap().events[0].message, "deleted the key “Gateway”");
        bench.clock.advance(7 * 86_400);
        assert!(matches!(bench.app.audit.key_history(&maren, key.id, None).await, Err(Error::NotFound)));
        bench.app.keys.purge().await.unwrap();
        let history = bench.app.audit.project_history(&maren, key.project, None).await.unwrap();
        assert_eq!(history.events[0].message, "permanently removed the deleted key “Gateway”");
        assert_eq!(history.events[0].who, "Keyward");
        // A former member can read neither history.
        bench.execute_sql("DELETE FROM members").await;
        let gone = |id: KeyId, project: ProjectId| (bench.app.audit.key_history(&maren, id, None), bench.app.audit.project_history(&maren, project, None));
        let (of_key, of_project) = gone(other.id, other.project);
        assert!(matches!(of_key.await, Err(Error::NotFound)) && matches!(of_project.await, Err(Error::NotFound)));
    }
}

/// Collects every string like `thing.verb` in sources that write events, except strings in `tracing` calls.
fn actions(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            actions(&path, found);
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("readable");
        let code = rust_source::without_tests(&text);
        if !code.contains(".event(") {
            continue;
        }
        for line in code.lines().filter(|line| !line.contains("tracing::") && !line.trim_start().starts_with("//")) {
            found.extend(line.split('"').skip(1).step_by(2).filter(|it| is_action(it)).map(ToOwned::to_owned));
        }
    }
}

fn is_action(text: &str) -> bool {
    let is_word = |it: &str| !it.is_empty() && it.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    text.split_once('.').is_some_and(|(thing, verb)| is_word(thing) && is_word(verb))
}

/// Every action in an event has a sentence in `domain/audit.rs`.
#[test]
fn every_action_has_a_sentence() {
    let mut found = BTreeSet::new();
    for folder in ["src", "crates"] {
        actions(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut found);
    }
    assert!(found.len() > 15 && found.contains("key.restored") && found.contains("signing_key.created"), "{found:?}");
    let missing: Vec<_> = found.iter().filter(|action| !has_message(action)).collect();
    assert!(missing.is_empty(), "no sentence in domain/audit.rs for {missing:?}");
}

/// The service checks in the database that the caller is an active administrator.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disabled_administrator_reads_nothing() {
    let bench = TestServer::new(crate::support::Engine::Sqlite).await;
    let admin = bench.create_user(ADMIN, true).await;
    bench.execute_sql("UPDATE users SET active = 0").await;
    assert!(matches!(bench.app.audit.list(&admin, &AuditFilter::default()).await, Err(Error::NotFound)));
    let again = bench.app.accounts.caller(admin.user, Origin::default(), bench.app.context.now()).await.unwrap();
    assert!(again.is_none());
}
