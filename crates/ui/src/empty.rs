//! Empty state of a list.

use leptos::prelude::*;

/// A title, a sentence, and optional actions. `sign` is an image above the title.
#[component]
pub fn Empty(
    title: &'static str,
    #[prop(into)] text: String,
    #[prop(optional, into)] sign: Option<AnyView>,
    #[prop(optional, into)] actions: Option<AnyView>,
) -> impl IntoView {
    view! {
        <div class="panel empty">
            {sign}
            <h2>{title}</h2>
            <p>{text}</p>
            {actions.map(|actions| view! { <div class="actions">{actions}</div> })}
        </div>
    }
    .into_any()
}
