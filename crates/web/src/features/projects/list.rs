//! `/projects`: the projects that the user is a member of, with a dialog on top if the path names one.

use super::{api::list_projects, routes::PROJECTS};
use crate::{
    domain::{
        count::{format_count, format_count_of},
        project::{ProjectSummary, Role},
    },
    features::session::{PageShell, PageTitle, SignedInOnly, load},
    ui::{
        empty::Empty,
        icon::Icon,
        page_header::ListHead,
        table::{Cell, Head},
        time::Day,
        toast::Toasts,
    },
};
use leptos::prelude::*;
use leptos_router::{
    components::Outlet,
    hooks::{use_location, use_query_map},
};

#[component]
pub fn ProjectsPage() -> impl IntoView {
    let inert = use_location().pathname.get_untracked().trim_end_matches('/') != "/projects";
    let done = use_query_map().with_untracked(|query| query.get("done"));
    let message = match done.as_deref() {
        Some("left") => Some("You left the project.".to_owned()),
        Some("deleted") => Some("Key deleted.".to_owned()),
        _ => None,
    };
    view! {
        <PageTitle text="Projects" under=true />
        <SignedInOnly />
        <PageShell nav=PROJECTS inert>
            <ListHead title="Projects" lead="A project groups the keys and members of one API. Keys belong to the project and remain when their creator leaves." create=("/projects/new", "Create project") />
            <div id="list">{load(list_projects, table)}</div>
        </PageShell>
        <Outlet />
        <Toasts message />
    }
    .into_any()
}

/// Returns the label of a role.
pub fn role_label(role: Role) -> &'static str {
    match role {
        Role::Owner => "Owner",
        Role::Operator => "Operator",
        Role::Viewer => "Viewer",
    }
}

fn table(projects: Vec<ProjectSummary>) -> AnyView {
    if projects.is_empty() {
        return view! { <Empty title="No projects yet" text="Create a project, or ask a project owner to invite you." /> }
            .into_any();
    }
    let count = format_count_of(projects.len() as u64, "project", "projects");
    let rows = projects
        .into_iter()
        .map(|project| {
            let (page, keys) = (format!("/projects/{}", project.id), format!("/projects/{}/keys", project.id));
            let name = format!("API Keys of {}", project.name);
            let opener = format!("keys-{}", project.id);
            let archived = project.archived.then(|| view! { " " <span class="tag">"archived"</span> });
            let members = if project.members == 1 {
                "Only you".to_owned()
            } else {
                format!("{} members", format_count(project.members))
            };
            let active = (project.active != project.keys).then(|| {
                view! { " " <span class="sub">{format!("{} active", format_count(project.active))}</span> }
            });
            view! {
                <tr data-status=if project.archived { "inactive" } else { "active" }>
                    <th scope="row">
                        <a class="key-name" href=page>
                            {project.name}
                        </a>
                        {archived}
                    </th>
                    <Cell class="" label="Your role">
                        {role_label(project.role)}
                    </Cell>
                    <Cell class="" label="Members">
                        {members}
                    </Cell>
                    <Cell class="end" label="Keys">
                        {format_count(project.keys)}
                        {active}
                    </Cell>
                    <Cell class="" label="Created">
                        <Day at=project.created />
                    </Cell>
                    <td class="end cell-full">
                        <a class="button" id=opener href=keys aria-label=name>
                            {Icon::Key.view()}
                            "API Keys"
                        </a>
                    </td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <div class="panel wide">
            <table class="table">
                <caption>{count}</caption>
                <thead>
                    <tr>
                        <Head label="Name" />
                        <Head label="Your role" />
                        <Head label="Members" />
                        <Head class="end" label="Keys" />
                        <Head label="Created" />
                        <th scope="col">
                            <span class="visually-hidden">"API keys"</span>
                        </th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
    .into_any()
}
