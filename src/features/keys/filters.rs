//! Which keys are shown: a GET form, so that the address says it.

use super::state::Keys;
use crate::ui::select::{Choice, Select};
use leptos::{html, prelude::*};
use leptos_router::{NavigateOptions, hooks::use_navigate};

/// For browsers without scripts; the others apply the filter when it changes. To them this is a text, so it is written as one.
const APPLY: &str = "<button class=\"button\">Apply</button>";

#[component]
pub fn Filters() -> impl IntoView {
    let keys = Keys::here();
    let node = NodeRef::<html::Select>::new();
    let value = move || if keys.deleted.get() { "deleted" } else { "" };
    // Back and forward change the address: the select follows.
    Effect::new(move |_| {
        if let Some(select) = node.get() {
            select.set_value(value());
        }
    });
    let navigate = use_navigate();
    let apply = Callback::new(move |status: String| {
        let to = if status.is_empty() { "/keys".into() } else { format!("/keys?status={status}") };
        navigate(&to, NavigateOptions { scroll: false, ..NavigateOptions::default() });
    });
    view! {
        <form class="filters" role="search" action="/keys" aria-label="API keys" autocomplete="off">
            <div class="actions">
                <Select
                    name="status"
                    aria_label="Status"
                    choices=vec![Choice::new("", "All keys"), Choice::new("deleted", "Deleted")]
                    chosen=untrack(value)
                    node_ref=node
                    on_change=apply
                />
                {html::noscript().inner_html(APPLY)}
            </div>
        </form>
    }
    .into_any()
}
