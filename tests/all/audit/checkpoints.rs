//! Signed checkpoints: when they are created, what they contain, and what is not signed.

use super::*;

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
        assert_eq!(*signed_events.lock().unwrap(), [format!("audit checkpoint {} {}", checkpoint.seq, hex::encode(&checkpoint.head))]);

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
}

impl TestServer {
    /// Returns the folder of another node, with the same key file.
    fn folder_of_the_other(&self) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        std::fs::copy(self.folder.path().join("keyward.key"), folder.path().join("keyward.key")).unwrap();
        folder
    }
}
