//! `keyward demo`: fills an empty database with realistic data.
//!
//! The demo calls the use cases of the site one after the other, with a clock that moves through the last months. The
//! audit log therefore has a realistic history, and a user could have created every key. Keys after the first
//! [`SEQUENTIAL_KEYS`], and those for `--secrets`, are written in batches in their final state (see [`bulk`]).

mod bulk;
mod data;
mod fixtures;
mod scenario;
mod secrets;

use super::{
    database::{Database, terminal_error},
    output,
};
use crate::{
    config::{Config, DatabaseSettings, ListenAddress, PublicUrl},
    domain::ids::SubjectId,
    service::{
        Context,
        accounts::Accounts,
        clock::ManualClock,
        keys::Keys,
        limits::Limits,
        random::Random,
        usage::{Outcome, Usage},
    },
    store::SchemaMode,
};
use anyhow::Context as _;
use clap::Args;
use fixtures::{DemoUsers, Fixtures};
use scenario::{DAY, LaterChange, MINUTE};
use secrets::SecretsFile;
use std::{path::PathBuf, sync::Arc};
use zeroize::Zeroizing;

#[derive(Args)]
pub struct DemoArgs {
    /// Number of keys
    #[arg(long, default_value_t = 120, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=10_000_000))]
    keys: u32,
    /// Write secrets to this new file, which only you can read. Each line is "SECRET RESULT KEY_ID" with the result of
    /// verify
    #[arg(long, value_name = "FILE")]
    secrets: Option<PathBuf>,
    /// Maximum number of secrets, taken evenly from all keys except the 12 fixed ones
    #[arg(long, default_value_t = 1_000_000, value_name = "N", requires = "secrets")]
    secrets_max: u32,
    /// Listen address of the server, for the printed sign-in URL
    #[arg(long, env = "KEYWARD_LISTEN", default_value = "127.0.0.1:3000", value_name = "ADDRESS:PORT")]
    listen: ListenAddress,
    /// Public URL of the server, if it is not at the listen address
    #[arg(long, env = "KEYWARD_PUBLIC_URL", value_name = "URL")]
    public_url: Option<PublicUrl>,
}

/// Crockford's base32 alphabet, in which no letter looks like a digit.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Number of keys that are created one after the other. Each waits for a write to disk.
const SEQUENTIAL_KEYS: usize = 2_000;

pub async fn run(database: &DatabaseSettings, demo: DemoArgs) -> anyhow::Result<()> {
    let opened = Database::open_with(database, SchemaMode::Create).await?;
    let password = Zeroizing::new(password(&*opened.context.random));
    let filled = fill_database(&opened.context, &demo, &password).await;
    opened.close().await;
    filled?;
    // As `serve` computes it. With port 0, only the server knows its port.
    let address = match (demo.public_url, demo.listen.port()) {
        (Some(url), _) => url.to_string(),
        (None, 0) => "the address that it prints".to_owned(),
        (None, port) => demo.listen.url(port).parse::<PublicUrl>().map_err(anyhow::Error::msg)?.to_string(),
    };
    let [(email, ..), others @ ..] = data::PEOPLE;
    let others: Vec<_> = others.iter().map(|(email, ..)| *email).collect();
    let text = Zeroizing::new(format!(
        "Created {people} users, {people} projects, and {} keys.\nStart the server, then sign in at {address}\n  email     {email}\n  \
         password  {}\nOther users with the same password: {}.\n",
        demo.keys,
        *password,
        others.join(", "),
        people = data::PEOPLE.len(),
    ));
    output::print(text.as_bytes()).map_err(|error| {
        output::lost_secret_error(&error, "The database was filled, but the password cannot be shown again: fill another empty database, or set a password with: keyward admin reset-link")
    })
}

/// Generates a demo password with 100 bits of entropy.
fn password(random: &dyn Random) -> String {
    let mut bytes = Zeroizing::new([0; 20]);
    random.fill(bytes.as_mut());
    let letters: Vec<_> = bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect();
    letters.chunks(5).map(|chunk| chunk.iter().collect::<String>()).collect::<Vec<_>>().join("-")
}

/// Step in the history of a key.
#[derive(Clone, Copy)]
enum HistoryStep {
    Create,
    Change,
}

async fn fill_database(context: &Context, demo: &DemoArgs, password: &str) -> anyhow::Result<()> {
    let count = usize::try_from(demo.keys)?;
    let now = context.now();
    let clock = Arc::new(ManualClock::at(now.plus_seconds(-206 * DAY)));
    let context = Context { clock: clock.clone(), ..context.clone() };
    let stage =
        Fixtures { now, clock, accounts: Accounts::new(context.clone(), Arc::new(Config::for_commands())), context };
    if !stage.accounts.needs_setup().await.map_err(terminal_error)? {
        anyhow::bail!(
            "this database already has accounts, and the demo needs an empty one: set another with --database-url \
             (KEYWARD_DATABASE_URL)"
        );
    }
    let played = if demo.secrets.is_some() { scenario::fixed_count() } else { SEQUENTIAL_KEYS }.min(count);
    let most = usize::try_from(demo.secrets_max)?;
    let mut secrets = demo.secrets.as_deref().map(|file| SecretsFile::new(file, count - played, most)).transpose()?;
    let cast = stage.create_users(password).await?;
    create_with_history(&stage, &cast, played).await?;
    stage.advance_to(0);
    bulk::write_bulk_keys(&stage, &cast, scenario::deferred(played, count), secrets.as_mut()).await?;
    secrets.map_or(Ok(()), SecretsFile::finish)
}

/// Creates `count` keys and applies their later changes, in chronological order.
async fn create_with_history(stage: &Fixtures, cast: &DemoUsers, count: usize) -> anyhow::Result<()> {
    let now = stage.now;
    let plans = scenario::scenarios(count);
    let mut steps: Vec<_> =
        plans.iter().enumerate().map(|(i, plan)| (plan.created_ago, i, HistoryStep::Create)).collect();
    steps.extend(plans.iter().enumerate().filter_map(|(i, plan)| match plan.later_change {
        LaterChange::Unchanged => None,
        LaterChange::Deactivated(ago) | LaterChange::DeactivatedByAdmin(ago, _) | LaterChange::Deleted(ago) => {
            Some((ago, i, HistoryStep::Change))
        }
        LaterChange::Scheduled(_) => Some((plan.created_ago - MINUTE, i, HistoryStep::Change)),
    }));
    steps.sort_by_key(|(ago, ..)| std::cmp::Reverse(*ago));
    let (keys, usage) = (Keys::new(stage.context.clone()), Usage::new(stage.context.clone(), Limits::default()));
    let mut made = vec![None; plans.len()];
    for (ago, i, step) in steps {
        stage.advance_to(ago);
        let plan = &plans[i];
        match (step, made[i]) {
            (HistoryStep::Create, _) => made[i] = Some(cast.create_key(&keys, plan, stage.context.now()).await?),
            (HistoryStep::Change, Some(id)) => stage.apply_change(&keys, cast, plan, id).await?,
            (HistoryStep::Change, None) => anyhow::bail!("a key of the scenario would be changed before it is created"),
        }
    }
    for (plan, id) in plans.iter().zip(made) {
        if let (Some(id), Some(used)) = (id, plan.used_ago) {
            usage.record(SubjectId::Key(id), Outcome::Accepted, now.plus_seconds(-used));
        }
    }
    const UNWRITTEN: &str = "the last-used times could not be written";
    usage.flush().await.context(UNWRITTEN)?;
    usage.merge_all().await.context(UNWRITTEN)
}
