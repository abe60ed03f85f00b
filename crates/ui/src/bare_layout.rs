//! Layout without navigation: sign-in, initial setup, and error pages.

use super::icon::logo;
use leptos::prelude::*;

#[component]
pub fn Gate(
    #[prop(into)] title: String,
    #[prop(default = None, into)] lead: Option<String>,
    #[prop(optional)] wide: bool,
    /// Replacement for the logo.
    #[prop(optional, into)]
    sign: Option<AnyView>,
    /// Additional content below the title.
    #[prop(optional, into)]
    under: Option<AnyView>,
    /// Footer text: the version and the address.
    #[prop(default = None, into)]
    foot: Option<String>,
    children: Children,
) -> impl IntoView {
    let class = if wide { "gate__main gate__main--wide" } else { "gate__main" };
    view! {
        <div class="gate">
            <main class=class id="main" tabindex="-1">
                <header class="gate__head">
                    {sign.unwrap_or_else(logo)}
                    <h1>{title}</h1>
                    {lead.map(|lead| view! { <p>{lead}</p> })}
                    {under}
                </header>
                {children()}
            </main>
            {foot.map(|foot| view! { <footer class="gate__foot">{foot}</footer> })}
        </div>
    }
    .into_any()
}
