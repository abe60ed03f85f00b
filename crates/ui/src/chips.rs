//! Scope chips, small and monospaced.

use leptos::prelude::*;

/// A list of chips. Chips after the first `most` are shown as a count, with their names in the title.
#[component]
pub fn Chips(of: Vec<String>, #[prop(default = usize::MAX)] most: usize) -> impl IntoView {
    if of.is_empty() {
        return view! { <span class="muted">"None"</span> }.into_any();
    }
    let rest = of.get(most..).unwrap_or_default().join(", ");
    let hidden = of.len().saturating_sub(most);
    let shown = of.into_iter().take(most).map(|text| view! { <li class="chip">{text}</li> }).collect_view();
    let more = (hidden > 0).then(|| {
        let noun = if hidden == 1 { " more scope" } else { " more scopes" };
        view! {
            <li class="chip chip--more" title=rest>
                {format!("+{hidden}")}
                <span class="visually-hidden">{noun}</span>
            </li>
        }
    });
    view! { <ul class="chips">{shown} {more}</ul> }.into_any()
}
