//! The table of keys, what is said when there are none, and the way to the next page.

use super::{row::KeyRow, state::Keys};
use crate::{
    domain::{
        key::{KeyPage, KeyView},
        time::{Timestamp, relative},
    },
    error::{AppError, ErrorKind},
    ui::{
        answer::status,
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
    let keys = Keys::here();
    let draw = move |answer: Result<KeyPage, AppError>| match answer {
        Ok(page) if page.keys.is_empty() => nothing(keys, page.total),
        Ok(page) => table(keys, page),
        Err(error) => failed(error),
    };
    view! { <Transition>{move || keys.list.get().map(draw)}</Transition> }.into_any()
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

fn nothing(keys: Keys, total: u64) -> AnyView {
    if total > 0 {
        let first = view! { <a class="button" href=first_page(keys)>"First page"</a> }.into_any();
        return view! { <Empty title="Nothing on this page" text="The list has become shorter." actions=first /> }
            .into_any();
    }
    if keys.deleted.get_untracked() {
        let text = "A deleted key is listed here for 7 days and can be restored.";
        return view! { <Empty title="No deleted keys" text /> }.into_any();
    }
    let new = untrack(move || keys.at("/keys/new"));
    let sign = view! {
        <a class="empty__sign" href=new.clone() data-noscroll=true aria-label="Create an API key">
            {Icon::Plus.view()}
        </a>
    };
    let actions = view! {
        <a class="button button--primary" href=new data-noscroll=true>
            "Create API key"
        </a>
    };
    let text = "Your server, script or app sends a key with each request, so the API knows who is calling and what it may do. \
                Only a name is required.";
    view! { <Empty title="No API keys yet" text sign=sign.into_any() actions=actions.into_any() /> }.into_any()
}

fn table(keys: Keys, page: KeyPage) -> AnyView {
    let KeyPage { keys: rows, next, total, expiring, now } = page;
    let deleted = keys.deleted.get_untracked();
    let foot = foot(keys, rows.len(), total, next);
    let last = if deleted { "cell-restore" } else { "cell-menu" };
    view! {
        <div class="panel list wide">
            <table class="table">
                <caption>{caption(deleted, total, expiring)}</caption>
                <thead>
                    <tr>
                        <Head label="Name" />
                        <Head class="cell-project col-extra" label="Project" />
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
                <tbody>
                    <For
                        each=move || rows.clone()
                        key=move |key| shown(key, now)
                        children=move |key| view! { <KeyRow key now /> }
                    />
                </tbody>
            </table>
            {foot}
        </div>
    }
    .into_any()
}

/// Everything in a row that can change: if it has, the row is drawn anew; if not, it is left alone.
fn shown(key: &KeyView, now: Timestamp) -> String {
    let far = |at: &Option<crate::domain::time::Moment>| at.as_ref().map(|at| relative(at.at, now)).unwrap_or_default();
    format!(
        "{} {} {} {} {} {} {} {:?} {:?}",
        key.id,
        key.status.as_str(),
        key.may_change,
        key.name,
        far(&key.last_used),
        far(&key.expires),
        far(&key.gone),
        key.scopes,
        key.issued_to,
    )
}

fn caption(deleted: bool, total: u64, expiring: u64) -> AnyView {
    let noun = if total == 1 { "key" } else { "keys" };
    if deleted {
        return format!("{total} deleted {noun}").into_any();
    }
    let verb = if expiring == 1 { "expires" } else { "expire" };
    let due = (expiring > 0).then(|| view! { ", " <span class="due">{format!("{expiring} {verb} this week")}</span> });
    view! {
        {format!("{total} {noun}")}
        {due}
    }
    .into_any()
}

fn first_page(keys: Keys) -> &'static str {
    if keys.deleted.get_untracked() { "/keys?status=deleted" } else { "/keys" }
}

/// Where in the list this page is. Pages are found by the last key of the one before, so a later page knows its length only.
fn foot(keys: Keys, here: usize, total: u64, next: Option<String>) -> AnyView {
    let first = keys.after.with_untracked(String::is_empty);
    let place = if first { format!("1–{here} of {total}") } else { format!("{here} of {total}") };
    let base = first_page(keys);
    let next = next.map(|next| {
        let sign = if base.contains('?') { '&' } else { '?' };
        format!("{base}{sign}after={}", Url::escape(&next))
    });
    view! {
        <div class="table-foot">
            <nav class="pager" aria-label="Pages">
                <span>{place}</span>
                <span class="actions">
                    {(!first).then(|| view! { <a class="button" href=base>"First page"</a> })}
                    {next.map(|next| view! { <a class="button" href=next rel="next">"Next"</a> })}
                </span>
            </nav>
        </div>
    }
    .into_any()
}
