//! Bulk creation of demo keys: written in batches, each key in its final state.

use super::{
    plan::{DAY, Fate, Later, Plan},
    secrets::Secrets,
    stage::{Cast, Stage},
};
use crate::{
    cli::open::words,
    domain::{key::Environment, time::Timestamp},
    secret::{Mode, PlainSecret},
    service::{Error, actor::Actor},
    store::{self, changes::Change, demo::LaidKey, keys::NewKeyRow, queue::Kept},
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
pub async fn lay(
    stage: &Stage,
    cast: &Cast,
    plans: Vec<Later>,
    mut secrets: Option<&mut Secrets>,
) -> anyhow::Result<()> {
    for batch in plans.chunks(BATCH) {
        let mut keys = Vec::with_capacity(batch.len());
        for plan in batch {
            let plan = plan.plan();
            let (key, secret) = laid(stage, cast, &plan);
            if let Some(secrets) = &mut secrets {
                secrets.note(&secret, verdict(&key, stage.now), key.key.id.into())?;
            }
            keys.push(key);
        }
        // Sorted by digest, in the order of the digest index.
        keys.sort_unstable_by_key(|laid| laid.key.digest);
        write(stage, cast, keys).await.map_err(words)?;
    }
    Ok(())
}

fn laid(stage: &Stage, cast: &Cast, plan: &Plan) -> (LaidKey, PlainSecret) {
    let random = &stage.ground.random;
    let mode = match plan.environment {
        Environment::Live => Mode::Live,
        Environment::Test => Mode::Test,
    };
    let secret = PlainSecret::generate(mode, |bytes| random.fill(bytes));
    let before = |seconds: i64| stage.now.plus_seconds(-seconds);
    let made = before(plan.made);
    let mut tail = [0; 10];
    random.fill(&mut tail);
    let millis = u64::try_from(made.micros() / 1_000).unwrap_or_default();
    let (active, changed) = match plan.fate {
        Fate::Stays | Fate::Starts(_) => (true, plan.made),
        Fate::Deleted(ago) => (true, ago),
        Fate::Deactivated(ago) | Fate::Held(ago, _) => (false, ago),
    };
    let maker = cast.person(plan.maker);
    let key = NewKeyRow {
        id: uuid::Builder::from_unix_timestamp_millis(millis, &tail).into_uuid(),
        project_id: cast.project(plan.project).into(),
        name: plan.name.clone(),
        environment: plan.environment.as_str(),
        digest: *secret.digest().as_bytes(),
        preview: secret.preview().to_owned(),
        scopes: plan.scopes.clone(),
        issued_to: Some(plan.issued_to.to_owned()).filter(|name| !name.is_empty()),
        networks: Vec::new(),
        not_before: match plan.fate {
            Fate::Starts(after) => Some(before(-after).micros()),
            _ => None,
        },
        expires_at: Some(made.plus_seconds(i64::from(plan.life.unwrap_or(LONGEST)) * DAY).micros()),
        rate_limit: Some(RATE.to_owned()),
        form_number: None,
        request_digest: None,
        created_by: Some(maker.user.into()),
        created_by_name: maker.name.clone(),
        created_at: made.micros(),
    };
    let laid = LaidKey {
        key,
        active,
        deleted_at: match plan.fate {
            Fate::Deleted(ago) => Some(before(ago).micros()),
            _ => None,
        },
        updated_at: before(changed).micros(),
        last_used_at: plan.used.map(|used| before(used).micros()),
    };
    (laid, secret)
}

/// Returns the verify result of the key. The checks have the same order as in verify.
fn verdict(laid: &LaidKey, now: Timestamp) -> &'static str {
    let now = now.micros();
    if laid.deleted_at.is_some() {
        "deleted"
    } else if !laid.active {
        "inactive"
    } else if laid.key.not_before.is_some_and(|at| now < at) {
        "not_yet_valid"
    } else if laid.key.expires_at.is_some_and(|at| now >= at) {
        "expired"
    } else {
        "valid"
    }
}

async fn write(stage: &Stage, cast: &Cast, keys: Vec<LaidKey>) -> Result<(), Error> {
    let (by, now, keys) = (Actor::User(cast.administrator().clone()), stage.ground.now(), Arc::new(keys));
    let mut projects: Vec<Uuid> = keys.iter().map(|laid| laid.key.project_id).collect();
    projects.sort_unstable();
    projects.dedup();
    let write = stage.ground.queue.write(move |tx| {
        let (by, keys, projects) = (by.clone(), keys.clone(), projects.clone());
        Box::pin(async move {
            store::demo::lay(tx, &keys).await?;
            let event = by
                .event(now, "keys.filled", "keys", &format!("{} keys", keys.len()))
                .acting_as(by.power())
                .detail(serde_json::json!({"after": {"keys": keys.len()}}));
            let kept = projects
                .into_iter()
                .fold(Kept::with((), event), |kept, id| kept.heard(Change { topic: "project", id }));
            Ok::<_, Error>(kept)
        })
    });
    write.await
}
