//! Toast timeouts. A toast is removed after a time to read it, or a longer time if it has a button, but never while it
//! is hovered or focused.

use super::{all, page::pause};
use leptos::task::spawn_local;

const TO_READ: i32 = 8_000;
const TO_DECIDE: i32 = 20_000;

/// Starts the timeout of new toasts.
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
