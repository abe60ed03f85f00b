//! `/keys/{id}`: all details of a key except its secret.

use super::{
    KeyView,
    api::{KEY_NOT_FOUND, get_key},
    list_context::{Audience, ListContext},
    routes::KEYS,
    rules::restriction_details,
};
use crate::{
    domain::{ids::KeyId, key::Status},
    error::{AppError, ErrorKind},
    features::{
        audit::HistorySection,
        session::{PageShell, PageTitle, SignedInOnly, load},
    },
    islands::CopyButton,
    ui::{
        badge::Badge,
        chips::Chips,
        icon::Icon,
        notice::{Notice, Tone},
        time::{Ago, Exactly},
    },
};
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

#[component]
pub fn KeyDetailPage() -> impl IntoView {
    let place = ListContext::provide(Audience::Member);
    let id = use_params_map().with_untracked(|params| params.get("id").unwrap_or_default());
    let ask = move || {
        let id = id.parse::<KeyId>();
        async move { get_key(id.map_err(|_| AppError::new(ErrorKind::NotFound, KEY_NOT_FOUND))?).await }
    };
    let draw = move |key: KeyView| {
        let title = key.name.clone();
        let about = key_details(&place, key);
        view! {
            <PageTitle text=title />
            <PageShell nav=KEYS>{about}</PageShell>
        }
        .into_any()
    };
    view! {
        <SignedInOnly />
        {load(ask, draw)}
    }
    .into_any()
}

fn key_details(place: &ListContext, key: KeyView) -> AnyView {
    let now = key.now;
    let deleted = key.status == Status::Deleted;
    let link = |verb: &str, label: &'static str, icon: Icon| {
        let name = format!("{label} key {}", key.name);
        let class = if verb == "delete" { "button button--warn" } else { "button" };
        view! {
            <a class=class href=place.dialog_url(&key, verb) aria-label=name>
                {icon.view()}
                {label}
            </a>
        }
    };
    let actions = (key.may_change && !deleted).then(|| {
        let stop = match key.status {
            Status::Inactive => key.may_start.then(|| link("activate", "Activate", Icon::Play)),
            _ => Some(link("deactivate", "Deactivate", Icon::Pause)),
        };
        view! { {link("edit", "Edit", Icon::Pencil)} {stop} {link("delete", "Delete", Icon::Trash)} }
    });
    let restore = (key.may_change && deleted && key.may_start).then(|| link("restore", "Restore", Icon::Play));
    let note = key.note.clone().zip(key.noted.clone()).map(|(note, at)| {
        view! {
            <Notice tone=Tone::Warning>
                {format!("{}, administrator: ", note.by)} {note.text} " " <span class="muted"><Ago at now /></span>
            </Notice>
        }
    });
    let moment = |at: Option<crate::domain::time::Moment>, none: &'static str| match at {
        Some(at) => view! { <Exactly at=at.clone() /> " " <span class="muted"><Ago at now /></span> }.into_any(),
        None => none.into_any(),
    };
    // The service names the requesting user "You", for the start of a line.
    let creator = if key.created_by == "You" { "you".to_owned() } else { key.created_by.clone() };
    view! {
        <header class="page-head">
            <p class="crumbs">
                <a href="/keys">"API keys"</a>
            </p>
            <h1 class="title">{key.name.clone()} <Badge status=key.status /></h1>
            <p>
                <code class="preview">{key.preview.clone()} "…"</code>
            </p>
            <div class="actions">{actions} {restore}</div>
        </header>
        <div class="stack">
            {note}
            <section class="panel" aria-labelledby="facts">
                <header class="panel__head">
                    <h2 id="facts">"About this key"</h2>
                </header>
                <div class="panel__body">
                    <dl class="facts">
                        <dt>"Project"</dt>
                        <dd>
                            <a href=format!("/projects/{}", key.project_id)>{key.project.clone()}</a>
                            {format!(", {}", key.environment.as_str())}
                        </dd>
                        <dt>"Project ID"</dt>
                        <dd>
                            <div class="actions">
                                <code id="project-id">{key.project_id.to_string()}</code>
                                <CopyButton from="#project-id".to_owned() label="Copy project ID".to_owned() main=false />
                            </div>
                        </dd>
                        <dt>"Access scope"</dt>
                        <dd>
                            <Chips of=key.scopes.clone() />
                        </dd>
                        <dt>"Issued to"</dt>
                        <dd>{key.issued_to.clone().unwrap_or_else(|| "Not set".to_owned())}</dd>
                        <dt>"Created"</dt>
                        <dd>
                            {moment(Some(key.created.clone()), "")} {format!(" by {creator}")}
                        </dd>
                        <dt>"Last used"</dt>
                        <dd>{moment(key.last_used.clone(), "Never used")}</dd>
                        <dt>"Requests today"</dt>
                        <dd>{key.calls_today.unwrap_or_default().to_string()}</dd>
                        <dt>"Expires"</dt>
                        <dd>{moment(key.expires.clone(), "Never")}</dd>
                        {restriction_details(&key, true)}
                    </dl>
                </div>
            </section>
            <HistorySection key=key.id />
        </div>
    }
    .into_any()
}
