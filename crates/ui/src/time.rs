//! Timestamps as `<time>` elements.

use keyward_domain::time::{Moment, Timestamp, relative};
use leptos::prelude::*;

fn element(moment: Moment, text: String) -> AnyView {
    view! { <time datetime=moment.iso title=moment.exact>{text}</time> }.into_any()
}

/// Relative time from `now`, which is part of the data. The exact time is in the tooltip.
#[component]
pub fn Ago(at: Moment, now: Timestamp) -> impl IntoView {
    let text = relative(at.at, now);
    element(at, text)
}

/// The date. The exact time is in the tooltip.
#[component]
pub fn Day(at: Moment) -> impl IntoView {
    let text = at.day.clone();
    element(at, text)
}

/// The exact time.
#[component]
pub fn Exactly(at: Moment) -> impl IntoView {
    let text = at.exact.clone();
    element(at, text)
}
