//! `keyward bench-create`: key creation by concurrent clients through the use case and the write queue, without HTTP.
//! Hidden; used by `make bench`.

use crate::{
    cli::{
        database::{Database, terminal_error},
        output::print_line,
    },
    config::DatabaseSettings,
    domain::{ids::ProjectId, key::KeyName, time::DAY},
    service::{
        Context,
        actor::Actor,
        keys::{KeySpec, Keys},
        projects::Projects,
    },
    store,
};
use anyhow::Context as _;
use std::time::{Duration, Instant};

/// Arguments of `keyward bench-create`.
#[derive(clap::Args)]
pub struct BenchCreate {
    /// Number of concurrent clients. Each creates keys one after the other
    #[arg(long, default_value_t = 32, value_name = "N")]
    clients: usize,
    /// Duration in seconds
    #[arg(long, default_value_t = 5, value_name = "SECONDS")]
    seconds: u64,
}

/// Creates keys in the first project of the database and prints one JSON object: the number of keys, the duration,
/// latency percentiles, and the difference between acknowledged and stored keys.
pub async fn run(database: &DatabaseSettings, create: &BenchCreate) -> anyhow::Result<()> {
    let opened = Database::open(database).await?;
    let project = Projects::new(opened.context.clone()).list_rows().await.map_err(terminal_error)?;
    let project: ProjectId = project.first().context("the database has no project")?.id.into();
    let before = stored_keys(&opened, project).await?;
    let started = Instant::now();
    let end = started + Duration::from_secs(create.seconds);
    let clients: Vec<_> =
        (0..create.clients).map(|_| tokio::spawn(client(opened.context.clone(), project, end))).collect();
    let mut took = Vec::new();
    for client in clients {
        took.extend(client.await??);
    }
    let elapsed = started.elapsed();
    let there = stored_keys(&opened, project).await? - before;
    opened.close().await;
    took.sort_unstable();
    let at = |share: usize| took.get(took.len() * share / 100).map_or(0, Duration::as_micros);
    let report = serde_json::json!({
        "created": took.len(), "seconds": elapsed.as_secs_f64(), "p50_us": at(50), "p99_us": at(99),
        "wrong": i64::try_from(took.len())?.abs_diff(there),
    });
    Ok(print_line!("{report}")?)
}

async fn stored_keys(opened: &Database, project: ProjectId) -> anyhow::Result<i64> {
    let mut reader = opened.context.pool.acquire_reader().await?;
    Ok(store::projects::key_count(&mut reader.conn(), project.into()).await?)
}

/// Creates one key after the other and returns the latency of each.
async fn client(context: Context, project: ProjectId, end: Instant) -> anyhow::Result<Vec<Duration>> {
    let (keys, mut took) = (Keys::new(context.clone()), Vec::new());
    let name: KeyName = "Benchmark".parse()?;
    while Instant::now() < end {
        let started = Instant::now();
        let expires_at = Some(context.now().plus_seconds(90 * DAY));
        let spec = KeySpec { expires_at, ..KeySpec::new(project, name.clone()) };
        keys.create(&Actor::Operator, spec).await.map_err(terminal_error)?;
        took.push(started.elapsed());
    }
    Ok(took)
}
