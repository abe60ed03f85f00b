//! What Keyward does by itself: deleted keys end, and what nobody came for; signing keys follow each other; sessions, links and
//! revoked tokens are swept, old change notes and counts are forgotten.

use super::{App, Error, tokens};
use keyward_core::sweep::{ROWS, Round, sweep};
use keyward_store as store;
use std::time::Duration;
use tokio::time::{Interval, MissedTickBehavior, interval};

/// How often. Nothing depends on it to the minute: what has ended is refused, or not found, at once.
const EVERY: Duration = Duration::from_secs(60);
/// How long a change is kept in the feed: far beyond the time in which every process has heard it. Seconds.
const FEED_KEPT: i64 = 3_600;

/// How long an invitation is kept after it has ended. Seconds: 30 days.
const INVITATIONS_KEPT: i64 = 30 * 86_400;

/// One round: every step, also after one that failed.
///
/// # Errors
/// The first error, if the database refuses; each was logged, and the next round tries again.
pub async fn once(app: &App) -> Result<(), Error> {
    let (ground, programs) = (&app.ground, &app.config.programs);
    let now = ground.now();
    let (invited, heard) = (now.plus_seconds(-INVITATIONS_KEPT).micros(), now.plus_seconds(-FEED_KEPT).micros());
    let micros = now.micros();
    let mut round = Round::default();
    round.step("keys of disabled users", app.users.stop_remaining_keys()).await;
    round.step("deleted keys", app.keys.purge()).await;
    round.step("usage", app.usage.sweep()).await;
    round.step("grants", app.consent.sweep()).await;
    round.step("sessions", sweep(ground, move |tx| Box::pin(store::sessions::sweep(tx, micros, ROWS)))).await;
    round.step("invitations", sweep(ground, move |tx| Box::pin(store::invitations::sweep(tx, invited, ROWS)))).await;
    round.step("links", sweep(ground, move |tx| Box::pin(store::links::sweep(tx, micros, ROWS)))).await;
    round.step("drafts", sweep(ground, move |tx| Box::pin(store::drafts::sweep(tx, micros, ROWS)))).await;
    let revoked = async {
        let ended = tokens::forgotten(&mut ground.pool.read().await?.conn(), now).await?.micros();
        sweep(ground, move |tx| Box::pin(store::revoked::sweep(tx, micros, ended, ROWS))).await
    };
    round.step("revoked tokens", revoked).await;
    round.step("changes", sweep(ground, move |tx| Box::pin(store::changes::forget(tx, heard, ROWS)))).await;
    round.step("list of revoked tokens", async { Ok(app.tokens.read_revoked().await?) }).await;
    round.step("signing keys", app.tokens.keep_keys(programs.token_key_days, programs.token_alg)).await;
    round.end()
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
        // Each error was logged with its step.
        let _ = once(app).await;
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
