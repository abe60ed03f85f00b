//! A service that hears what others change, and waiting for what it hears.

use keyward::service::App;
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;

/// Waits until it is so. Only what never comes fails.
pub async fn until(what: &str, mut so: impl AsyncFnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(30);
    while !so().await {
        assert!(Instant::now() < end, "{what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// A service that listens, and knows all keys.
pub async fn listening(app: &App) -> JoinHandle<()> {
    let task = tokio::spawn(app.clone().follow_changes());
    until("all keys are loaded", async || app.verify.counts().complete && app.verify.counts().hearing).await;
    task
}
