//! `/admin/users/{id}`: one user, their projects, and the administrator's actions.

use super::{
    api::get_user,
    list::{LIST, status_badge, tags},
    routes::USERS,
};
use crate::{
    domain::{
        count::format_count,
        ids::UserId,
        people::{UserProject, UserView},
        project::Role,
    },
    error::{AppError, ErrorKind},
    features::session::{PageShell, PageTitle, admin_page, load},
    ui::{
        breakable::breakable,
        icon::Icon,
        table::{Cell, Head},
        time::{Ago, Exactly},
        toast::Toasts,
    },
};
use leptos::prelude::*;
use leptos_router::{
    components::Outlet,
    hooks::{use_location, use_params_map, use_query_map},
};

/// Returns the path of a user's page.
pub fn user_path(id: UserId) -> String {
    format!("{LIST}/{id}")
}

/// Loads the user of the URL and draws a page or dialog.
pub fn load_user(draw: impl Fn(UserView) -> AnyView + Clone + Send + Sync + 'static) -> AnyView {
    let id = use_params_map().with_untracked(|params| params.get("id").unwrap_or_default());
    let ask = move || {
        let id = id.parse::<UserId>();
        async move { get_user(id.map_err(|_| AppError::new(ErrorKind::NotFound, "User not found."))?).await }
    };
    load(ask, draw)
}

#[component]
pub fn UserPage() -> impl IntoView {
    admin_page(|| {
        load_user(|view| {
            let here = use_location().pathname.get_untracked();
            let inert = here.trim_end_matches('/') != user_path(view.user.id);
            let done = use_query_map().with_untracked(|query| query.get("done"));
            let message = flash_message(done.as_deref().unwrap_or_default(), &view);
            view! {
                <PageTitle text=view.user.name.clone() under=true />
                <PageShell nav=USERS inert>{person(view)}</PageShell>
                <Outlet />
                <Toasts message />
            }
            .into_any()
        })
    })
}

/// Returns the flash message of a `done` parameter if it matches the user's state.
fn flash_message(done: &str, view: &UserView) -> Option<String> {
    let (name, user) = (&view.user.name, &view.user);
    match done {
        "disabled" if !user.active => Some(format!("User “{name}” disabled.")),
        "enabled" if user.active => Some(format!("User “{name}” enabled.")),
        "made" if user.admin => Some(format!("Administrator role added to {name}.")),
        "unmade" if !user.admin => Some(format!("Administrator role removed from {name}.")),
        "transferred" => Some("Project transferred.".to_owned()),
        _ => None,
    }
}

fn person(view: UserView) -> AnyView {
    let UserView { user, projects, now, .. } = view;
    let id = user.id;
    let link = |verb: &str, label: &'static str, icon: Icon| {
        let (to, name, button) =
            (format!("{}/{verb}", user_path(id)), format!("{label}: {}", user.name), format!("do-{verb}"));
        let class = match verb {
            "disable" | "unmake-administrator" | "delete" => "button button--warn",
            _ => "button",
        };
        view! {
            <a class=class id=button href=to aria-label=name>
                {icon.view()}
                {label}
            </a>
        }
    };
    let active = if user.active {
        link("disable", "Disable user", Icon::Pause)
    } else {
        link("enable", "Enable user", Icon::Play)
    };
    let power = match (user.admin, user.active) {
        (true, _) => Some(link("unmake-administrator", "Remove administrator role", Icon::Shield)),
        (false, true) => Some(link("make-administrator", "Add administrator role", Icon::Shield)),
        (false, false) => None,
    };
    let delete = link("delete", "Delete user", Icon::Trash);
    let signed_in = match user.signed_in.clone() {
        Some(at) => view! { <Exactly at=at.clone() /> " " <span class="muted"><Ago at now /></span> }.into_any(),
        None => "Never".into_any(),
    };
    let keys = format!("/admin/keys?owner={id}");
    view! {
        <header class="page-head">
            <p class="crumbs">
                <a href=LIST>"Users"</a>
            </p>
            <h1 class="title">{user.name.clone()} {status_badge(user.active)} {tags(&user)}</h1>
            <p>{breakable(&user.email)}</p>
            <div class="actions">{active} {power} {delete}</div>
        </header>
        <div class="stack">
            <section class="panel" aria-labelledby="facts">
                <header class="panel__head">
                    <h2 id="facts">"Details"</h2>
                </header>
                <div class="panel__body">
                    <dl class="facts">
                        <dt>"Created"</dt>
                        <dd>
                            <Exactly at=user.created.clone() />
                        </dd>
                        <dt>"Last sign-in"</dt>
                        <dd>{signed_in}</dd>
                        <dt>"Keys created"</dt>
                        <dd>{format_count(user.keys)}</dd>
                    </dl>
                </div>
            </section>
            {table(id, projects)}
            <p>
                <a href=keys>"View keys of the projects that this user owns"</a>
            </p>
        </div>
    }
    .into_any()
}

/// Returns the label of the user's role in a project.
fn role(project: &UserProject) -> &'static str {
    match (project.role, project.alone) {
        (Role::Owner, true) => "Sole owner",
        (Role::Owner, false) => "Owner",
        (Role::Operator, _) => "Operator",
        (Role::Viewer, _) => "Viewer",
    }
}

fn table(id: UserId, projects: Vec<UserProject>) -> AnyView {
    let count = match projects.len() {
        0 => "No projects".to_owned(),
        1 => "1 project".to_owned(),
        n => format!("{} projects", format_count(n as u64)),
    };
    let rows = projects
        .into_iter()
        .map(|project| {
            let transfer = project.role.is_owner().then(|| {
                let to = format!("{}/transfer/{}", user_path(id), project.id);
                let (name, button) = (format!("Transfer {}", project.name), format!("transfer-{}", project.id));
                view! {
                    <a class="button" id=button href=to aria-label=name>
                        "Transfer…"
                    </a>
                }
            });
            let archived = project.archived.then(|| view! { " " <span class="tag">"archived"</span> });
            let keys = format!("/admin/keys?project={}", project.id);
            let keys_name = format!("Keys of {}", project.name);
            let (name, role) = (project.name.clone(), role(&project));
            view! {
                <tr>
                    <th scope="row">
                        <span class="name-line">{name} {archived}</span>
                    </th>
                    <Cell class="" label="Role">
                        {role}
                    </Cell>
                    <Cell class="end" label="Keys">
                        <a href=keys aria-label=keys_name>
                            {format_count(project.keys)}
                        </a>
                    </Cell>
                    <td class="end cell-full">{transfer}</td>
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
                        <Head label="Project" />
                        <Head label="Role" />
                        <Head class="end" label="Keys" />
                        <th scope="col">
                            <span class="visually-hidden">"Transfer"</span>
                        </th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
    .into_any()
}
