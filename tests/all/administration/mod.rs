//! Administration: users, the policy, and bulk actions on keys. Tests authorization, the stored state, and the audit
//! events.

mod administrators;
mod all_keys;
mod command_line;
mod policies;
mod users;

use crate::support::{
    PASSWORD, TestServer,
    browser::Page,
    test_data::{KeyEdit, KeyForms as _, change_any_key, change_key},
};
use keyward::{
    domain::{
        filter::{KeyFilter, ReviewFilter},
        ids::{KeyId, ProjectId},
        key::Status,
        policy::{PolicyDraft, PolicySaved},
        transition::Transition,
    },
    service::{
        Error,
        actor::{Actor, Caller, Origin},
        keys::KeySpec,
        users::Disposition,
    },
};
use serde_json::{Value, json};
use uuid::Uuid;

const DAY: i64 = 86_400;
const ROOT: &str = "root@keys.example";
const MAREN: &str = "maren@pelagic.example";
const TOVE: &str = "tove@drift.example";

/// Returns the detail of the newest event with this action.
async fn last_event_detail(bench: &TestServer, action: &str) -> Value {
    let sql = format!("SELECT detail FROM audit_events WHERE action = '{action}' ORDER BY seq DESC LIMIT 1");
    let found = bench.query_texts(&sql).await;
    serde_json::from_str(found.first().unwrap_or_else(|| panic!("no event {action}"))).unwrap()
}

/// Returns a user's role in a project.
async fn role(bench: &TestServer, project: ProjectId, who: &Caller) -> Option<String> {
    let (project, user) = (bench.literal(project), bench.literal(who.user));
    let sql = format!("SELECT role FROM members WHERE project_id = {project} AND user_id = {user}");
    bench.query_texts(&sql).await.pop()
}

/// Returns the policy as its form shows it, for a change.
async fn policy(bench: &TestServer, admin: &Caller) -> PolicyDraft {
    bench.app.policy.form(admin).await.unwrap().draft
}

/// Saves a policy with confirmation if it is required, and returns the reported effects.
async fn save(bench: &TestServer, admin: &Caller, change: impl Fn(&mut PolicyDraft)) -> Vec<String> {
    let mut draft = policy(bench, admin).await;
    change(&mut draft);
    match bench.app.policy.save(admin, draft.clone(), "").await.unwrap() {
        PolicySaved::Saved => Vec::new(),
        PolicySaved::NeedsConfirmation { lines, confirms, draft: again } => {
            assert_eq!(*again, draft);
            assert_eq!(bench.app.policy.save(admin, draft, &confirms).await.unwrap(), PolicySaved::Saved);
            lines
        }
    }
}

/// Returns the name of the single invalid field, and its message.
fn invalid_field<T>(result: Result<T, Error>) -> (&'static str, String) {
    match result.err().expect("it is refused") {
        Error::Invalid(mut fields) => {
            assert_eq!(fields.len(), 1, "{fields:?}");
            let field = fields.remove(0);
            (field.name, field.message)
        }
        other => panic!("{other}"),
    }
}

fn bare(page: &Page, words: &[&str]) -> (u16, String, String) {
    (page.status, page.header("content-type").to_owned(), page.masked(words))
}

/// Returns the number of audit events.
async fn all_events(bench: &TestServer) -> i64 {
    bench.query_number("SELECT COUNT(*) FROM audit_events").await
}

fn plan(project: ProjectId, fate: Disposition) -> Vec<(ProjectId, Disposition)> {
    vec![(project, fate)]
}
