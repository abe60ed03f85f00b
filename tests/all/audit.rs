//! Audit log: checkpoints, verification, export, and the pages that show it.

use crate::support::{
    TestServer,
    browser::Page,
    change_feed::wait_until,
    json_of,
    test_data::{change_any_key, change_key},
};
use keyward::{
    domain::{
        audit::{AuditFilter, has_message},
        ids::{KeyId, ProjectId},
        transition::Transition,
    },
    service::{
        Context, Error,
        actor::{Actor, Caller, Origin},
        audit::{
            self, Chain,
            checkpoint::{Checkpoint, TYP},
            jsonl_export,
            keys::{self, PublicKey},
            verify_chain::Fault,
        },
        keys::Precondition,
    },
    store::{self, Pool, audit::EventRow, write_queue::WriteOutcome},
};
use std::{collections::BTreeSet, path::Path, sync::Arc};

const EMAIL: &str = "maren@pelagic.example";
const ADMIN: &str = "root@keys.example";
const MINUTE: i64 = 60;

/// Writes `count` events in this process, by concurrent changes with a few events each.
async fn events_of(context: &Context, count: usize) {
    const TOGETHER: usize = 10;
    let now = context.now();
    let writes = (0..count).step_by(TOGETHER).map(|from| {
        let to = count.min(from + TOGETHER);
        context.queue.write(move |_| {
            let event = |n: usize| Actor::Operator.event(now, "key.edited", "key:none", &format!("Key {n}"));
            let kept = (from + 1..to).fold(WriteOutcome::audited((), event(from)), |kept, n| kept.and_event(event(n)));
            Box::pin(async move { Ok::<_, Error>(kept) })
        })
    });
    for done in futures::future::join_all(writes).await {
        done.expect("written");
    }
}

impl TestServer {
    /// Writes `count` events, by concurrent changes.
    async fn events_of(&self, count: usize) {
        events_of(&self.app.context, count).await;
    }

    async fn head(&self) -> i64 {
        let mut reader = self.app.context.pool.acquire_reader().await.unwrap();
        store::audit::head(&mut reader.conn()).await.unwrap().0
    }

    async fn rows(&self) -> Vec<EventRow> {
        let mut reader = self.app.context.pool.acquire_reader().await.unwrap();
        store::audit::after(&mut reader.conn(), 0, 100_000).await.unwrap()
    }

    /// Removes the protection of the tables against changes, as an attacker with access to the database can.
    async fn unlock(&self) {
        match self.app.context.pool {
            Pool::Sqlite { .. } => {
                for trigger in
                    ["audit_events_stay", "audit_events_remain", "audit_checkpoints_stay", "audit_checkpoints_remain"]
                {
                    self.execute_sql(&format!("DROP TRIGGER {trigger}")).await;
                }
            }
            Pool::Postgres(_) => {
                for table in ["audit_events", "audit_checkpoints"] {
                    self.execute_sql(&format!("DROP TRIGGER {table}_stay ON {table}")).await;
                }
            }
        }
    }

    fn bytes(&self, bytes: &[u8]) -> String {
        match self.app.context.pool {
            Pool::Sqlite { .. } => format!("x'{}'", hex::encode(bytes)),
            Pool::Postgres(_) => format!("'\\x{}'", hex::encode(bytes)),
        }
    }

    /// Rewrites an event, every hash after it, and the head, so that the chain is consistent again.
    async fn rewrite(&self, seq: i64) {
        let mut rows = self.rows().await;
        let mut prev = None;
        for row in rows.iter_mut().filter(|row| row.seq >= seq) {
            if row.seq == seq {
                row.actor_name = "Somebody else".into();
            }
            if let Some(prev) = prev.take() {
                row.prev = prev;
            }
            row.hash = row.digest();
            prev = Some(row.hash.clone());
            let (before, hash) = (self.bytes(&row.prev), self.bytes(&row.hash));
            self.execute_sql(&format!(
                "UPDATE audit_events SET actor_name = '{}', prev = {before}, hash = {hash} WHERE seq = {}",
                row.actor_name, row.seq
            ))
            .await;
        }
        self.execute_sql(&format!("UPDATE head SET audit_hash = {}", self.bytes(&prev.unwrap()))).await;
    }

    async fn check(&self, trusted: Vec<PublicKey>, kept: Vec<Checkpoint>) -> audit::verify_chain::VerificationResult {
        audit::verify_with(&self.app.context, trusted, kept).await.unwrap()
    }

    async fn keys(&self) -> Vec<PublicKey> {
        keys::list_from_database(&self.app.context).await.unwrap()
    }

    async fn check_chain(&self) -> audit::verify_chain::VerificationResult {
        self.check(self.keys().await, Vec::new()).await
    }

    async fn sign(&self) -> Vec<Checkpoint> {
        self.app.audit.sign(true).await.unwrap().0
    }

    async fn search_events(&self, caller: &Caller, query: &str) -> Vec<String> {
        let pairs: Vec<_> = query.split('&').filter_map(|pair| pair.split_once('=')).collect();
        let filter = AuditFilter::from_query(|name| Some(pairs.iter().find(|(it, _)| *it == name)?.1.to_owned()));
        let page = self.app.audit.list(caller, &filter).await.unwrap();
        page.events.into_iter().map(|it| format!("{} {}", it.who, it.message)).collect()
    }
}

/// Checks an exported file.
fn check_file(page: &Page, trusted: Option<Vec<PublicKey>>) -> audit::verify_chain::VerificationResult {
    jsonl_export::verify_file(page.bytes.as_slice(), trusted, Vec::new()).unwrap().0
}

/// A public key that belongs to no server.
fn other_key() -> PublicKey {
    keys::parse("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo").unwrap().remove(0)
}

fn fault(checked: &audit::verify_chain::VerificationResult) -> (i64, Fault) {
    let broken = checked.inconsistency.expect("broken");
    assert!(broken.to_string().contains(&format!("from event {} on", broken.seq)), "{broken}");
    (broken.seq, broken.fault)
}

on_both_engines! {
    /// A checkpoint contains the sequence number, the hash, and the time of an event. Its signing key signs nothing
    /// else, and its token type is used for nothing else. A checkpoint is created when there are new events, and is
    /// reported after it is stored.
    async fn a_checkpoint_signs_the_head(bench: TestServer) {
        let signed_events = Arc::new(std::sync::Mutex::new(Vec::new()));
        let hear = signed_events.clone();
        bench.app.audit.set_checkpoint_callback(move |checkpoint| hear.lock().unwrap().push(checkpoint.line()));
        bench.create_user(EMAIL, true).await;
        let made = bench.sign().await;
        let [checkpoint] = made.as_slice() else { panic!("{made:?}") };
        let last = bench.rows().await.pop().unwrap();
        assert_eq!((checkpoint.seq, &checkpoint.head, checkpoint.after), (last.seq, &last.hash, 0));
        assert_eq!(checkpoint.at.seconds(), bench.app.context.now().seconds());
        let [key] = bench.keys().await.try_into().unwrap();
        assert_eq!(Some(&checkpoint.kid), key.kid.as_ref());
        assert!(checkpoint.is_signed_by(&[other_key(), key.clone()]).is_some());
        assert!(checkpoint.is_signed_by(&[other_key()]).is_none());
        assert_eq!(Checkpoint::parse(&checkpoint.token).as_ref(), Some(checkpoint));
        assert_eq!(*signed_events.lock().unwrap(), [format!("audit checkpoint {} {}", checkpoint.seq, checkpoint.token)]);

        assert!(bench.sign().await.is_empty(), "nothing came");
        bench.clock.advance(MINUTE);
        bench.events_of(3).await;
        assert!(bench.app.audit.sign(false).await.unwrap().0.is_empty(), "no thousand events");
        let next = bench.sign().await.remove(0);
        assert_eq!((next.seq, next.after), (checkpoint.seq + 3, checkpoint.seq));
        let checked = bench.check_chain().await;
        assert_eq!((checked.inconsistency, checked.unsigned(), checked.checkpoints), (None, 0, 2));

        // Access tokens are signed with another key, and have another type.
        let header = jsonwebtoken::decode_header(&checkpoint.token).unwrap();
        assert_eq!((header.typ.as_deref(), header.alg), (Some(TYP), jsonwebtoken::Algorithm::EdDSA));
        let mut browser = bench.browser();
        let log = browser.get("/.well-known/keyward-audit-keys.json").await;
        assert_eq!((log.status, log.json()), (200, serde_json::json!({"keys": [key.jwk()]})));
        let tokens = browser.get("/.well-known/jwks.json").await.json();
        assert_ne!(tokens["keys"][0]["x"], log.json()["keys"][0]["x"]);
        assert_ne!(tokens["keys"][0]["kid"], log.json()["keys"][0]["kid"]);
        let project = bench.app.context.new_id();
        let page = browser.bearer(&format!("/v1/projects/{project}/config"), &checkpoint.token).await;
        assert_eq!((page.status, page.problem()), (401, "invalid_token".to_owned()));
    }

    /// At most 1,000 events lie between two checkpoints, at any rate of events.
    async fn every_thousand_events(bench: TestServer) {
        bench.events_of(2_345).await;
        let (made, signed) = bench.app.audit.sign(false).await.unwrap();
        assert_eq!(made.iter().map(|it| (it.seq, it.after)).collect::<Vec<_>>(), [(1_000, 0), (2_000, 1_000)]);
        assert_eq!(signed, 2_000);
        let head = bench.head().await;
        assert_eq!(bench.sign().await.iter().map(|it| it.seq).collect::<Vec<_>>(), [head]);
        let checked = bench.check_chain().await;
        assert_eq!((checked.inconsistency, checked.last, checked.checkpoints, checked.unsigned()), (None, head, 3, 0));
    }

    /// The background task signs the events of its own process, and does so immediately after 1,000 events.
    async fn a_burst_is_signed_by_itself(bench: TestServer) {
        let task = tokio::spawn(bench.app.audit.clone().run());
        bench.events_of(1).await;
        let signed = || bench.query_number("SELECT COALESCE(MAX(seq), 0) FROM audit_checkpoints");
        let until = async |seq: i64| {
            // Not a measurement: a timeout that ends the test after a failure.
            for _ in 0..1_200 {
                if signed().await >= seq {
                    return;
                }
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
            panic!("signed only up to {}", signed().await);
        };
        bench.events_of(3_100).await;
        until(3_000).await;
        // Events of another process: the task checks for them every second.
        let context = crate::support::open_context(&bench.location, bench.clock.clone()).await;
        events_of(&context, 1_000).await;
        until(4_000).await;
        let apart = "SELECT COUNT(*) FROM audit_checkpoints a WHERE a.seq - COALESCE((SELECT MAX(b.seq) FROM audit_checkpoints b \
            WHERE b.seq < a.seq), 0) > 1000";
        assert_eq!(bench.query_number(apart).await, 0);
        task.abort();
        assert_eq!(bench.check_chain().await.inconsistency, None);
    }

    /// After a database error, the task retries within seconds and signs the events of that minute.
    async fn a_refused_signature_is_tried_again(bench: TestServer) {
        bench.events_of(3).await;
        bench.execute_sql("ALTER TABLE audit_checkpoints RENAME TO elsewhere").await;
        let task = tokio::spawn(bench.app.audit.clone().run());
        // Long enough for a rejected write. If it is too short, the test proves less but does not fail.
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        bench.execute_sql("ALTER TABLE elsewhere RENAME TO audit_checkpoints").await;
        let signed = format!("SELECT COUNT(*) FROM audit_checkpoints WHERE seq = {}", bench.head().await);
        wait_until("it is signed", async || bench.query_number(&signed).await == 1).await;
        task.abort();
    }

    /// Nodes that sign concurrently sign one head: each checkpoint names the previous one.
    async fn two_nodes_sign_one_log(bench: TestServer) {
        let other = crate::support::service(&bench.location, &bench.folder_of_the_other(), bench.clock.clone(), crate::support::URL).await;
        for _ in 0..5 {
            bench.events_of(7).await;
            let (here, there) = tokio::join!(bench.app.audit.sign(true), other.audit.sign(true));
            here.unwrap();
            there.unwrap();
        }
        let checked = bench.check_chain().await;
        assert_eq!((checked.inconsistency, checked.unsigned()), (None, 0));
        assert_eq!(bench.query_number("SELECT COUNT(*) FROM audit_checkpoints").await, i64::try_from(checked.checkpoints).unwrap());
    }

    /// An event, all hashes after it, and the head are rewritten: the chain is consistent, and the checkpoints do not
    /// match.
    async fn a_rewritten_log_is_found_out(bench: TestServer) {
        bench.events_of(10).await;
        bench.sign().await;
        bench.events_of(10).await;
        let kept = bench.sign().await;
        bench.events_of(4).await;
        bench.unlock().await;
        bench.rewrite(bench.head().await - 9).await;
        let checked = bench.check_chain().await;
        let open = kept[0].after + 1;
        assert_eq!(fault(&checked), (open, Fault::Rewritten { checkpoint: kept[0].seq }));
        assert_eq!(checked.signed.as_ref().map(|it| it.seq), Some(kept[0].after), "what was before is still vouched for");
        assert_eq!(audit::verify(&bench.app.context).await.unwrap(), Chain::Broken { seq: open });
        // Without its checkpoint the database shows no fault, but a checkpoint that was stored elsewhere does.
        bench.execute_sql(&format!("DELETE FROM audit_checkpoints WHERE seq = {}", kept[0].seq)).await;
        let checked = bench.check_chain().await;
        assert_eq!((checked.inconsistency, checked.unsigned()), (None, 14), "chained, and not vouched for");
        let log = format!("2026-11-21 INFO something\n{}\n", kept[0].line());
        let checked = bench.check(bench.keys().await, Checkpoint::find_all(&log)).await;
        assert_eq!(fault(&checked), (open, Fault::Rewritten { checkpoint: kept[0].seq }));
    }

    /// Events that were changed before they were signed are not signed.
    async fn a_broken_log_is_not_signed(bench: TestServer) {
        bench.events_of(5).await;
        bench.sign().await;
        bench.events_of(5).await;
        bench.unlock().await;
        bench.execute_sql("UPDATE audit_events SET reason = 'none' WHERE seq = 8").await;
        assert!(bench.app.audit.sign(true).await.is_err());
        assert_eq!(bench.query_number("SELECT COUNT(*) FROM audit_checkpoints").await, 1);
        assert_eq!(fault(&bench.check_chain().await), (8, Fault::Changed));
    }

    /// A running server remembers its last checkpoint, and does not sign events that replace the signed ones.
    async fn a_server_does_not_sign_what_replaced_its_log(bench: TestServer) {
        bench.events_of(4).await;
        bench.sign().await;
        bench.events_of(2).await;
        bench.unlock().await;
        // The checkpoints are deleted, the events are rewritten, and every hash and the head are recomputed.
        bench.execute_sql("DELETE FROM audit_checkpoints").await;
        bench.rewrite(2).await;
        let refused = bench.app.audit.sign(true).await.unwrap_err().to_string();
        assert!(refused.contains("the signed part of the audit log has changed"), "{refused}");
        // The server also does not sign a log that ends before its last checkpoint.
        let bench = TestServer::new(if matches!(bench.location, keyward::store::Location::Sqlite(_)) { crate::support::Engine::Sqlite } else { crate::support::Engine::Postgres }).await;
        bench.events_of(4).await;
        bench.sign().await;
        bench.unlock().await;
        bench.execute_sql("UPDATE head SET audit_seq = audit_seq - 1").await;
        let refused = bench.app.audit.sign(true).await.unwrap_err().to_string();
        assert!(refused.contains("shorter than its signed part"), "{refused}");
        assert_eq!(bench.query_number("SELECT COUNT(*) FROM audit_checkpoints").await, 1);
    }

    /// The other ways to tamper with the log: each is reported at the first changed event.
    async fn tampering_is_found_where_it_begins(bench: TestServer) {
        bench.events_of(4).await;
        bench.sign().await;
        bench.events_of(4).await;
        bench.sign().await;
        bench.events_of(4).await;
        bench.sign().await;
        bench.events_of(2).await;
        let (head, keys) = (bench.head().await, bench.keys().await);
        assert_eq!(bench.check_chain().await.last, head);
        let wrong = bench.check(vec![other_key()], Vec::new()).await;
        let first = bench.query_number("SELECT MIN(seq) FROM audit_checkpoints").await;
        assert_eq!(fault(&wrong), (1, Fault::Untrusted { checkpoint: first }));
        bench.unlock().await;

        // The second of three checkpoints is deleted, then restored.
        let second = first + 4;
        let token = bench.query_texts(&format!("SELECT token FROM audit_checkpoints WHERE seq = {second}")).await.remove(0);
        bench.execute_sql(&format!("DELETE FROM audit_checkpoints WHERE seq = {second}")).await;
        let named_by = first + 8;
        assert_eq!(fault(&bench.check_chain().await), (second, Fault::CheckpointMissing { checkpoint: second, named_by }));
        bench.execute_sql(&format!("INSERT INTO audit_checkpoints (seq, at, token) VALUES ({second}, 0, '{token}')")).await;
        assert_eq!(bench.check_chain().await.inconsistency, None);
        // The same for the first checkpoint.
        bench.execute_sql(&format!("UPDATE audit_checkpoints SET seq = seq + 1 WHERE seq = {first}")).await;
        assert_eq!(fault(&bench.check_chain().await), (1, Fault::Misplaced { checkpoint: first + 1 }));
        bench.execute_sql(&format!("DELETE FROM audit_checkpoints WHERE seq = {}", first + 1)).await;
        assert_eq!(fault(&bench.check_chain().await).1, Fault::CheckpointMissing { checkpoint: first, named_by: second });
        bench.execute_sql("DELETE FROM audit_checkpoints").await;
        let checked = bench.check_chain().await;
        assert_eq!((checked.inconsistency, checked.signed, checked.last), (None, None, head), "nothing is vouched for");

        // The end of the log is deleted, with and without a matching head.
        let last = bench.rows().await.pop().unwrap();
        bench.execute_sql(&format!("DELETE FROM audit_events WHERE seq = {head}")).await;
        assert_eq!(fault(&bench.check_chain().await), (head, Fault::Truncated { expected: head }));
        bench.execute_sql(&format!("UPDATE head SET audit_seq = {}, audit_hash = {}", head - 1, bench.bytes(&last.prev))).await;
        assert_eq!(bench.check_chain().await.inconsistency, None);
        let kept = vec![Checkpoint::parse(&token).unwrap()];
        assert_eq!(bench.check(keys.clone(), kept.clone()).await.signed, kept.first().cloned(), "what was kept vouches");
        assert_eq!(bench.check(vec![other_key()], kept).await.inconsistency.unwrap().fault, Fault::Untrusted { checkpoint: second });
        bench.execute_sql(&format!("UPDATE head SET audit_hash = {}", bench.bytes(&[7; 32]))).await;
        assert_eq!(fault(&bench.check_chain().await), (head, Fault::Head));

        // An event in the middle is deleted.
        bench.execute_sql(&format!("DELETE FROM audit_events WHERE seq = {second}")).await;
        assert_eq!(fault(&bench.check_chain().await), (second, Fault::Missing));
        bench.execute_sql(&format!("UPDATE audit_events SET detail = '1' WHERE seq = {first}")).await;
        assert_eq!(fault(&bench.check_chain().await), (first, Fault::Changed));
        bench.execute_sql(&format!("UPDATE audit_events SET prev = {} WHERE seq = 2", bench.bytes(&[7; 32]))).await;
        assert_eq!(fault(&bench.check_chain().await), (2, Fault::Unlinked));
    }

    /// Signed events are deleted together with the head: a remaining checkpoint reveals it.
    async fn a_checkpoint_outlives_its_events(bench: TestServer) {
        bench.events_of(6).await;
        let signed = bench.sign().await.remove(0).seq;
        bench.unlock().await;
        let rows = bench.rows().await;
        let last = &rows[rows.len() - 3];
        bench.execute_sql(&format!("DELETE FROM audit_events WHERE seq > {}", last.seq)).await;
        bench.execute_sql(&format!("UPDATE head SET audit_seq = {}, audit_hash = {}", last.seq, bench.bytes(&last.hash))).await;
        assert_eq!(fault(&bench.check_chain().await), (last.seq + 1, Fault::Truncated { expected: signed }));
    }

    /// Checkpoints are append-only as well.
    async fn checkpoints_stay(bench: TestServer) {
        bench.events_of(1).await;
        bench.sign().await;
        for sql in ["UPDATE audit_checkpoints SET at = 0", "DELETE FROM audit_checkpoints"] {
            let sql = sql.to_owned();
            let tried = bench.app.context.queue.write(move |tx| {
                let sql = sqlx::AssertSqlSafe(sql.clone());
                Box::pin(async move {
                    match &mut **tx {
                        store::Engine::Sqlite(c) => sqlx::query(sql).execute(&mut **c).await.map(|_| ()),
                        store::Engine::Postgres(c) => sqlx::query(sql).execute(&mut **c).await.map(|_| ()),
                    }
                    .map_err(store::Error::from)?;
                    Ok::<_, Error>(WriteOutcome::unaudited(()))
                })
            });
            let refused = tried.await.unwrap_err().to_string();
            assert!(refused.contains("append-only"), "{refused}");
        }
    }

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

    /// An event from before the `acting` column has a hash without that field, and the chain continues from it.
    async fn events_from_before_still_hold(bench: TestServer) {
        bench.unlock().await;
        let mut old = EventRow {
            seq: 1,
            at: 1_763_700_000_000_000,
            actor: "operator".into(),
            actor_name: "Command \"line\"\n".into(),
            action: "key.created".into(),
            target: "key:1".into(),
            target_name: "Zoë’s key".into(),
            project_id: Some(uuid::Uuid::nil()),
            reason: None,
            ip: None,
            agent: None,
            request_id: None,
            detail: "{}".into(),
            acting: None,
            prev: vec![0; 32],
            hash: Vec::new(),
        };
        // A literal, not a computed value: the format that the first release hashed.
        let form = "[1,1763700000000000,\"operator\",\"Command \\\"line\\\"\\n\",\"key.created\",\"key:1\",\"Zoë’s key\",\
            \"00000000-0000-0000-0000-000000000000\",null,null,null,null,\"{}\"]";
        use sha2::Digest as _;
        let sha = |text: &str| sha2::Sha256::digest([&[0; 32][..], text.as_bytes()].concat()).to_vec();
        assert_eq!(old.digest(), sha(form));
        let acting = EventRow { acting: Some("owner".into()), ..old.clone() };
        assert_eq!(acting.digest(), sha(&form.replace("\"{}\"]", "\"{}\",\"owner\"]")));
        old.hash = old.digest();
        let (prev, hash) = (bench.bytes(&old.prev), bench.bytes(&old.hash));
        let project = bench.literal(uuid::Uuid::nil());
        bench.execute_sql("DELETE FROM audit_events").await;
        bench.execute_sql(&format!(
            "INSERT INTO audit_events (seq, at, actor, actor_name, action, target, target_name, project_id, detail, prev, hash) \
             VALUES (1, {}, 'operator', '{}', 'key.created', 'key:1', '{}', {project}, '{{}}', {prev}, {hash})",
            old.at, old.actor_name, old.target_name
        )).await;
        bench.execute_sql(&format!("UPDATE head SET audit_seq = 1, audit_hash = {hash}")).await;
        bench.events_of(2).await;
        bench.sign().await;
        let checked = bench.check_chain().await;
        assert_eq!((checked.inconsistency, checked.last, checked.unsigned()), (None, 3, 0));
        // An acting role cannot be added to an old event afterwards.
        bench.execute_sql("UPDATE audit_events SET acting = 'owner' WHERE seq = 1").await;
        assert_eq!(fault(&bench.check_chain().await), (1, Fault::Changed));
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

    /// An export, whole or of some days, is verified without the database, and every change to the file is found.
    async fn an_export_is_checked_without_the_database(bench: TestServer) {
        bench.create_user(ADMIN, true).await;
        bench.events_of(1_203).await;
        let signed = bench.sign().await.pop().unwrap().seq;
        bench.clock.advance(2 * 86_400);
        bench.events_of(700).await;
        let mut browser = bench.signed_in(ADMIN).await;
        let page = browser.post("/admin/audit/export", &[]).await;
        assert_eq!((page.status, page.header("content-type")), (200, "application/x-ndjson"));
        assert!(page.header("content-disposition").starts_with("attachment; filename=\"keyward-audit-20"));
        assert_eq!(page.header("cache-control"), "no-store");
        assert_eq!(bench.events("audit.exported").await, 1);
        let (head, keys) = (bench.head().await, bench.keys().await);
        for trusted in [None, Some(keys.clone())] {
            let checked = check_file(&page, trusted);
            assert_eq!((checked.inconsistency, checked.first, checked.last), (None, 1, head));
            assert_eq!((checked.unsigned(), checked.checkpoints), (0, 3), "its own event is vouched for too");
        }
        let lines: Vec<_> = page.text().lines().collect();
        let events = lines.iter().filter(|line| line.contains(r#""type":"event""#)).count();
        assert_eq!((events, lines.len()), (usize::try_from(head).unwrap(), events + 4));
        assert_eq!(fault(&check_file(&page, Some(vec![other_key()]))).1, Fault::Untrusted { checkpoint: 1_000 });

        let broken = |text: String| fault(&jsonl_export::verify_file(text.as_bytes(), None, Vec::new()).unwrap().0);
        assert_eq!(broken(lines[..600].join("\n")), (600, Fault::Truncated { expected: head }), "cut off");
        assert_eq!(broken([&lines[..100], &lines[101..]].concat().join("\n")), (100, Fault::Missing));
        assert_eq!(broken(page.text().replacen("\"Key 7\"", "\"Key 8\"", 1)).1, Fault::Changed);
        let without: Vec<_> = lines.iter().copied().filter(|line| !line.contains(r#""checkpoint","seq":1000"#)).collect();
        assert_eq!(without.len(), lines.len() - 1);
        assert_eq!(broken(without.join("\n")).1, Fault::CheckpointMissing { checkpoint: 1_000, named_by: signed });
        for bad in ["", "{}", "hello", &lines[1..].join("\n"), &page.text().replacen("\"version\":1", "\"version\":2", 1)] {
            assert!(jsonl_export::verify_file(bad.as_bytes(), None, Vec::new()).is_err(), "{}", &bad[..bad.len().min(60)]);
        }
        assert!(jsonl_export::verify_file(format!("{}\nhello", lines[..3].join("\n")).as_bytes(), None, Vec::new()).is_err());

        // Two days ago: from the first event of that day to the next checkpoint.
        let day = keyward::service::time_format::rfc3339(bench.app.context.now().plus_seconds(-2 * 86_400))[..10].to_owned();
        let some = check_file(&browser.post("/admin/audit/export", &[("from", &day), ("to", &day)]).await, None);
        assert_eq!((some.inconsistency, some.first, some.last, some.unsigned()), (None, 1, signed, 0));
        let today = keyward::service::time_format::rfc3339(bench.app.context.now())[..10].to_owned();
        let page = browser.post("/admin/audit/export", &[("from", &today)]).await;
        let some = check_file(&page, Some(keys.clone()));
        assert_eq!((some.inconsistency, some.first, some.last, some.unsigned()), (None, signed + 1, bench.head().await, 0));
        let none = check_file(&browser.post("/admin/audit/export", &[("to", "2020-01-01")]).await, None);
        assert_eq!((none.inconsistency, none.events()), (None, 0));
        // A file that begins later is checked against the previous hash that it names, and so against its checkpoints.
        let before = page.text().split("\"before\":\"").nth(1).unwrap()[..64].to_owned();
        assert_eq!(broken(page.text().replacen(&before, &"0".repeat(64), 1)), (signed + 1, Fault::Unlinked));
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

impl TestServer {
    /// Returns the folder of another node, with the same key file.
    fn folder_of_the_other(&self) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        std::fs::copy(self.folder.path().join("keyward.key"), folder.path().join("keyward.key")).unwrap();
        folder
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
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
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

/// The audit commands of the binary, beside a running server, on a separate database.
mod command {
    use std::{
        io::{BufRead as _, BufReader, Read as _, Write as _},
        path::Path,
        process::{Child, Command, Output, Stdio},
    };

    const BINARY: &str = env!("CARGO_BIN_EXE_keyward");

    fn run(folder: &Path, arguments: &[&str], input: &str) -> Output {
        let mut child = Command::new(BINARY)
            .args(arguments)
            .current_dir(folder)
            .env_clear()
            .env("KEYWARD_DATABASE_URL", "sqlite:keyward.db")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        // A command that reads no input may end before the write.
        let _ = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
        child.wait_with_output().expect("it ends")
    }

    fn out(output: &Output) -> String {
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
        text
    }

    /// Returns the output of a failed command, from both streams.
    fn failure_output(output: &Output) -> String {
        let bytes = [&output.stdout[..], &output.stderr[..]].concat();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        assert_eq!(output.status.code(), Some(1), "{text}");
        text
    }

    fn serve(folder: &Path) -> (Child, BufReader<std::process::ChildStdout>, String) {
        let mut child = Command::new(BINARY)
            .args(["serve", "--listen", "127.0.0.1:0"])
            .current_dir(folder)
            .env_clear()
            .env("KEYWARD_DATABASE_URL", "sqlite:keyward.db")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the server starts");
        let mut reader = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut first_line = String::new();
        while !first_line.contains("audit checkpoint ") {
            assert!(reader.read_line(&mut first_line).expect("it speaks") > 0, "{first_line}");
        }
        (child, reader, first_line)
    }

    /// The server prints each checkpoint: at its start for earlier events, and at its end for the rest. `verify`
    /// reports how far the log is signed. An export is verified without a database, with the stored public key.
    #[test]
    fn signed_printed_exported_and_verified() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let text = failure_output(&run(folder, &["audit", "verify"], ""));
        assert!(text.contains("there is no database"), "{text}");
        let person = ["admin", "create-user", "--email", "maren@pelagic.example", "--password-stdin", "--admin"];
        out(&run(folder, &person, "the tide turns at nine"));
        let text = failure_output(&run(folder, &["audit", "key"], ""));
        assert!(text.contains("there is no key yet"), "{text}");
        let text = out(&run(folder, &["audit", "verify"], ""));
        assert!(text.contains("2 events, 1 to 2") && text.contains("Signed: none"), "{text}");

        let (mut server, mut reader, mut printed) = serve(folder);
        let keys = ["keys", "create", "--project", "maren’s project", "--name", "Job"];
        out(&run(folder, &keys, ""));
        let verified = out(&run(folder, &["audit", "verify"], ""));
        assert!(verified.contains("5 events, 1 to 5") && verified.contains("Signed: events 1 to 4,"), "{verified}");
        assert!(verified.contains("Not signed: 1 event after event 4"), "{verified}");
        assert!(Command::new("kill").arg(server.id().to_string()).status().unwrap().success());
        reader.read_to_string(&mut printed).unwrap();
        assert!(server.wait().unwrap().success());
        assert!(printed.contains("audit checkpoint 4 ") && printed.contains("audit checkpoint 5 "), "{printed}");
        let verified = out(&run(folder, &["audit", "verify"], ""));
        assert!(verified.contains("Signed: events 1 to 5,") && !verified.contains("Not signed"), "{verified}");
        assert!(verified.contains("comes from the database itself"), "{verified}");

        let pem = out(&run(folder, &["audit", "key"], ""));
        assert!(pem.starts_with("-----BEGIN PUBLIC KEY-----\n"), "{pem}");
        let jwks: serde_json::Value = serde_json::from_str(&out(&run(folder, &["audit", "key", "--jwk"], ""))).unwrap();
        let x = jwks["keys"][0]["x"].as_str().unwrap();
        let export = out(&run(folder, &["audit", "export"], ""));
        assert_eq!(export.lines().count(), 1 + 6 + 2, "its own event is in it: {export}");

        let elsewhere = tempfile::tempdir().unwrap();
        let elsewhere = elsewhere.path();
        let write = |name: &str, text: &str| std::fs::write(elsewhere.join(name), text).unwrap();
        write("log.ndjson", &export);
        write("key.pem", &pem);
        write("printed.txt", &printed);
        for key in ["key.pem", x] {
            let verify =
                ["audit", "verify", "--file", "log.ndjson", "--public-key", key, "--checkpoints", "printed.txt"];
            let text = out(&run(elsewhere, &verify, ""));
            assert!(text.contains("6 events, 1 to 6") && text.contains("events 1 to 5,"), "{text}");
            assert!(!text.contains("comes from the"), "{text}");
        }
        let text = out(&run(elsewhere, &["audit", "verify", "--file", "-"], &export));
        assert!(text.contains("comes from the export itself"), "{text}");
        assert!(!elsewhere.join("keyward.db").exists(), "no database is needed");

        write("changed.ndjson", &export.replacen("Job", "Bob", 1));
        let text = failure_output(&run(elsewhere, &["audit", "verify", "--file", "changed.ndjson"], ""));
        assert!(text.contains("is not intact from event 5 on: the event does not match its own hash"), "{text}");
        assert!(text.contains("Signed: events 1 to 4,"), "{text}");
        let other = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
        for verify in [
            &["audit", "verify", "--public-key", other][..],
            &["audit", "verify", "--public-key", other, "--file", "log.ndjson"],
        ] {
            let folder = if verify.len() == 4 { folder } else { elsewhere };
            let text = failure_output(&run(folder, verify, ""));
            assert!(text.contains("is not signed with the trusted key"), "{text}");
        }
        write("empty.txt", "nothing");
        for (arguments, words) in [
            (&["audit", "verify", "--public-key", "nonsense"][..], "neither a file nor a public key"),
            (&["audit", "verify", "--file", "empty.txt"], "not the header of an exported audit log"),
            (&["audit", "verify", "--file", "absent"], "absent could not be read"),
            (&["audit", "verify", "--file", "log.ndjson", "--checkpoints", "empty.txt"], "there are no checkpoints in"),
        ] {
            let text = failure_output(&run(elsewhere, arguments, ""));
            assert!(text.contains(words), "{arguments:?}: {text}");
        }
        let text = failure_output(&run(folder, &["audit", "export", "--from", "yesterday"], ""));
        assert!(text.contains("from: Enter a date in the format YYYY-MM-DD, such as 2026-11-20."), "{text}");
        let help = out(&run(folder, &["audit", "--help"], ""));
        for command in ["verify", "export", "key"] {
            assert!(help.contains(command), "{help}");
        }
    }
}
