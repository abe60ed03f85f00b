//! Toast timeouts. A toast is removed after a time to read it, or a longer time if it has a button, but never while it
//! is hovered or focused.

use super::{all, find, visit::pause};
use leptos::task::spawn_local;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

const READ_TIMEOUT: i32 = 8_000;
const ACTION_TIMEOUT: i32 = 20_000;

/// Shows toasts above an open modal dialog, and starts the timeout of new toasts.
pub fn after_morph() {
    show_in_top_layer();
    for toast in all(".toast:not([data-seen])") {
        let _ = toast.set_attribute("data-seen", "");
        let decides = toast.query_selector("button").ok().flatten().is_some();
        spawn_local(async move {
            pause(if decides { ACTION_TIMEOUT } else { READ_TIMEOUT }).await;
            while toast.matches(":hover, :focus-within").unwrap_or(false) {
                pause(1_000).await;
            }
            toast.remove();
            show_in_top_layer();
        });
    }
}

/// Elements of the top layer are stacked in the order in which they were shown, so the region is shown again after a
/// dialog opened. Without scripts the region is an ordinary element.
fn show_in_top_layer() {
    let Some(region) = find("#toasts").and_then(|it| it.dyn_into::<HtmlElement>().ok()) else { return };
    let is_shown = region.matches(":popover-open").unwrap_or(false);
    if region.child_element_count() == 0 {
        if is_shown {
            let _ = region.hide_popover();
        }
        let _ = region.remove_attribute("popover");
        return;
    }
    let _ = region.set_attribute("popover", "manual");
    if is_shown {
        let _ = region.hide_popover();
    }
    let _ = region.show_popover();
}
