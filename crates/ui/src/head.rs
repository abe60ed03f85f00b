//! The head of a page that is a list: what it is, a sentence, and the way to one more.

use super::icon::Icon;
use leptos::prelude::*;

/// `create` leads to the dialog for one more: its address and what the button says.
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
