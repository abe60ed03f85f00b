//! OAuth clients and grants of a project: the sections, and the dialogs that register and remove clients and revoke
//! grants.

use super::dialog::{DialogSpec, current_project, error_dialog, form_dialog, path_segment, project_path};
use crate::{
    domain::{
        consent::{ClientView, GrantView, ProjectGrants},
        project::ProjectView,
    },
    features::{
        consent::{api::project_grants, grant_rows},
        session::load,
    },
    ui::{
        breakable::breakable,
        field::{Area, Field},
        icon::Icon,
        time::Day,
    },
};
use leptos::prelude::*;

const OWNERS: &str = "Only a project owner can do this.";

/// The sections of the project page. Empty for users who are not members.
pub fn section(project: &ProjectView) -> AnyView {
    if project.role.is_none() {
        return ().into_any();
    }
    let (id, here) = (project.id, project_path(project));
    load(move || project_grants(id), move |allowed: ProjectGrants| client_sections(&here, allowed))
}

fn client_sections(here: &str, allowed: ProjectGrants) -> AnyView {
    let ProjectGrants { grants, clients, may_register, now } = allowed;
    let register = may_register.then(|| {
        view! {
            <a class="button" id="register" href=format!("{here}/clients/new")>
                {Icon::Plus.view()}
                "Register application"
            </a>
        }
    });
    let programs = if clients.is_empty() {
        view! {
            <p class="panel__body">
                "No applications yet. A registered application can ask users for a temporary access token. Users see its name before they \
                 allow access."
            </p>
        }
        .into_any()
    } else {
        let rows = clients.into_iter().map(|client| program(here, client, may_register)).collect_view();
        view! { <ul class="rows">{rows}</ul> }.into_any()
    };
    let allowed = if grants.is_empty() {
        view! { <p class="panel__body">"No active grants"</p> }.into_any()
    } else {
        let here = here.to_owned();
        grant_rows(grants, now, true, move |grant: &GrantView| {
            let name = format!("Revoke {}", grant_name(grant));
            let to = format!("{here}/grants/{}/revoke", grant.id);
            view! {
                <a class="button button--warn" href=to aria-label=name>
                    "Revoke"
                </a>
            }
            .into_any()
        })
    };
    view! {
        <section class="panel" aria-labelledby="programs">
            <header class="panel__head">
                <h2 id="programs">"Applications"</h2>
                {register}
            </header>
            {programs}
        </section>
        <section class="panel" aria-labelledby="grants">
            <header class="panel__head">
                <h2 id="grants">"Grants"</h2>
            </header>
            {allowed}
        </section>
    }
    .into_any()
}

/// Returns a grant's name within a sentence: "your grant to Buoy Watch".
fn grant_name(grant: &GrantView) -> String {
    if grant.yours {
        format!("your grant to {}", grant.client)
    } else {
        format!("{}’s grant to {}", grant.person, grant.client)
    }
}

fn program(here: &str, client: ClientView, may_register: bool) -> AnyView {
    let remove = may_register.then(|| {
        let (to, name) = (format!("{here}/clients/{}/remove", client.id), format!("Remove {}", client.title));
        view! {
            <a class="button button--warn" href=to aria-label=name>
                "Remove"
            </a>
        }
    });
    let addresses = client.redirects.into_iter().map(|it| view! { <li>{breakable(&it)}</li> }).collect_view();
    view! {
        <li>
            <div>
                <h3>{client.title}</h3>
                <p>
                    <code>{format!("client:{}", client.id)}</code>
                    " registered by "
                    {client.by}
                    ", "
                    <Day at=client.since />
                </p>
                <ul class="lines">{addresses}</ul>
            </div>
            {remove}
        </li>
    }
    .into_any()
}

#[component]
pub fn RegisterClientPage() -> impl IntoView {
    let project = current_project();
    if !project.may_configure {
        return error_dialog(&project, 403, OWNERS);
    }
    let words = DialogSpec {
        path: "clients/new".into(),
        title: "Register application".into(),
        lead: "The application can ask users for a temporary access token of this project. It is a public client without a secret, \
               identified by its redirect URLs.".into(),
        button: ("Register application", "Registering…"),
        danger: false,
        opener: "register",
        focus_cancel: false,
    };
    form_dialog(&project, words, || {
        view! {
            <Field
                name="name"
                label="Name"
                hint="Shown to users on the consent screen."
                required=true
                autofocus=true
            />
            <Area
                name="redirects"
                label="Redirect URLs"
                value=""
                rows=3
                required=true
                hint="One per line. HTTPS, matched exactly. For an application on the user’s computer: http://127.0.0.1, with any port. \
                      For a page that uses the browser SDK: its origin."
            />
        }
        .into_any()
    })
}

#[component]
pub fn RemoveClientPage() -> impl IntoView {
    let (project, client) = (current_project(), path_segment(4));
    if !project.may_configure {
        return error_dialog(&project, 403, OWNERS);
    }
    let id = project.id;
    let find = move |allowed: ProjectGrants| match allowed.clients.into_iter().find(|it| it.id.to_string() == client) {
        Some(found) => remove_dialog(&project, found),
        None => error_dialog(&project, 404, "This application is not registered in this project."),
    };
    load(move || project_grants(id), find)
}

fn remove_dialog(project: &ProjectView, client: ClientView) -> AnyView {
    let words = DialogSpec {
        path: format!("clients/{}/remove", client.id),
        title: format!("Remove {}?", client.title),
        lead:
            "All its grants are revoked immediately, and its tokens are rejected. It can no longer ask users for access."
                .into(),
        button: ("Remove application", "Removing…"),
        danger: true,
        opener: "programs",
        focus_cancel: true,
    };
    form_dialog(project, words, move || {
        view! { <input type="hidden" name="client" value=client.id.to_string() /> }.into_any()
    })
}

#[component]
pub fn RevokeGrantPage() -> impl IntoView {
    let (project, grant) = (current_project(), path_segment(4));
    if project.role.is_none() {
        return error_dialog(&project, 403, "You are not a member of this project.");
    }
    let id = project.id;
    let find = move |allowed: ProjectGrants| match allowed.grants.into_iter().find(|it| it.id.to_string() == grant) {
        Some(found) => revoke_dialog(&project, found),
        None => error_dialog(&project, 404, "This grant is no longer active, or it belongs to another user."),
    };
    load(move || project_grants(id), find)
}

fn revoke_dialog(project: &ProjectView, grant: GrantView) -> AnyView {
    let words = DialogSpec {
        path: format!("grants/{}/revoke", grant.id),
        title: format!("Revoke {}?", grant_name(&grant)),
        lead: "Its tokens are rejected from the next request. The application can ask for access again.".into(),
        button: ("Revoke grant", "Revoking…"),
        danger: true,
        opener: "grants",
        focus_cancel: true,
    };
    form_dialog(project, words, move || {
        view! { <input type="hidden" name="grant" value=grant.id.to_string() /> }.into_any()
    })
}
