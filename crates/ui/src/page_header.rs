//! Header of a list page: title, description, and a create button.

use super::icon::Icon;
use leptos::prelude::*;

/// Renders the header. `create` is the URL of the creation dialog and the label of the button.
#[component]
pub fn ListHead(title: &'static str, lead: &'static str, create: (&'static str, &'static str)) -> impl IntoView {
    let (to, label) = create;
    view! {
        <header class="page-head">
            <h1>{title}</h1>
            <p>{lead}</p>
            <div class="actions">
                <a id="create" class="button button--primary" href=to data-shortcut="c">
                    {Icon::Plus.view()}
                    {label}
                </a>
            </div>
        </header>
    }
}
