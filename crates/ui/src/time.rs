//! Instants, as people say them.

use keyward_domain::time::{Moment, Timestamp, relative};
use leptos::prelude::*;

fn element(moment: Moment, text: String) -> AnyView {
    view! { <time datetime=moment.iso title=moment.exact>{text}</time> }.into_any()
}

/// How far away it is from `now`, which came with the data; the exact instant on hover.
#[component]
pub fn Ago(at: Moment, now: Timestamp) -> impl IntoView {
    let text = relative(at.at, now);
    element(at, text)
}

/// The day; the exact instant on hover.
#[component]
pub fn Day(at: Moment) -> impl IntoView {
    let text = at.day.clone();
    element(at, text)
}

/// The exact instant.
#[component]
pub fn Exactly(at: Moment) -> impl IntoView {
    let text = at.exact.clone();
    element(at, text)
}
