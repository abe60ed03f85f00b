//! `/projects/{id}`: description, members, scopes, clients, and config of a project, with a dialog on top if the path
//! names one.

use super::{about, api::get_project, clients, config, dialog::project_path, members, routes::PROJECTS, scopes};
use crate::{
    domain::{
        ids::ProjectId,
        project::{Invited, ProjectView},
    },
    error::{AppError, ErrorKind},
    features::resource::resource,
    features::{
        audit::HistorySection,
        session::{NotFoundPage, PageShell, PageTitle, Session, SignedInOnly},
    },
    response_status::status,
    ui::{
        notice::{Notice, Tone},
        toast::Toasts,
    },
};
use leptos::prelude::*;
use leptos_router::{
    components::Outlet,
    hooks::{use_location, use_params_map, use_query_map},
};

#[component]
pub fn ProjectPage() -> impl IntoView {
    let id = use_params_map().with_untracked(|params| params.get("id").unwrap_or_default());
    let here = format!("/projects/{id}");
    let session = Session::current();
    let project_id = id.parse::<ProjectId>();
    let project = resource(
        || (),
        move |()| {
            let project_id = project_id.clone();
            async move {
                session.signed_in().await?;
                get_project(project_id.map_err(|_| AppError::new(ErrorKind::NotFound, "Project not found."))?).await
            }
        },
    );
    let draw = move |answer: Result<ProjectView, AppError>| match answer {
        Ok(project) => project_view(project),
        Err(error) => match error.kind {
            ErrorKind::SignedOut => ().into_any(),
            ErrorKind::NotFound => view! { <NotFoundPage /> }.into_any(),
            ErrorKind::StepUp => reauthentication_page(&here),
            _ => {
                status(error.kind.status());
                view! { <Notice tone=Tone::Danger>{error.message}</Notice> }.into_any()
            }
        },
    };
    view! {
        <SignedInOnly />
        <Suspense>{move || project.get().map(draw.clone())}</Suspense>
    }
    .into_any()
}

fn project_view(project: ProjectView) -> AnyView {
    provide_context(project.clone());
    // An administrator who is not a member uses the audit log instead. The history would respond with 404.
    let history = project.role.map(|_| view! { <HistorySection project=project.id /> });
    let path = use_location().pathname.get_untracked();
    let inert = path.trim_end_matches('/') != project_path(&project) || use_context::<Invited>().is_some();
    let done = use_query_map().with_untracked(|query| query.get("done").unwrap_or_default());
    view! {
        <PageTitle text=project.name.clone() under=true />
        <PageShell nav=PROJECTS inert>
            {about::head(&project)}
            <div class="stack page--narrow">
                {about::notices(&project)} {about::section(&project)} {members::section(&project)} {scopes::section(&project)}
                {clients::section(&project)}
                {config::section(project)} {history}
            </div>
        </PageShell>
        <Outlet />
        <Toasts message=flash_message(&done) />
    }
    .into_any()
}

/// Returns the flash message of a `done` parameter.
fn flash_message(done: &str) -> Option<String> {
    let text = match done {
        "saved" => "Config saved.",
        "created" => "Project created.",
        "renamed" => "Project renamed.",
        "archived" => "Project archived.",
        "unarchived" => "Project unarchived.",
        "life" => "Maximum token lifetime saved.",
        "scopes" => "Scopes saved.",
        "invited" => "Invitation sent.",
        "withdrawn" => "Invitation revoked.",
        "role" => "Role changed.",
        "removed" => "Member removed.",
        "joined" => "You joined this project.",
        "registered" => "Application registered.",
        "client-removed" => "Application removed. Its grants are revoked.",
        "revoked" => "Grant revoked. Its tokens are no longer valid.",
        "already" => "You are already a member of this project. The link is still valid.",
        _ => return None,
    };
    Some(text.to_owned())
}

/// Asks an administrator to reauthenticate before they view a project that they are not a member of.
fn reauthentication_page(here: &str) -> AnyView {
    status(403);
    let to = format!("/confirm?next={here}");
    view! {
        <PageTitle text="Confirm your identity" />
        <PageShell nav=PROJECTS>
            <header class="page-head">
                <p class="crumbs">
                    <a href="/projects">"Projects"</a>
                </p>
                <h1>"Confirm your identity"</h1>
                <p>
                    "You are not a member of this project. To view it as an administrator, confirm your identity. Your access is \
                     recorded in the audit log."
                </p>
                <div class="actions">
                    <a class="button button--primary" href=to>
                        "Confirm your identity"
                    </a>
                </div>
            </header>
        </PageShell>
        <Toasts />
    }
    .into_any()
}
