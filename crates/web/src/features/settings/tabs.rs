//! Common header of the settings pages.

use crate::features::navigation::{NavEntry, Section, links};
use leptos::prelude::*;

/// The page header with the tabs. `current` is the entry of the selected tab.
#[component]
pub fn SettingsHead(current: NavEntry) -> impl IntoView {
    let tabs = links(Section::Settings, false)
        .into_iter()
        .map(|it| {
            let current = (it.path == current.link.path).then_some("page");
            view! { <a href=it.path aria-current=current>{it.label}</a> }
        })
        .collect_view();
    view! {
        <header class="page-head">
            <h1>"Settings"</h1>
        </header>
        <nav class="tabs" aria-label="Settings">
            {tabs}
        </nav>
    }
    .into_any()
}
