//! Filter and sort order of the key list: a GET form, so that the URL contains them.

use super::list_context::{Audience, ListContext};
use crate::{
    domain::{
        filter::{KeyFilter, ReviewFilter},
        people::PersonChoice,
        project::ProjectName,
    },
    ui::select::{Choice, Select},
};
use leptos::{html, prelude::*};

/// Content of `<noscript>`: the submit button for browsers without scripts. With scripts, a change submits the form,
/// and the content of `<noscript>` is text to the parser, so it is set as a string.
const APPLY: &str = "<button class=\"button\">Apply</button>";

#[component]
pub fn Filters(
    projects: Vec<ProjectName>,
    /// The owners to choose from, for administrators. Empty for other users.
    owners: Vec<PersonChoice>,
) -> impl IntoView {
    let place = ListContext::current();
    let filter = place.filter.clone();
    let statuses = [
        ("", "Any status"),
        ("active", "Active"),
        ("inactive", "Inactive"),
        ("scheduled", "Scheduled"),
        ("expired", "Expired"),
        ("deleted", "Deleted"),
    ];
    let sorts = [
        ("", "Active first"),
        ("newest", "Newest first"),
        ("used", "Recently used first"),
        ("expires", "Expiring first"),
        ("name", "Name"),
    ];
    let choices = |of: &[(&str, &str)]| of.iter().map(|(value, label)| Choice::new(*value, *label)).collect::<Vec<_>>();
    let mut all = vec![Choice::new("", "All projects")];
    all.extend(projects.into_iter().map(|project| Choice::new(project.id.to_string(), project.name)));
    let owner = (place.audience == Audience::Admin).then(|| {
        let mut choices = vec![Choice::new("", "Any owner")];
        choices.extend(owners.into_iter().map(|it| Choice::new(it.id.to_string(), it.name)));
        let chosen = filter.owner.map(|it| it.to_string()).unwrap_or_default();
        view! { <Select name="owner" id="filter-owner" aria_label="Owner" choices chosen /> }
    });
    let view = filter.view.map(|view| view! { <input type="hidden" name="view" value=view.as_str() /> });
    let expires = view! {
        <Select
            name="expires" id="filter-expires"
            aria_label="Expires"
            choices=choices(&[("", "Any expiry"), ("within-7d", "Expires this week")])
            chosen=filter.expires.map(|it| it.as_str()).unwrap_or_default()
        />
    };
    let ready = (place.audience == Audience::Admin).then(|| review_tabs(&place));
    let status = filter.status.map(|it| it.as_str()).unwrap_or_default();
    let project = filter.project.map(|it| it.to_string()).unwrap_or_default();
    let environment = filter.environment.map(|it| it.as_str()).unwrap_or_default();
    let sort = if filter.sort == Default::default() { "" } else { filter.sort.as_str() };
    view! {
        {ready}
        <form class="filters" role="search" action=place.audience.path() aria-label="API keys" autocomplete="off" data-auto>
            <Select name="status" id="filter-status" aria_label="Status" shortcut="/" choices=choices(&statuses) chosen=status />
            <Select name="project" id="filter-project" aria_label="Project" choices=all chosen=project />
            {owner}
            {view}
            <Select
                name="environment" id="filter-environment"
                aria_label="Environment"
                choices=choices(&[("", "Live and test"), ("live", "Live"), ("test", "Test")])
                chosen=environment
            />
            {expires}
            <Select name="sort" id="filter-sort" aria_label="Sort" choices=choices(&sorts) chosen=sort />
            {html::noscript().inner_html(APPLY)}
        </form>
    }
    .into_any()
}

/// The review filters as tabs. Each keeps the rest of the filter.
fn review_tabs(place: &ListContext) -> AnyView {
    let all = [None].into_iter().chain(ReviewFilter::ALL.map(Some));
    let links = all
        .map(|view| {
            let to = ListContext {
                filter: KeyFilter { view, ..place.filter.clone() },
                cursor: String::new(),
                audience: place.audience,
            };
            let label = view.map_or("All".into(), ReviewFilter::label);
            view! { <a href=to.list_url() aria-current=(view == place.filter.view).then_some("page")>{label}</a> }
        })
        .collect_view();
    view! {
        <nav class="tabs" aria-label="Views">
            {links}
        </nav>
    }
    .into_any()
}
