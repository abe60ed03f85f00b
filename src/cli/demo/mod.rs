//! `keyward demo`: fills an empty database with realistic data.
//!
//! The demo calls the use cases of the site one after the other, with a clock that moves through the last months. The
//! audit log therefore has a realistic history, and a user could have created every key. Keys after the first
//! [`PLAYED`], and those for `--secrets`, are written in batches in their final state (see [`crowd`]).

mod crowd;
mod data;
mod plan;
mod secrets;
mod stage;

use super::{
    open::{Opened, words},
    output,
};
use crate::{
    config::{Config, DatabaseSettings, ListenAddress, PublicUrl},
    service::{
        Ground,
        accounts::Accounts,
        clock::ManualClock,
        keys::Keys,
        limits::Limits,
        random::Random,
        usage::{Outcome, Usage},
    },
};
use anyhow::Context as _;
use clap::Args;
use plan::{DAY, Fate, MINUTE};
use secrets::Secrets;
use stage::{Cast, Stage};
use std::{path::PathBuf, sync::Arc};
use zeroize::Zeroizing;

#[derive(Args)]
pub struct Demo {
    /// How many keys
    #[arg(long, default_value_t = 120, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=10_000_000))]
    keys: u32,
    /// Write secrets to this new file, readable by you alone, each line "SECRET VERDICT KEY_ID" with what verify will say of it
    #[arg(long, value_name = "FILE")]
    secrets: Option<PathBuf>,
    /// How many secrets at most, taken evenly from all keys but the dozen that tell a story
    #[arg(long, default_value_t = 1_000_000, value_name = "N", requires = "secrets")]
    secrets_max: u32,
    /// Where it will be served, to say where to sign in
    #[arg(long, env = "KEYWARD_LISTEN", default_value = "127.0.0.1:3000", value_name = "ADDRESS:PORT")]
    listen: ListenAddress,
    /// The same, if browsers reach it by another address
    #[arg(long, env = "KEYWARD_PUBLIC_URL", value_name = "URL")]
    public_url: Option<PublicUrl>,
}

/// Crockford's base32 alphabet, in which no letter looks like a digit.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Number of keys that are created one after the other. Each waits for a write to disk.
const PLAYED: usize = 2_000;

pub async fn run(database: &DatabaseSettings, demo: Demo) -> anyhow::Result<()> {
    let opened = Opened::open(database, true).await?;
    let password = Zeroizing::new(password(&*opened.ground.random));
    let filled = fill(&opened.ground, &demo, &password).await;
    opened.close().await;
    filled?;
    let url = demo.public_url.map_or_else(|| demo.listen.url(demo.listen.port()), |url| url.to_string());
    let [(email, ..), others @ ..] = data::PEOPLE;
    let others: Vec<_> = others.iter().map(|(email, ..)| *email).collect();
    let text = Zeroizing::new(format!(
        "Made {people} people, {people} projects and {} keys.\nOnce it is served, sign in at {url}\n  e-mail    {email}\n  \
         password  {}\nThe same password is that of {}.\n",
        demo.keys,
        *password,
        others.join(", "),
        people = data::PEOPLE.len(),
    ));
    output::print(text.as_bytes()).map_err(|error| {
        output::lost(&error, "The database was filled, but the password cannot be shown again: fill another empty database, or set one with: keyward admin reset-link")
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
enum Step {
    Make,
    Change,
}

async fn fill(ground: &Ground, demo: &Demo, password: &str) -> anyhow::Result<()> {
    let count = usize::try_from(demo.keys)?;
    let now = ground.now();
    let clock = Arc::new(ManualClock::at(now.plus_seconds(-206 * DAY)));
    let ground = Ground { clock: clock.clone(), ..ground.clone() };
    let stage = Stage { now, clock, accounts: Accounts::new(ground.clone(), Arc::new(Config::for_commands())), ground };
    if !stage.accounts.needs_setup().await.map_err(words)? {
        anyhow::bail!(
            "somebody has an account in this database; the demo fills an empty one: name another with --database-url \
             (KEYWARD_DATABASE_URL)"
        );
    }
    let played = if demo.secrets.is_some() { plan::stories() } else { PLAYED }.min(count);
    let most = usize::try_from(demo.secrets_max)?;
    let mut secrets = demo.secrets.as_deref().map(|file| Secrets::new(file, count - played, most)).transpose()?;
    let cast = stage.cast(password).await?;
    play(&stage, &cast, played).await?;
    stage.go_to(0);
    crowd::lay(&stage, &cast, plan::later(played, count), secrets.as_mut()).await?;
    secrets.map_or(Ok(()), Secrets::finish)
}

/// Creates `count` keys and applies their later changes, in chronological order.
async fn play(stage: &Stage, cast: &Cast, count: usize) -> anyhow::Result<()> {
    let now = stage.now;
    let plans = plan::plans(count);
    let mut steps: Vec<_> = plans.iter().enumerate().map(|(i, plan)| (plan.made, i, Step::Make)).collect();
    steps.extend(plans.iter().enumerate().filter_map(|(i, plan)| match plan.fate {
        Fate::Stays => None,
        Fate::Deactivated(ago) | Fate::Held(ago, _) | Fate::Deleted(ago) => Some((ago, i, Step::Change)),
        Fate::Starts(_) => Some((plan.made - MINUTE, i, Step::Change)),
    }));
    steps.sort_by_key(|(ago, ..)| std::cmp::Reverse(*ago));
    let (keys, usage) = (Keys::new(stage.ground.clone()), Usage::new(stage.ground.clone(), Limits::default()));
    let mut made = vec![None; plans.len()];
    for (ago, i, step) in steps {
        stage.go_to(ago);
        let plan = &plans[i];
        match (step, made[i]) {
            (Step::Make, _) => made[i] = Some(cast.make(&keys, plan, stage.ground.now()).await?),
            (Step::Change, Some(id)) => stage.change(&keys, cast, plan, id).await?,
            (Step::Change, None) => anyhow::bail!("a key of the plan was to be changed before it was made"),
        }
    }
    for (plan, id) in plans.iter().zip(made) {
        if let (Some(id), Some(used)) = (id, plan.used) {
            usage.note(id, Outcome::Accepted, now.plus_seconds(-used));
        }
    }
    const UNWRITTEN: &str = "the last uses could not be written";
    usage.flush().await.context(UNWRITTEN)?;
    usage.settle().await.context(UNWRITTEN)
}
