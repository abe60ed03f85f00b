//! Cache invalidation in tests: a service that receives the changes of other processes, and waiting for them.

use keyward::service::Services;
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;

/// Waits until the condition is true. Panics with `what` after 30 s.
pub async fn wait_until(what: &str, mut so: impl AsyncFnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(30);
    while !so().await {
        assert!(Instant::now() < end, "{what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// Subscribes the service to the change feed and waits until it is connected and all keys are loaded.
pub async fn start_change_feed(app: &Services) -> JoinHandle<()> {
    let task = tokio::spawn(app.clone().follow_changes());
    wait_until("all keys are loaded", async || app.verify.counts().complete && app.verify.counts().is_fresh).await;
    task
}
