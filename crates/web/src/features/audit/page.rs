//! `/admin/audit`: the audit log, newest event first.

use super::{
    api::list_events,
    event::{details, reason, sentence},
    filters::Filters,
    routes::AUDIT_LOG,
};
use crate::{
    domain::{
        audit::{AuditEvent, AuditFilter, AuditPage as Page, ChainState},
        count::{format_grouped, format_number_of},
        time::{Timestamp, relative},
    },
    features::session::{PageShell, PageTitle, admin_page, load},
    ui::{
        empty::Empty,
        form::Form,
        icon::Icon,
        notice::{Notice, Refused, Tone},
        table::{Cell, Head},
        time::Ago,
    },
};
use leptos::prelude::*;
use leptos_router::{hooks::use_query_map, location::Url};

const PAGE: &str = "/admin/audit";

/// Returns the path with these query parameters.
fn url_with_query(path: &str, pairs: &[(&'static str, String)]) -> String {
    let query: Vec<_> = pairs.iter().map(|(name, value)| format!("{name}={}", Url::escape(value))).collect();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{}", query.join("&")) }
}

#[component]
pub fn AuditPage() -> impl IntoView {
    let filter = use_query_map().with_untracked(|query| AuditFilter::from_query(|name| query.get(name)));
    admin_page(move || {
        let (requested, shown, filter) = (filter.clone(), filter.clone(), filter.clone());
        let ask = move || {
            let AuditFilter { who, kind, thing, from, to, before } = requested.clone();
            let kind = kind.map(|it| it.as_str().to_owned()).unwrap_or_default();
            list_events(who, kind, thing, from, to, before.map(|it| it.to_string()).unwrap_or_default())
        };
        let draw = move |page: Page| list(&shown, page);
        // An export is a part of the chain without gaps, so it uses only the filter's date range.
        let days: Vec<_> =
            filter.to_query_pairs().into_iter().filter(|(name, _)| matches!(*name, "from" | "to")).collect();
        let label = if days.is_empty() { "Export audit log" } else { "Export selected days" };
        let days =
            days.into_iter().map(|(name, day)| view! { <input type="hidden" name=name value=day /> }).collect_view();
        view! {
            <PageTitle text="Audit log" />
            <PageShell nav=AUDIT_LOG>
                <header class="page-head">
                    <h1>"Audit log"</h1>
                    <p>"All changes, with actor, time, and IP address. Events are hash-chained and signed within a minute."</p>
                    <div class="actions">
                        <Form to="/admin/audit/export" class="stack" plain=true>
                            <Refused />
                            {days}
                            <button class="button" id="export">
                                {Icon::Download.view()}
                                {label}
                            </button>
                        </Form>
                    </div>
                </header>
                <Filters filter />
                <div id="list">{load(ask, draw)}</div>
            </PageShell>
        }
        .into_any()
    })
}

fn list(filter: &AuditFilter, page: Page) -> AnyView {
    let Page { events, next, chain, now } = page;
    let late = chain.late.then(|| {
        view! {
            <Notice tone=Tone::Warning>
                "Some events are not signed after 3 minutes. Check the server log, or run: keyward audit verify"
            </Notice>
        }
    });
    let link = |to: String, label: &'static str| view! { <a class="button" href=to>{label}</a> }.into_any();
    let first = url_with_query(PAGE, &AuditFilter { before: None, ..filter.clone() }.to_query_pairs());
    if events.is_empty() {
        let empty = if filter.before.is_some() {
            let actions = link(first, "Newest");
            view! { <Empty title="No older events" text="The previous page contains the first event." actions /> }
                .into_any()
        } else {
            let actions = link(PAGE.to_owned(), "Clear filters");
            view! { <Empty title="No matching events" text="No events match these filters." actions /> }.into_any()
        };
        return view! {
            {late}
            {empty}
        }
        .into_any();
    }
    let newer = filter.before.is_some().then(|| link(first, "Newest"));
    let older = next.map(|seq| {
        let to = url_with_query(PAGE, &AuditFilter { before: Some(seq), ..filter.clone() }.to_query_pairs());
        view! { <a class="button" href=to rel="next">"Older"</a> }
    });
    let count = events.len();
    let count = if count == 1 { "1 event on this page".to_owned() } else { format!("{count} events on this page") };
    let rows = events.into_iter().map(|event| row(event, now)).collect_view();
    view! {
        {late}
        <div class="panel wide">
            <table class="table table--log">
                <caption>{state(chain, now)}</caption>
                <thead>
                    <tr>
                        <Head class="cell-when" label="Time" />
                        <Head label="Event" />
                        <Head class="cell-from" label="IP address" />
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
            <div class="table-foot">
                <nav class="pager" aria-label="Pages">
                    <span>{count}</span>
                    <span class="actions">{newer} {older}</span>
                </nav>
            </div>
        </div>
    }
    .into_any()
}

/// Returns one line about how far the log is signed.
fn state(chain: ChainState, now: Timestamp) -> AnyView {
    let counted = |n: i64| format_number_of(n.unsigned_abs(), "event", "events");
    let text = match chain.signed_at {
        Some(at) => {
            let waiting = chain.events - chain.signed;
            let rest = match waiting {
                0 => ".".to_owned(),
                ..0 => ". Signed events are missing from the end of the log. Run: keyward audit verify".to_owned(),
                1 => ". 1 newer event will be signed within a minute.".to_owned(),
                n => format!(". {} newer events will be signed within a minute.", format_grouped(n.unsigned_abs())),
            };
            view! {
                {format!(
                    "{}, hash-chained. Signed through event {}, ",
                    counted(chain.events),
                    chain.signed,
                )}
                <Ago at now />
                {rest}
            }
            .into_any()
        }
        None => format!("{}, hash-chained. The log will be signed within a minute.", counted(chain.events)).into_any(),
    };
    view! {
        <span class="chain">
            {Icon::Shield.view()}
            <span>{text}</span>
        </span>
    }
    .into_any()
}

fn row(event: AuditEvent, now: Timestamp) -> impl IntoView {
    let from = match event.exact.as_ref().and_then(|exact| exact.ip.clone()) {
        Some(ip) => view! { <code class="muted">{ip}</code> }.into_any(),
        None => view! {
            <span class="muted" aria-hidden="true">
                "–"
            </span>
            <span class="visually-hidden">"No IP address"</span>
        }
        .into_any(),
    };
    let (what, why, more) = (sentence(&event, ""), reason(&event), details(&event));
    let AuditEvent { seq, at, time, .. } = event;
    let day = format!("{} · {}", at.day, relative(at.at, now));
    view! {
        <tr id=format!("event-{seq}")>
            <Cell class="cell-when" label="Time">
                <time datetime=at.iso title=at.exact>
                    {time}
                </time>
                <span class="sub">{day}</span>
            </Cell>
            <th scope="row" class="event" data-label="Event">
                <span class="event__what">{what}</span>
                {why}
                {more}
            </th>
            <Cell class="cell-from" label="IP address">
                {from}
            </Cell>
        </tr>
    }
}
