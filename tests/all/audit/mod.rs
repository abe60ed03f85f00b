//! Audit log: checkpoints, verification, export, and the pages that show it.

mod checkpoints;
mod command;
mod reading;
mod tampering;

use crate::support::{
    TestServer,
    browser::Page,
    change_feed::wait_until,
    json_of, rust_source,
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
