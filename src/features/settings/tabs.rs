//! What the settings' pages have in common.

use leptos::prelude::*;

/// The head of the page and the tabs; `current` is the path of the one that is open.
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
