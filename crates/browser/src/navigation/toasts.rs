//! Toast timeouts. A toast is removed after a time to read it, or a longer time if it has a button, but never while it
//! is hovered or focused.

use super::{all, visit::pause};
use leptos::task::spawn_local;

const READ_TIMEOUT: i32 = 8_000;
const ACTION_TIMEOUT: i32 = 20_000;

/// Starts the timeout of new toasts.
pub fn after_morph() {
    for toast in all(".toast:not([data-seen])") {
        let _ = toast.set_attribute("data-seen", "");
        let decides = toast.query_selector("button").ok().flatten().is_some();
        spawn_local(async move {
            pause(if decides { ACTION_TIMEOUT } else { READ_TIMEOUT }).await;
            while toast.matches(":hover, :focus-within").unwrap_or(false) {
                pause(1_000).await;
            }
            toast.remove();
        });
    }
}
