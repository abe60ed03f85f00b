//! Bulk creation of demo keys: written in batches, each key in its final state.

use super::{
    fixtures::{DemoUsers, Fixtures},
    scenario::{DAY, DeferredScenario, KeyScenario, LaterChange},
    secrets::SecretsFile,
};
use crate::{
    cli::database::terminal_error,
    domain::{
        key::Environment,
        rate::RateLimit,
        secret::{Mode, PlainSecret},
        time::Timestamp,
    },
    service::{Error, actor::Actor},
    store::{
        self,
        change_log::{Change, Topic},
        demo::KeyWithState,
        keys::{KeyFields, NewKeyRow},
        write_queue::WriteOutcome,
    },
};
use std::sync::Arc;
use uuid::Uuid;

/// Number of keys per change. Digests are random, so large batches write most pages of the digest index once per change
/// instead of once per key.
const BATCH: usize = 20_000;
/// Rate limit of each key: verify checks it on every call, and no load reaches it.
const RATE: &str = "1000000/second";
/// Lifetime in days of a key whose plan has no expiry. Every bulk key has an expiry, so that verify checks it.
const LONGEST: u16 = 365;

/// Writes the keys, with one audit event per batch.
pub async fn write_bulk_keys(
    stage: &Fixtures,
    cast: &DemoUsers,
    plans: Vec<DeferredScenario>,
    mut secrets: Option<&mut SecretsFile>,
) -> anyhow::Result<()> {
    let rate_limit = RATE.parse::<RateLimit>()?;
    for batch in plans.chunks(BATCH) {
        let mut keys = Vec::with_capacity(batch.len());
        for plan in batch {
            let plan = plan.generate();
            let (key, secret) = build_key(stage, cast, &plan, rate_limit);
            if let Some(secrets) = &mut secrets {
                secrets.write_if_selected(&secret, verdict(&key, stage.now), key.key.id.into())?;
            }
            keys.push(key);
        }
        // Sorted by digest, in the order of the digest index.
        keys.sort_unstable_by_key(|laid| laid.key.digest);
        write_batch(stage, cast, keys).await.map_err(terminal_error)?;
    }
    Ok(())
}

fn build_key(
    stage: &Fixtures,
    cast: &DemoUsers,
    plan: &KeyScenario,
    rate_limit: RateLimit,
) -> (KeyWithState, PlainSecret) {
    let random = &stage.context.random;
    let mode = match plan.environment {
        Environment::Live => Mode::Live,
        Environment::Test => Mode::Test,
    };
    let secret = PlainSecret::generate(mode, |bytes| random.fill(bytes));
    let before = |seconds: i64| stage.now.plus_seconds(-seconds);
    let made = before(plan.created_ago);
    let mut tail = [0; 10];
    random.fill(&mut tail);
    let millis = u64::try_from(made.micros() / 1_000).unwrap_or_default();
    let (active, changed) = match plan.later_change {
        LaterChange::Unchanged | LaterChange::Scheduled(_) => (true, plan.created_ago),
        LaterChange::Deleted(ago) => (true, ago),
        LaterChange::Deactivated(ago) | LaterChange::DeactivatedByAdmin(ago, _) => (false, ago),
    };
    let maker = cast.user(plan.maker);
    let key = NewKeyRow {
        id: uuid::Builder::from_unix_timestamp_millis(millis, &tail).into_uuid(),
        project_id: cast.project(plan.project).into(),
        environment: plan.environment.as_str(),
        digest: *secret.digest().as_bytes(),
        preview: secret.preview().to_owned(),
        fields: KeyFields {
            name: plan.name.clone(),
            scopes: plan.scopes.clone(),
            issued_to: Some(plan.issued_to.to_owned()).filter(|name| !name.is_empty()),
            description: Some(plan.description.to_owned()).filter(|text| !text.is_empty()),
            not_before: match plan.later_change {
                LaterChange::Scheduled(after) => Some(before(-after)),
                _ => None,
            },
            expires_at: Some(made.plus_seconds(i64::from(plan.lifetime_days.unwrap_or(LONGEST)) * DAY)),
            rate_limit: Some(rate_limit),
            ..KeyFields::default()
        },
        form_number: None,
        request_digest: None,
        created_by: Some(maker.user.into()),
        created_by_name: maker.name.clone(),
        created_at: made.micros(),
    };
    let laid = KeyWithState {
        key,
        active,
        deleted_at: match plan.later_change {
            LaterChange::Deleted(ago) => Some(before(ago).micros()),
            _ => None,
        },
        updated_at: before(changed).micros(),
        last_used_at: plan.used_ago.map(|used| before(used).micros()),
    };
    (laid, secret)
}

/// Returns the verify result of the key. The checks have the same order as in verify.
fn verdict(laid: &KeyWithState, now: Timestamp) -> &'static str {
    if laid.deleted_at.is_some() {
        "deleted"
    } else if !laid.active {
        "inactive"
    } else if laid.key.fields.not_before.is_some_and(|at| now < at) {
        "not_yet_valid"
    } else if laid.key.fields.expires_at.is_some_and(|at| now >= at) {
        "expired"
    } else {
        "valid"
    }
}

async fn write_batch(stage: &Fixtures, cast: &DemoUsers, keys: Vec<KeyWithState>) -> Result<(), Error> {
    let (by, now, keys) = (Actor::User(cast.administrator().clone()), stage.context.now(), Arc::new(keys));
    let mut projects: Vec<Uuid> = keys.iter().map(|laid| laid.key.project_id).collect();
    projects.sort_unstable();
    projects.dedup();
    let write = stage.context.queue.write(move |tx| {
        let (by, keys, projects) = (by.clone(), keys.clone(), projects.clone());
        Box::pin(async move {
            store::demo::insert_keys(tx, &keys).await?;
            let event = by
                .event(now, "keys.filled", "keys", &format!("{} keys", keys.len()))
                .with_acting_role(by.admin_acting_role())
                .with_detail(serde_json::json!({"after": {"keys": keys.len()}}));
            let kept = projects
                .into_iter()
                .fold(WriteOutcome::audited((), event), |kept, id| kept.notify(Change { topic: Topic::Project, id }));
            Ok::<_, Error>(kept)
        })
    });
    write.await
}
