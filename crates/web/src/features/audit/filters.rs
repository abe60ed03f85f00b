//! Filter of the audit log: a GET form, so that the URL contains the filter.

use crate::{
    domain::audit::{AuditFilter, Kind},
    ui::{
        icon::Icon,
        select::{Choice, Select},
    },
};
use leptos::{html, prelude::*};

/// Content of `<noscript>`: the submit button for browsers without scripts. With scripts, a change submits the form.
const APPLY: &str = "<button class=\"button\">Apply</button>";

#[component]
pub fn Filters(filter: AuditFilter) -> impl IntoView {
    let mut kinds = vec![Choice::new("", "Any event")];
    kinds.extend(Kind::ALL.map(|kind| Choice::new(kind.as_str(), kind.label())));
    let text = |name: &'static str, label: &'static str, placeholder: &'static str, value: String| {
        view! {
            <span class="search">
                {Icon::Search.view()}
                <input class="input" type="search" id=format!("filter-{name}") name=name aria-label=label placeholder=placeholder value=value />
            </span>
        }
    };
    let day = |name: &'static str, label: &'static str, value: String| {
        view! {
            <label class="filters__day">
                <span>{label}</span>
                <input class="input" type="date" id=format!("filter-{name}") name=name value=value />
            </label>
        }
    };
    view! {
        <form class="filters filters--log" role="search" action="/admin/audit" aria-label="Audit log" autocomplete="off" data-auto>
            {text("who", "User", "User", filter.who)}
            {text("thing", "Target", "Key, project, user, or scope", filter.thing)}
            <Select
                name="kind"
                id="filter-kind"
                aria_label="Event type"
                shortcut="/"
                choices=kinds
                chosen=filter.kind.map(Kind::as_str).unwrap_or_default()
            />
            {day("from", "From", filter.from)}
            {day("to", "To", filter.to)}
            {html::noscript().inner_html(APPLY)}
        </form>
    }
    .into_any()
}
