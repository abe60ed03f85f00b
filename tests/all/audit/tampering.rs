//! Verification: every change of the log or of an export is found.

use super::*;

on_both_engines! {
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
}
