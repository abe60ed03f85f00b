//! The key table with its filter, the empty state, and the pagination.

use super::{
    api::list_keys,
    chosen::bulk,
    filters::Filters,
    place::{Desk, Place},
    row::KeyRow,
};
use crate::{
    domain::{
        count::counted,
        key::{KeyPage, Status},
    },
    error::{AppError, ErrorKind},
    features::resource::resource,
    features::{admin::api::admin_list_keys, session::Session},
    response_status::status,
    ui::{
        empty::Empty,
        icon::Icon,
        notice::{Notice, Tone},
        table::Head,
    },
};
use leptos::prelude::*;
use leptos_router::location::Url;

#[component]
pub fn KeyList() -> impl IntoView {
    let place = Place::here();
    let session = Session::here();
    let asked = place.clone();
    let page = resource(
        || (),
        move |()| {
            let Place { desk, filter, after } = asked.clone();
            let status = filter.status.map(|it| it.as_str().to_owned()).unwrap_or_default();
            let project = filter.project.map(|it| it.to_string()).unwrap_or_default();
            let environment = filter.environment.map(|it| it.as_str().to_owned()).unwrap_or_default();
            let owner = filter.owner.map(|it| it.to_string()).unwrap_or_default();
            let view = filter.view.map(|it| it.as_str().to_owned()).unwrap_or_default();
            let sort = filter.sort.as_str().to_owned();
            async move {
                session.signed_in().await?;
                match desk {
                    Desk::Own => list_keys(status, project, environment, sort, after).await,
                    Desk::Admin => admin_list_keys(status, project, environment, owner, view, sort, after).await,
                }
            }
        },
    );
    let draw = move |answer: Result<KeyPage, AppError>| match answer {
        Ok(page) => drawn(&place, page),
        Err(error) => failed(error),
    };
    view! { <Suspense>{move || page.get().map(draw.clone())}</Suspense> }.into_any()
}

fn drawn(place: &Place, page: KeyPage) -> AnyView {
    // A user without any key gets no filter.
    let filters = (page.any || page.deleted > 0 || place.filter.narrows())
        .then(|| view! { <Filters projects=page.projects.clone() owners=page.owners.clone() /> });
    let list = if page.keys.is_empty() { nothing(place, &page) } else { table(place, page) };
    view! {
        {filters}
        {list}
    }
    .into_any()
}

fn failed(error: AppError) -> AnyView {
    if error.kind == ErrorKind::SignedOut {
        return ().into_any();
    }
    status(error.kind.status());
    view! {
        <Notice tone=Tone::Danger>{error.message} " " <a href="/keys" rel="external">"Load the list again"</a></Notice>
    }
    .into_any()
}

fn nothing(place: &Place, page: &KeyPage) -> AnyView {
    let link = |to: String, label: &'static str| view! { <a class="button" href=to>{label}</a> }.into_any();
    if page.total > 0 {
        let first = link(place.first(), "First page");
        return view! { <Empty title="Nothing on this page" text="The list has become shorter." actions=first /> }
            .into_any();
    }
    let clear = || link(place.desk.path().to_owned(), "Clear filters");
    if place.filter.status == Some(Status::Deleted)
        && place.filter.project.is_none()
        && place.filter.environment.is_none()
        && place.filter.owner.is_none()
        && place.filter.view.is_none()
    {
        let text = "A deleted key is listed here for 7 days and can be restored.";
        return view! { <Empty title="No deleted keys" text actions=clear() /> }.into_any();
    }
    if place.filter.narrows() {
        let text = "No key fits these filters.";
        return view! { <Empty title="Nothing matches" text actions=clear() /> }.into_any();
    }
    if place.desk == Desk::Admin {
        return view! { <Empty title="No API keys yet" text="Nobody has made one." /> }.into_any();
    }
    let new = place.at("/keys/new");
    let sign = view! {
        <a class="empty__sign" href=new.clone() aria-label="Create an API key">
            {Icon::Plus.view()}
        </a>
    };
    let actions = view! {
        <a class="button button--primary" href=new>
            "Create API key"
        </a>
    };
    let text = "Your server, script or app sends a key with each request, so the API knows who is calling and what it may do. \
                Only a name is required.";
    view! { <Empty title="No API keys yet" text sign=sign.into_any() actions=actions.into_any() /> }.into_any()
}

fn table(place: &Place, page: KeyPage) -> AnyView {
    let KeyPage { keys: rows, next, total, expiring, now, .. } = page;
    let deleted = place.filter.status == Some(Status::Deleted);
    // Deleted keys have no bulk action: they are restored one by one.
    let chooses = place.desk == Desk::Admin && !deleted;
    let foot = foot(place, rows.len(), total, next, chooses.then(|| bulk(place)));
    let check = chooses.then(|| {
        view! {
            <th class="cell-check" scope="col">
                <span class="visually-hidden">"Choose"</span>
            </th>
        }
    });
    let last = if deleted { "cell-restore" } else { "cell-menu" };
    let owner = (place.desk == Desk::Admin).then(|| view! { <Head class="cell-owner col-extra" label="Owner" /> });
    let rows = rows.into_iter().map(|key| view! { <KeyRow key now chooses /> }).collect_view();
    view! {
        <div class="panel list wide">
            <table class="table">
                <caption>{caption(deleted, place.filter.narrows(), total, expiring)}</caption>
                <thead>
                    <tr>
                        {check}
                        <Head label="Name" />
                        <Head class="cell-project col-extra" label="Project" />
                        {owner}
                        <Head class="cell-scope" label="Access scope" />
                        <Head class="cell-status" label="Status" />
                        <Head class="cell-created col-extra" label="Created" />
                        <Head class="cell-used" label="Last used" />
                        <Head class="cell-expires" label="Expires" />
                        <th class=last scope="col">
                            <span class="visually-hidden">"Actions"</span>
                        </th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
            {foot}
        </div>
    }
    .into_any()
}

fn caption(deleted: bool, narrowed: bool, total: u64, expiring: u64) -> AnyView {
    let noun = if total == 1 { "key" } else { "keys" };
    if deleted {
        return format!("{} deleted {noun}", counted(total)).into_any();
    }
    let verb = if expiring == 1 { "expires" } else { "expire" };
    let due = (expiring > 0)
        .then(|| view! { ", " <span class="due">{format!("{} {verb} this week", counted(expiring))}</span> });
    let matching = if narrowed { if total == 1 { " matches" } else { " match" } } else { "" };
    view! {
        {format!("{} {noun}{matching}", counted(total))}
        {due}
    }
    .into_any()
}

/// The table footer with the position in the list. Cursor pagination gives a later page its own length but not its
/// offset.
fn foot(place: &Place, here: usize, total: u64, next: Option<String>, bulk: Option<AnyView>) -> AnyView {
    let first = place.after.is_empty();
    let total = counted(total);
    let range = if first { format!("1–{here} of {total}") } else { format!("{here} of {total}") };
    let base = place.first();
    let next = next.map(|next| {
        let sign = if base.contains('?') { '&' } else { '?' };
        format!("{base}{sign}after={}", Url::escape(&next))
    });
    view! {
        <div class="table-foot">
            <nav class="pager" aria-label="Pages">
                <span>{range}</span>
                <span class="actions">
                    {(!first).then(|| view! { <a class="button" href=base>"First page"</a> })}
                    {next.map(|to| view! { <a class="button" href=to rel="next">"Next"</a> })}
                </span>
            </nav>
            {bulk}
        </div>
    }
    .into_any()
}
