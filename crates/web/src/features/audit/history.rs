//! Audit history section on the page of a key or a project.

use super::{
    api::{any_key_history, key_history, project_history},
    event::{details, reason, sentence},
};
use crate::{
    domain::{
        audit::{AuditEvent, History},
        ids::{KeyId, ProjectId},
        time::Timestamp,
    },
    error::{AppError, ErrorKind},
    features::resource::resource,
    features::session::Session,
    ui::{
        notice::{Notice, Tone},
        time::Ago,
    },
};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

/// The query parameter with the cursor of the history's next page.
const CURSOR_PARAM: &str = "history";

/// The object that the history belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum HistoryTarget {
    Key(KeyId),
    /// A key on the page for administrators.
    AnyKey(KeyId),
    Project(ProjectId),
}

impl HistoryTarget {
    async fn load(self, before: String) -> Result<History, AppError> {
        match self {
            Self::Key(id) => key_history(id, before).await,
            Self::AnyKey(id) => any_key_history(id, before).await,
            Self::Project(id) => project_history(id, before).await,
        }
    }

    fn page(self) -> String {
        match self {
            Self::Key(id) => format!("/keys/{id}"),
            Self::AnyKey(id) => format!("/admin/keys/{id}"),
            Self::Project(id) => format!("/projects/{id}"),
        }
    }
}

/// The history section of a key's or a project's page, newest event first. Takes exactly one of the ids. Renders nothing
/// for users who have no access to the history.
#[component]
pub fn HistorySection(
    #[prop(optional)] key: Option<KeyId>,
    /// A key on the page for administrators.
    #[prop(optional)]
    any_key: Option<KeyId>,
    #[prop(optional)] project: Option<ProjectId>,
) -> impl IntoView {
    let of = key.map(HistoryTarget::Key).or(any_key.map(HistoryTarget::AnyKey));
    let Some(of) = of.or(project.map(HistoryTarget::Project)) else { return ().into_any() };
    let before = use_query_map().with_untracked(|query| query.get(CURSOR_PARAM)).unwrap_or_default();
    let session = Session::current();
    let cursor = before.clone();
    let answer = resource(
        || (),
        move |()| {
            let before = cursor.clone();
            async move {
                session.signed_in().await?;
                of.load(before).await
            }
        },
    );
    let draw = move |answer: Result<History, AppError>| match answer {
        Ok(history) => section(of, !before.is_empty(), history),
        Err(error) if matches!(error.kind, ErrorKind::NotFound | ErrorKind::SignedOut) => ().into_any(),
        Err(error) => view! { <Notice tone=Tone::Danger>{error.message}</Notice> }.into_any(),
    };
    view! { <Suspense>{move || answer.get().map(draw.clone())}</Suspense> }.into_any()
}

fn section(of: HistoryTarget, later: bool, history: History) -> AnyView {
    let History { events, next, now } = history;
    let page = of.page();
    // The fragment makes the browser scroll to the section instead of the top of the page.
    let newest = later.then(|| view! { <a class="button" href=format!("{page}#history")>"Newest"</a> });
    let older = next.map(|seq| {
        view! { <a class="button" href=format!("{page}?{CURSOR_PARAM}={seq}#history") rel="next">"Show older"</a> }
    });
    let foot = (newest.is_some() || older.is_some()).then(|| {
        view! {
            <footer class="panel__foot">
                <nav class="actions" aria-label="History">
                    {newest}
                    {older}
                </nav>
            </footer>
        }
    });
    let list = if events.is_empty() {
        view! { <p class="hint">"No older events."</p> }.into_any()
    } else {
        let items = events.into_iter().map(|event| item(event, now)).collect_view();
        view! { <ol class="history">{items}</ol> }.into_any()
    };
    view! {
        <section class="panel" id="history" aria-labelledby="history-title">
            <header class="panel__head">
                <h2 id="history-title">"History"</h2>
            </header>
            <div class="panel__body">{list}</div>
            {foot}
        </section>
    }
    .into_any()
}

fn item(event: AuditEvent, now: Timestamp) -> impl IntoView {
    view! {
        <li class="event">
            <span class="event__what">{sentence(&event, "You")}</span>
            <Ago at=event.at.clone() now />
            <div class="event__rest">{reason(&event)} {details(&event)}</div>
        </li>
    }
}
