//! `/projects/{id}`: description, members, scopes, clients, and config of a project, with a dialog on top if the path
//! names one.

use super::{about, api::get_project, clients, config, dialog::home, members, scopes};
use crate::{
    domain::{
        ids::ProjectId,
        project::{Invited, ProjectView},
    },
    error::{AppError, ErrorKind},
    features::resource::resource,
    features::{
        audit::HistoryOf,
        session::{Frame, MissingPage, PageTitle, Session, SignedInOnly},
    },
    response_status::status,
    ui::{
        layout::Nav,
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
    let session = Session::here();
    let asked = id.parse::<ProjectId>();
    let project = resource(
        || (),
        move |()| {
            let asked = asked.clone();
            async move {
                session.signed_in().await?;
                get_project(asked.map_err(|_| AppError::new(ErrorKind::NotFound, "There is no such project."))?).await
            }
        },
    );
    let draw = move |answer: Result<ProjectView, AppError>| match answer {
        Ok(project) => drawn(project),
        Err(error) => match error.kind {
            ErrorKind::SignedOut => ().into_any(),
            ErrorKind::NotFound => view! { <MissingPage /> }.into_any(),
            ErrorKind::StepUp => confirm(&here),
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

fn drawn(project: ProjectView) -> AnyView {
    provide_context(project.clone());
    // An administrator who is not a member uses the audit log instead. The history would respond with 404.
    let history = project.role.map(|_| view! { <HistoryOf project=project.id /> });
    let path = use_location().pathname.get_untracked();
    let inert = path.trim_end_matches('/') != home(&project) || use_context::<Invited>().is_some();
    let done = use_query_map().with_untracked(|query| query.get("done").unwrap_or_default());
    view! {
        <PageTitle text=project.name.clone() under=true />
        <Frame nav=Nav::Projects inert>
            {about::head(&project)}
            <div class="stack page--narrow">
                {about::notices(&project)} {about::section(&project)} {members::section(&project)} {scopes::section(&project)}
                {clients::section(&project)}
                {config::section(project)} {history}
            </div>
        </Frame>
        <Outlet />
        <Toasts said=said(&done) />
    }
    .into_any()
}

/// Returns the flash message of a `done` parameter.
fn said(done: &str) -> Option<String> {
    let said = match done {
        "saved" => "Config saved.",
        "created" => "Project created.",
        "renamed" => "Project renamed.",
        "archived" => "Project archived.",
        "unarchived" => "Project unarchived.",
        "life" => "Longest token life saved.",
        "scopes" => "Scopes saved.",
        "invited" => "Invitation sent.",
        "withdrawn" => "Invitation withdrawn.",
        "role" => "Role changed.",
        "removed" => "Member removed. Their access has ended.",
        "joined" => "You have joined this project.",
        "registered" => "Program registered.",
        "client-removed" => "Program removed. What was allowed to it has ended.",
        "revoked" => "Revoked. Its tokens are refused from now on.",
        "already" => "You were a member already. The link was not used up.",
        _ => return None,
    };
    Some(said.to_owned())
}

/// Asks an administrator to reauthenticate before they view a project that they are not a member of.
fn confirm(here: &str) -> AnyView {
    status(403);
    let to = format!("/confirm?next={here}");
    view! {
        <PageTitle text="Confirm that it is you" />
        <Frame nav=Nav::Projects>
            <header class="page-head">
                <p class="crumbs">
                    <a href="/projects">"Projects"</a>
                </p>
                <h1>"Confirm that it is you"</h1>
                <p>
                    "You are no member of this project. An administrator may look at it after a fresh proof of who they are, and \
                     the log says that you did."
                </p>
                <div class="actions">
                    <a class="button button--primary" href=to>
                        "Confirm and go on"
                    </a>
                </div>
            </header>
        </Frame>
        <Toasts />
    }
    .into_any()
}
