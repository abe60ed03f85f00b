//! The key table with its filter, the empty state, and the pagination.

use super::{
    KeyView,
    api::list_keys,
    bulk_actions::bulk_form,
    filters::Filters,
    list_context::{Audience, ListContext},
    row::KeyRow,
};
use crate::{
    domain::{
        count::format_count,
        filter::{BEFORE, ExpiryFilter, KeyFilter, Sort},
        key::{KeyPage, RESTORE_DAYS, Status},
    },
    error::{AppError, ErrorKind},
    features::resource::resource,
    features::{admin::api::admin_list_keys, session::Session},
    response_status::status,
    ui::{
        empty::Empty,
        icon::Icon,
        notice::{Notice, Tone},
        pager::{self, Pager},
        table::Head,
    },
};
use leptos::prelude::*;

#[component]
pub fn KeyList() -> impl IntoView {
    let place = ListContext::current();
    let session = Session::current();
    let context = place.clone();
    let page = resource(
        || (),
        move |()| {
            let ListContext { audience, filter, cursor } = context.clone();
            async move {
                session.signed_in().await?;
                match audience {
                    Audience::Member => list_keys(filter, cursor).await,
                    Audience::Admin => admin_list_keys(filter, cursor).await,
                }
            }
        },
    );
    let draw = move |answer: Result<KeyPage<KeyView>, AppError>| match answer {
        Ok(page) => list_view(&place, page),
        Err(error) => error_notice(error),
    };
    view! { <Suspense>{move || page.get().map(draw.clone())}</Suspense> }.into_any()
}

fn list_view(place: &ListContext, page: KeyPage<KeyView>) -> AnyView {
    // A user without any key gets no filter.
    let filters = (page.any || page.deleted > 0 || place.filter.has_conditions())
        .then(|| view! { <Filters projects=page.projects.clone() owners=page.owners.clone() /> });
    let list = if page.keys.is_empty() { empty_state(place, &page) } else { table(place, page) };
    view! {
        {filters}
        {list}
    }
    .into_any()
}

fn error_notice(error: AppError) -> AnyView {
    if error.kind == ErrorKind::SignedOut {
        return ().into_any();
    }
    status(error.kind.status());
    view! {
        <Notice tone=Tone::Danger>{error.message} " " <a href="/keys" rel="external">"Reload the list"</a></Notice>
    }
    .into_any()
}

fn empty_state(place: &ListContext, page: &KeyPage<KeyView>) -> AnyView {
    let link = |to: String, label: &'static str| view! { <a class="button" href=to>{label}</a> }.into_any();
    if page.total > 0 {
        let first = link(place.first_page_url(), "First page");
        return view! { <Empty title="No keys on this page" text="There are fewer keys than before." actions=first /> }
            .into_any();
    }
    let clear = || link(place.audience.path().to_owned(), "Clear filters");
    if place.filter.status == Some(Status::Deleted)
        && place.filter.project.is_none()
        && place.filter.environment.is_none()
        && place.filter.expires.is_none()
        && place.filter.owner.is_none()
        && place.filter.view.is_none()
    {
        let text =
            format!("Deleted keys are listed here for {RESTORE_DAYS} days. You can restore them during this time.");
        return view! { <Empty title="No deleted keys" text actions=clear() /> }.into_any();
    }
    if place.filter.has_conditions() {
        let text = "No key matches these filters.";
        return view! { <Empty title="No matching keys" text actions=clear() /> }.into_any();
    }
    if place.audience == Audience::Admin {
        return view! { <Empty title="No API keys yet" text="No user has created a key yet." /> }.into_any();
    }
    let new = place.with_query("/keys/new");
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
    let text = "Your server, script, or app sends a key with each request. The key identifies the caller and its access scope. \
                Only a name is required.";
    view! { <Empty title="No API keys yet" text sign=sign.into_any() actions=actions.into_any() /> }.into_any()
}

fn table(place: &ListContext, page: KeyPage<KeyView>) -> AnyView {
    let KeyPage { keys: rows, next, previous, position, total, expiring, now, .. } = page;
    let deleted = place.filter.status == Some(Status::Deleted);
    // Deleted keys have no bulk action: they are restored one by one.
    let chooses = place.audience == Audience::Admin && !deleted;
    let position = pager::position(position, rows.len(), &format_count(total));
    let next = next.map(|cursor| place.page_url(cursor));
    let previous = previous.map(|cursor| place.page_url(format!("{BEFORE}{cursor}")));
    let bulk = chooses.then(|| bulk_form(place));
    let check = chooses.then(|| {
        view! {
            <th class="cell-check" scope="col">
                <span class="visually-hidden">"Select"</span>
            </th>
        }
    });
    let last = if deleted { "cell-restore" } else { "cell-menu" };
    let owner =
        (place.audience == Audience::Admin).then(|| view! { <Head class="cell-owner col-extra" label="Owner" /> });
    let rows = rows.into_iter().map(|key| view! { <KeyRow key now chooses /> }).collect_view();
    view! {
        <div class="panel list wide" id="key-list">
            <table class="table">
                <caption>{caption(place, total, expiring)}</caption>
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
            <div class="table-foot">
                <Pager position previous next />
                {bulk}
            </div>
        </div>
    }
    .into_any()
}

fn caption(place: &ListContext, total: u64, expiring: u64) -> AnyView {
    let deleted = place.filter.status == Some(Status::Deleted);
    let noun = if total == 1 { "key" } else { "keys" };
    if deleted {
        return format!("{} deleted {noun}", format_count(total)).into_any();
    }
    let verb = if expiring == 1 { "expires" } else { "expire" };
    let due = format!("{} {verb} this week", format_count(expiring));
    let due = if place.filter.expires.is_some() || expiring == 0 {
        None
    } else {
        let (status, expires) = (Some(Status::Active), Some(ExpiryFilter::Soon));
        let filter = KeyFilter { status, expires, sort: Sort::Expires, ..place.filter.clone() };
        let to = ListContext { filter, cursor: String::new(), ..place.clone() }.list_url();
        Some(view! { ", " <a class="due" href=to>{due}</a> })
    };
    let matching = if place.filter.has_conditions() { if total == 1 { " matches" } else { " match" } } else { "" };
    view! {
        {format!("{} {noun}{matching}", format_count(total))}
        {due}
    }
    .into_any()
}
