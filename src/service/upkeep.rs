//! What Keyward does by itself: deleted keys end, and what nobody came for; signing keys follow each other; sessions, links and
//! revoked tokens are swept, old change notes and counts are forgotten.

use super::{App, Error, tokens};
use crate::store::{self, queue::Kept};
use std::time::Duration;

/// How often. Nothing depends on it to the minute: what has ended is refused, or not found, at once.
const EVERY: Duration = Duration::from_secs(60);
/// How long a change is kept in the feed: far beyond the time in which every process has heard it. Seconds.
const FEED_KEPT: i64 = 3_600;

/// How long an invitation is kept after it has ended. Seconds: 30 days.
const INVITATIONS_KEPT: i64 = 30 * 86_400;

/// One round.
///
/// # Errors
/// If the database refuses; the next round tries again.
pub async fn once(app: &App) -> Result<(), Error> {
    app.keys.purge().await?;
    app.usage.sweep().await?;
    app.consent.sweep().await?;
    let now = app.ground.now();
    let ended = tokens::forgotten(&mut app.ground.pool.read().await?.conn(), now).await?;
    app.ground
        .queue
        .write(move |tx| {
            Box::pin(async move {
                store::sessions::sweep(tx, now.micros()).await?;
                store::invitations::sweep(tx, now.plus_seconds(-INVITATIONS_KEPT).micros()).await?;
                store::links::sweep(tx, now.micros()).await?;
                store::drafts::sweep(tx, now.micros()).await?;
                store::revoked::sweep(tx, now.micros(), ended.micros()).await?;
                store::changes::forget(tx, now.plus_seconds(-FEED_KEPT).micros()).await?;
                Ok::<_, Error>(Kept::unrecorded(()))
            })
        })
        .await?;
    app.tokens.read_revoked().await?;
    let programs = &app.config.programs;
    app.tokens.keep_keys(programs.token_key_days, programs.token_alg).await
}

/// Rounds for as long as the process runs.
pub async fn run(app: App) {
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = once(&app).await {
            tracing::error!(%error, "upkeep.failed");
        }
    }
}
