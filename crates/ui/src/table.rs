//! The parts of a table whose rows become cards on a narrow screen.

use leptos::prelude::*;

/// A column's head. `class` fixes its width.
#[component]
pub fn Head(label: &'static str, #[prop(optional)] class: Option<&'static str>) -> impl IntoView {
    view! { <th class=class scope="col">{label}</th> }.into_any()
}

/// A cell. `label` is its name when the row is a card.
#[component]
pub fn Cell(label: &'static str, class: &'static str, children: Children) -> impl IntoView {
    view! { <td class=class data-label=label>{children()}</td> }.into_any()
}
