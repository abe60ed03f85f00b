//! What Keyward does by itself: deleted keys end, and what nobody came for; signing keys follow each other; sessions, links and
//! revoked tokens are swept, old change notes and counts are forgotten.

use super::{App, Error, Ground, tokens};
use crate::store::{
    self, Tx,
    queue::{Kept, Writing},
};
use std::time::Duration;
use tokio::time::{Interval, MissedTickBehavior, interval};

/// How often. Nothing depends on it to the minute: what has ended is refused, or not found, at once.
const EVERY: Duration = Duration::from_secs(60);
/// How long a change is kept in the feed: far beyond the time in which every process has heard it. Seconds.
const FEED_KEPT: i64 = 3_600;

/// How long an invitation is kept after it has ended. Seconds: 30 days.
const INVITATIONS_KEPT: i64 = 30 * 86_400;

/// Rows that one write removes at most: some tens of milliseconds, then other writes take their turn.
pub(super) const ROWS: i64 = 1_000;

/// Removes rows, at most [`ROWS`] in each write, until none is left. `step` says how many it removed.
pub(super) async fn sweep<F>(ground: &Ground, step: F) -> Result<(), Error>
where
    F: for<'t> Fn(&'t mut Tx<'_>) -> Writing<'t, Result<u64, store::Error>> + Clone + Send + Sync + 'static,
{
    loop {
        let step = step.clone();
        let write = ground.queue.write(move |tx| {
            let removal = step(tx);
            Box::pin(async move { Ok::<_, Error>(Kept::unrecorded(removal.await?)) })
        });
        if write.await?.cast_signed() < ROWS {
            return Ok(());
        }
    }
}

/// One round.
///
/// # Errors
/// If the database refuses; the next round tries again.
pub async fn once(app: &App) -> Result<(), Error> {
    app.users.stop_remaining_keys().await?;
    app.keys.purge().await?;
    app.usage.sweep().await?;
    app.consent.sweep().await?;
    let now = app.ground.now();
    let ended = tokens::forgotten(&mut app.ground.pool.read().await?.conn(), now).await?;
    let (now, ended) = (now.micros(), ended.micros());
    let (invited, heard) =
        (app.ground.now().plus_seconds(-INVITATIONS_KEPT).micros(), app.ground.now().plus_seconds(-FEED_KEPT).micros());
    let ground = &app.ground;
    sweep(ground, move |tx| Box::pin(store::sessions::sweep(tx, now, ROWS))).await?;
    sweep(ground, move |tx| Box::pin(store::invitations::sweep(tx, invited, ROWS))).await?;
    sweep(ground, move |tx| Box::pin(store::links::sweep(tx, now, ROWS))).await?;
    sweep(ground, move |tx| Box::pin(store::drafts::sweep(tx, now, ROWS))).await?;
    sweep(ground, move |tx| Box::pin(store::revoked::sweep(tx, now, ended, ROWS))).await?;
    sweep(ground, move |tx| Box::pin(store::changes::forget(tx, heard, ROWS))).await?;
    app.tokens.read_revoked().await?;
    let programs = &app.config.programs;
    app.tokens.keep_keys(programs.token_key_days, programs.token_alg).await
}

/// Rounds for as long as the process runs.
pub async fn run(app: App) {
    tokio::join!(rounds(&app), fold(&app));
}

fn ticks() -> Interval {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

async fn rounds(app: &App) {
    let mut ticks = ticks();
    loop {
        ticks.tick().await;
        if let Err(error) = once(app).await {
            tracing::error!(%error, "upkeep.failed");
        }
    }
}

/// Folds names beside the rounds: after the update of a large database it takes long, and nothing else may wait for it.
async fn fold(app: &App) {
    let mut ticks = ticks();
    loop {
        ticks.tick().await;
        if let Err(error) = app.folding.fill().await {
            tracing::error!(%error, "upkeep.names_not_folded");
        }
    }
}
