//! `keyward keys list` on many keys: every filter, over several pages, finds the same keys as a filter in memory.

use super::cli::{json, keyward, out};
use crate::{
    lists::insert_keys,
    support::{TestServer, database_url},
};
use keyward::{
    domain::{fold::fold, ids::ProjectId, key::Status, time::Timestamp},
    store::{self, keys::KeyRow},
};
use std::cmp::Reverse;
use uuid::Uuid;

/// Several pages of the command, which reads 500 keys at a time.
const MANY: i64 = 1_230;

/// Reads all keys, the newest first.
async fn all_rows(bench: &TestServer) -> Vec<KeyRow> {
    let ids = match bench.app.context.pool {
        store::Pool::Sqlite { .. } => bench.query_texts("SELECT LOWER(HEX(id)) FROM keys").await,
        store::Pool::Postgres(_) => bench.query_texts("SELECT id::text FROM keys").await,
    };
    let mut reader = bench.app.context.pool.acquire_reader().await.unwrap();
    let mut rows = Vec::new();
    for id in ids {
        rows.extend(store::keys::by_id(&mut reader.conn(), id.parse().unwrap()).await.unwrap());
    }
    rows.sort_by_key(|row| Reverse(row.id));
    rows
}

/// Returns the filter that the options describe.
fn fits(options: &[&str], row: &KeyRow, project: ProjectId, now: Timestamp) -> bool {
    let option = |name: &str| options.iter().position(|it| *it == name).map(|at| options[at + 1]);
    let status = row.lifecycle().status(now);
    let holds = |text: &str| {
        let places = [row.name.as_str(), row.preview.as_str(), row.issued_to.as_deref().unwrap_or_default()];
        places.iter().any(|it| fold(it).contains(&fold(text)))
    };
    option("--status").map_or(status != Status::Deleted, |it| it == status.as_str())
        && option("--environment").is_none_or(|it| it == row.environment)
        && option("--project").is_none_or(|_| row.project_id == Uuid::from(project))
        && option("--issued-to").is_none_or(|it| it.is_empty() || row.issued_to.as_deref() == Some(it))
        && option("--text").is_none_or(holds)
}

on_both_engines! {
    async fn every_filter_finds_the_same_keys_as_in_memory(bench: TestServer) {
        let maren = bench.create_user("maren@pelagic.example", false).await;
        let tove = bench.create_user("tove@pelagic.example", false).await;
        let (large, small) = (bench.project_of(&maren).await, bench.project_of(&tove).await);
        insert_keys(&bench, &maren, large, MANY).await;
        insert_keys(&bench, &tove, small, 40).await;
        let (rows, now) = (all_rows(&bench).await, bench.app.context.now());
        assert_eq!(rows.len() as i64, MANY + 40);
        let url = database_url(&bench.location);
        let (folder, project) = (bench.folder.path(), small.to_string());
        let list = |options: &[&str], more: &[&str]| {
            let command = [&["--database-url", &url, "keys", "list"], options, more].concat();
            tokio::task::block_in_place(|| keyward(folder, &command))
        };
        for options in [
            &["--status", "active"][..],
            &[],
            &["--status", "scheduled"],
            &["--status", "expired"],
            &["--status", "inactive"],
            &["--status", "deleted"],
            &["--environment", "test"],
            &["--environment", "live", "--status", "expired"],
            &["--text", "ночная 3"],
            &["--text", "ÉMILE"],
            &["--text", "KW_LIVE_00"],
            &["--text", "50%"],
            &["--text", ""],
            &["--issued-to", "Kunde 7"],
            &["--issued-to", "kunde 7"],
            &["--issued-to", ""],
            &["--issued-to", "Kunde 7", "--text", "zebra", "--environment", "test"],
            &["--issued-to", "Kunde 21", "--status", "deleted"],
            &["--project", &project],
            &["--project", "tove’s project", "--status", "active"],
            &["--project", &project, "--issued-to", "Kunde 7"],
            &["--project", &project, "--text", "apple"],
            &["--project", &project, "--status", "deleted", "--text", "apple"],
        ] {
            let expected: Vec<_> = rows.iter().filter(|row| fits(options, row, small, now)).collect();
            let ids: Vec<_> = expected.iter().map(|row| row.id.to_string()).collect();
            let listed = json(&list(options, &["--json"]));
            let found: Vec<_> =
                listed.as_array().unwrap().iter().map(|key| key["key_id"].as_str().unwrap().to_owned()).collect();
            assert_eq!(found, ids, "{options:?}");
            let lines = out(&list(options, &[]));
            assert_eq!(lines.lines().count(), ids.len(), "{options:?}");
            for (line, row) in lines.lines().zip(&expected) {
                let words = format!("{}  {:<9}  ", row.id, row.lifecycle().status(now).as_str());
                assert!(line.starts_with(&words) && line.contains(&format!("({})", row.project_name)), "{line}");
            }
        }
        assert_eq!(out(&list(&["--text", "nowhere"], &["--json"])), "[]\n");
        assert_eq!(out(&list(&[], &["--format", "json"])), out(&list(&[], &["--json"])));
        let table = out(&list(&[], &["--format", "table"]));
        let header = table.lines().next().unwrap();
        assert!(header.starts_with("KEY ID") && header.ends_with("NAME"), "{header}");
        let status = header.find("STATUS").unwrap();
        let shown = rows.iter().filter(|row| fits(&[], row, small, now));
        for (line, row) in table.lines().skip(1).zip(shown.clone()) {
            assert!(line.starts_with(&row.id.to_string()), "{line}");
            assert!(line[status..].starts_with(row.lifecycle().status(now).as_str()), "{line}");
        }
        let csv = out(&list(&[], &["--format", "csv"]));
        assert!(csv.starts_with("key_id,project_id,name,status,environment,"), "{csv:.80}");
        assert_eq!(csv.matches("\r\n").count(), 1 + shown.count());
        assert_eq!(out(&list(&["--text", "nowhere"], &["--format", "csv"])).lines().count(), 1);
        assert_eq!(out(&list(&["--text", "nowhere"], &[])), "");
    }
}
