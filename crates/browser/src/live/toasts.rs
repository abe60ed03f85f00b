//! Messages go after a while: long enough to read, longer if there is something to decide, never while they are being used.

use super::{all, page::pause};
use leptos::task::spawn_local;

const TO_READ: i32 = 8_000;
const TO_DECIDE: i32 = 20_000;

/// Counts the time of messages that are new.
pub fn settle() {
    for toast in all(".toast:not([data-seen])") {
        let _ = toast.set_attribute("data-seen", "");
        let decides = toast.query_selector("button").ok().flatten().is_some();
        spawn_local(async move {
            pause(if decides { TO_DECIDE } else { TO_READ }).await;
            while toast.matches(":hover, :focus-within").unwrap_or(false) {
                pause(1_000).await;
            }
            toast.remove();
        });
    }
}
