//! Header and description section of a project's page.

use super::{dialog::project_path, list::role_label};
use crate::{
    domain::{count::format_count_of, project::ProjectView},
    islands::CopyButton,
    ui::{
        icon::Icon,
        notice::{Notice, Tone},
        time::Exactly,
    },
};
use leptos::prelude::*;

/// The title and the actions.
pub fn head(project: &ProjectView) -> AnyView {
    let here = project_path(project);
    let rename = project.may_configure.then(|| {
        view! {
            <a class="button" id="rename" href=format!("{here}/edit")>
                {Icon::Pencil.view()}
                "Rename"
            </a>
        }
    });
    let (verb, label, icon) = match project.archived {
        true => ("unarchive", "Unarchive", Icon::Play),
        false => ("archive", "Archive", Icon::Pause),
    };
    let archive = project.may_archive.then(|| {
        view! {
            <a class="button" id="archive" href=format!("{here}/{verb}")>
                {icon.view()}
                {label}
            </a>
        }
    });
    view! {
        <header class="page-head">
            <p class="crumbs">
                <a href="/projects">"Projects"</a>
            </p>
            <h1 class="title">
                {project.name.clone()} {project.archived.then(|| view! { <span class="tag">"archived"</span> })}
            </h1>
            <div class="actions">
                {rename} {archive}
                <a class="button button--primary" id="keys" href=format!("{here}/keys?from=project")>
                    {Icon::Key.view()}
                    "API Keys"
                </a>
            </div>
        </header>
    }
    .into_any()
}

/// Notices above the sections: access as an administrator, and the archived state.
pub fn notices(project: &ProjectView) -> AnyView {
    let join = format!("{}/join", project_path(project));
    let administrator = project.role.is_none().then(|| {
        view! {
            <Notice tone=Tone::Warning>
                "You are viewing this project as an administrator. Your access is recorded in the audit log, and project members can see it. \
                 To create keys, join the project. "
                <a id="join" href=join>"Join project"</a>
            </Notice>
        }
    });
    let archived = project.archived.then(|| {
        view! {
            <Notice tone=Tone::Plain>
                "This project is archived. Requests with its keys are rejected. A project owner can unarchive it."
            </Notice>
        }
    });
    view! { {administrator} {archived} }.into_any()
}

/// The description section.
pub fn section(project: &ProjectView) -> AnyView {
    let count = format_count_of(project.keys, "key", "keys");
    let life = project.may_configure.then(|| {
        view! {
            <a class="button" id="life" href=format!("{}/life", project_path(project)) aria-label="Change maximum token lifetime">
                "Change"
            </a>
        }
    });
    view! {
        <section class="panel" aria-labelledby="about">
            <header class="panel__head">
                <h2 id="about">"About this project"</h2>
            </header>
            <div class="panel__body">
                <dl class="facts">
                    <dt>"Project ID"</dt>
                    <dd>
                        <div class="actions">
                            <code id="project-id">{project.id.to_string()}</code>
                            <CopyButton from="#project-id".to_owned() label="Copy project ID".to_owned() main=false />
                        </div>
                    </dd>
                    <dt>"Your role"</dt>
                    <dd>{project.role.map_or("None (administrator)", role_label)}</dd>
                    <dt>"Keys"</dt>
                    <dd>{count}</dd>
                    <dt>"Maximum token lifetime"</dt>
                    <dd>
                        <div class="actions">
                            <span>{project.token_life.clone()}</span>
                            {life}
                        </div>
                    </dd>
                    <dt>"Created"</dt>
                    <dd>
                        <Exactly at=project.created.clone() />
                    </dd>
                </dl>
            </div>
        </section>
    }
    .into_any()
}
