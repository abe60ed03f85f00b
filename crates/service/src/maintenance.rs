//! Maintenance job: purges deleted keys, revokes grants whose code expired unused, rotates signing keys, and deletes
//! expired sessions, one-time links, drafts, revoked tokens, change feed rows, and usage counts.

use super::{Error, Services, tokens};
use keyward_core::sweep::{JobRun, ROWS, sweep};
use keyward_domain::error_chain::ErrorChain;
use keyward_store as store;
use std::time::Duration;
use tokio::time::{Interval, MissedTickBehavior, interval};

/// Interval between rounds. The exact time does not matter, because expired objects are denied or not found
/// immediately.
const EVERY: Duration = Duration::from_secs(60);
/// Retention of changes in the feed, in seconds. It is far longer than any process needs to receive a change.
const FEED_KEPT: i64 = 3_600;

/// Retention of an invitation after it expires, in seconds: 30 days.
const INVITATIONS_KEPT: i64 = 30 * 86_400;

/// Runs one round. A failed step does not stop the following steps.
///
/// # Errors
/// The first error, if the database rejects a query. Each error is logged, and the next round tries again.
pub async fn run_once(app: &Services) -> Result<(), Error> {
    let (context, programs) = (&app.context, &app.config.programs);
    let now = context.now();
    let (invited, changes_before) =
        (now.plus_seconds(-INVITATIONS_KEPT).micros(), now.plus_seconds(-FEED_KEPT).micros());
    let micros = now.micros();
    let mut round = JobRun::default();
    round.step("keys of disabled users", app.users.stop_remaining_keys()).await;
    round.step("deleted keys", app.keys.purge()).await;
    round.step("usage", app.usage.sweep()).await;
    round.step("grants", app.consent.sweep()).await;
    round.step("sessions", sweep(context, move |tx| Box::pin(store::sessions::sweep(tx, micros, ROWS)))).await;
    round.step("invitations", sweep(context, move |tx| Box::pin(store::invitations::sweep(tx, invited, ROWS)))).await;
    round.step("links", sweep(context, move |tx| Box::pin(store::email_links::sweep(tx, micros, ROWS)))).await;
    round.step("drafts", sweep(context, move |tx| Box::pin(store::drafts::sweep(tx, micros, ROWS)))).await;
    let revoked = async {
        let ended = tokens::retention_start(&mut context.pool.acquire_reader().await?.conn(), now).await?.micros();
        sweep(context, move |tx| Box::pin(store::revoked_tokens::sweep(tx, micros, ended, ROWS))).await
    };
    round.step("revoked tokens", revoked).await;
    round
        .step("changes", sweep(context, move |tx| Box::pin(store::change_log::delete_before(tx, changes_before, ROWS))))
        .await;
    round.step("list of revoked tokens", async { Ok(app.tokens.load_revoked().await?) }).await;
    round.step("signing keys", app.tokens.maintain_keys(programs.token_key_days, programs.token_alg)).await;
    round.end()
}

/// Runs the maintenance jobs while the process runs.
pub async fn run(app: Services) {
    tokio::join!(rounds(&app), fold(&app));
}

fn ticks() -> Interval {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

async fn rounds(app: &Services) {
    let mut ticks = ticks();
    loop {
        ticks.tick().await;
        // Ignored: each error is logged with its step.
        let _ = run_once(app).await;
    }
}

/// Folds names outside the rounds. After an upgrade of a large database this takes long, and other steps must not wait.
async fn fold(app: &Services) {
    let mut ticks = ticks();
    loop {
        ticks.tick().await;
        if let Err(error) = app.folding.fill().await {
            tracing::error!(error = %ErrorChain(&error), "upkeep.names_not_folded");
        }
    }
}
