//! Table cells for tables whose rows become cards on narrow screens.

use leptos::prelude::*;

/// Header of a column. `class` sets its width.
#[component]
pub fn Head(label: &'static str, #[prop(optional)] class: Option<&'static str>) -> impl IntoView {
    view! { <th class=class scope="col">{label}</th> }.into_any()
}

/// A cell. `label` is its name when the row is shown as a card.
#[component]
pub fn Cell(label: &'static str, class: &'static str, children: Children) -> impl IntoView {
    view! { <td class=class data-label=label>{children()}</td> }.into_any()
}
