//! `/keys/{id}` and, for administrators, `/admin/keys/{id}`: all details of a key except its secret.

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
        admin::{api::admin_get_key, routes::ALL_KEYS},
        audit::HistorySection,
        session::{PageShell, PageTitle, SignedInOnly, admin_page, load},
    },
    islands::CopyButton,
    ui::{
        badge::Badge,
        breakable::breakable,
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
    view! {
        <SignedInOnly />
        {key_page(Audience::Member)}
    }
    .into_any()
}

/// The page of any key. An administrator need not be a member of its project.
#[component]
pub fn AdminKeyDetailPage() -> impl IntoView {
    admin_page(|| key_page(Audience::Admin))
}

fn key_page(audience: Audience) -> AnyView {
    let place = ListContext::provide(audience);
    let id = use_params_map().with_untracked(|params| params.get("id").unwrap_or_default());
    let ask = move || {
        let id = id.parse::<KeyId>();
        async move {
            let id = id.map_err(|_| AppError::new(ErrorKind::NotFound, KEY_NOT_FOUND))?;
            match audience {
                Audience::Member => get_key(id).await,
                Audience::Admin => admin_get_key(id).await,
            }
        }
    };
    let draw = move |key: KeyView| {
        let title = key.name.clone();
        let about = key_details(&place, key);
        let nav = if audience == Audience::Admin { ALL_KEYS } else { KEYS };
        view! {
            <PageTitle text=title />
            <PageShell nav=nav>{about}</PageShell>
        }
        .into_any()
    };
    load(ask, draw)
}

fn key_details(place: &ListContext, key: KeyView) -> AnyView {
    let now = key.now;
    let is_admin = place.audience == Audience::Admin;
    let (may_change, may_start) = (key.may_change || is_admin, key.may_start || is_admin);
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
    let actions = (may_change && !deleted).then(|| {
        let edit = (!is_admin).then(|| link("edit", "Edit", Icon::Pencil));
        let stop = match key.status {
            Status::Inactive => may_start.then(|| link("activate", "Activate", Icon::Play)),
            _ => Some(link("deactivate", "Deactivate", Icon::Pause)),
        };
        view! { {edit} {stop} {link("delete", "Delete", Icon::Trash)} }
    });
    let restore = (may_change && deleted && may_start).then(|| link("restore", "Restore", Icon::Play));
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
    let owner = is_admin.then(|| {
        let name = key.owner.clone().unwrap_or_else(|| "No owner".to_owned());
        let email = key.owner_email.clone().map(|email| view! { ", " {breakable(&email)} });
        view! {
            <dt>"Owner"</dt>
            <dd>{name} {email}</dd>
        }
    });
    // An administrator reads the keys of a project without being a member.
    let project = match is_admin {
        true => view! { <a href=format!("/projects/{}/keys", key.project_id)>{key.project.clone()}</a> }.into_any(),
        false => view! { <a href=format!("/projects/{}", key.project_id)>{key.project.clone()}</a> }.into_any(),
    };
    let history = match is_admin {
        true => view! { <HistorySection any_key=key.id /> }.into_any(),
        false => view! { <HistorySection key=key.id /> }.into_any(),
    };
    view! {
        <header class="page-head">
            <p class="crumbs">
                <a href=place.audience.path()>{if is_admin { "All keys" } else { "API keys" }}</a>
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
                            {project} {format!(", {}", key.environment.as_str())}
                        </dd>
                        {owner}
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
            {history}
        </div>
    }
    .into_any()
}
