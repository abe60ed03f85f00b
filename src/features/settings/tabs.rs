//! Common header of the settings pages.

use leptos::prelude::*;

/// The page header with the tabs. `current` is the path of the selected tab.
#[component]
pub fn SettingsHead(current: &'static str) -> impl IntoView {
    let tabs = [
        ("/settings/account", "Account"),
        ("/settings/security", "Security"),
        ("/settings/developer/api-keys", "Developer"),
    ]
    .map(|(to, label)| view! { <a href=to aria-current=(to == current).then_some("page")>{label}</a> })
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
