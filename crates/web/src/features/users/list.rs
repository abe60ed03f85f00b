//! `/admin/users`: all users, with a search by name or email address.

use super::{api::list_users, routes::USERS};
use crate::{
    domain::{
        count::format_count,
        people::{UserPage, UserSummary},
    },
    features::session::{PageShell, PageTitle, admin_page, load},
    ui::{
        breakable::breakable,
        empty::Empty,
        icon::Icon,
        page_header::ListHead,
        table::{Cell, Head},
        time::{Ago, Day},
        toast::Toasts,
    },
};
use leptos::{html, prelude::*};
use leptos_router::{
    components::Outlet,
    hooks::{use_location, use_query_map},
    location::Url,
};

pub const LIST: &str = "/admin/users";
/// Content of `<noscript>`: the submit button for browsers without scripts. With scripts, a change of the field submits
/// the form, and the content of `<noscript>` is text to the parser, so it is set as a string.
const APPLY: &str = "<button class=\"button\">Search</button>";

#[component]
pub fn UsersPage() -> impl IntoView {
    admin_page(|| {
        let inert = use_location().pathname.get_untracked().trim_end_matches('/') != LIST;
        let one = |name: &str| use_query_map().with_untracked(|query| query.get(name).unwrap_or_default());
        let (search, after) = (one("search"), one("after"));
        let message = match one("done").as_str() {
            "deleted" => Some("User deleted.".to_owned()),
            "invited" => Some("Invitation sent.".to_owned()),
            _ => None,
        };
        let parameters = (search.clone(), after.clone());
        let ask = move || {
            let (search, after) = parameters.clone();
            async move { list_users(search, after).await }
        };
        let draw = {
            let search = search.clone();
            move |page: UserPage| table(&search, after.is_empty(), page)
        };
        view! {
            <PageTitle text="Users" under=true />
            <PageShell nav=USERS inert>
                <ListHead title="Users" lead="Everyone with an account, and their projects and keys." create=("/admin/users/invite", "Invite user") />
                <form class="filters" role="search" action=LIST aria-label="Users" autocomplete="off" data-auto>
                    <div class="search">
                        <input
                            class="input"
                            type="search"
                            name="search"
                            value=search
                            placeholder="Name or email"
                            aria-label="Name or email"
                            data-shortcut="/"
                        />
                        {Icon::User.view()}
                    </div>
                    {html::noscript().inner_html(APPLY)}
                </form>
                <div id="list">{load(ask, draw)}</div>
            </PageShell>
            <Outlet />
            <Toasts message />
        }
        .into_any()
    })
}

fn table(search: &str, first: bool, page: UserPage) -> AnyView {
    let UserPage { users, next, total, now } = page;
    let base = if search.is_empty() { LIST.to_owned() } else { format!("{LIST}?search={}", Url::escape(search)) };
    if users.is_empty() {
        let clear = view! { <a class="button" href=LIST>"Clear search"</a> }.into_any();
        let text = "No name or email address contains the search text.";
        return view! { <Empty title="No matching users" text actions=clear /> }.into_any();
    }
    let noun = if total == 1 { "user" } else { "users" };
    let fits = if search.is_empty() { String::new() } else { format!(" matching “{search}”") };
    let here = users.len();
    let of_all = format_count(total);
    let total = of_all.as_str();
    let range = if first { format!("1–{here} of {total}") } else { format!("{here} of {total}") };
    let next = next.map(|next| {
        let sign = if base.contains('?') { '&' } else { '?' };
        format!("{base}{sign}after={}", Url::escape(&next))
    });
    let rows = users
        .into_iter()
        .map(|user| {
            let signed_in = match user.signed_in.clone() {
                Some(at) => view! { <Ago at now /> }.into_any(),
                None => view! { <span class="muted">"Never"</span> }.into_any(),
            };
            let id = format!("user-{}", user.id);
            view! {
                <tr id=id data-status=if user.active { "active" } else { "inactive" }>
                    <th scope="row">
                        <span class="name-line">
                            <a class="key-name" href=format!("{LIST}/{}", user.id)>
                                {user.name.clone()}
                            </a>
                            {tags(&user)}
                        </span>
                        <span class="sub">{breakable(&user.email)}</span>
                    </th>
                    <Cell class="" label="Status">
                        {status_badge(user.active)}
                    </Cell>
                    <Cell class="end" label="Projects">
                        {format_count(user.projects)}
                    </Cell>
                    <Cell class="end" label="Keys created">
                        {format_count(user.keys)}
                    </Cell>
                    <Cell class="" label="Last sign-in">
                        {signed_in}
                    </Cell>
                    <Cell class="" label="Created">
                        <Day at=user.created />
                    </Cell>
                </tr>
            }
        })
        .collect_view();
    view! {
        <div class="panel wide">
            <table class="table">
                <caption>{format!("{total} {noun}{fits}")}</caption>
                <thead>
                    <tr>
                        <Head label="Name" />
                        <Head label="Status" />
                        <Head class="end" label="Projects" />
                        <Head class="end" label="Keys created" />
                        <Head label="Last sign-in" />
                        <Head label="Created" />
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
            <div class="table-foot">
                <nav class="pager" aria-label="Pages">
                    <span>{range}</span>
                    <span class="actions">
                        {(!first).then(|| view! { <a class="button" href=base>"First page"</a> })}
                        {next.map(|to| view! { <a class="button" href=to rel="next">"Next"</a> })}
                    </span>
                </nav>
            </div>
        </div>
    }
    .into_any()
}

/// The tags next to a user's name.
pub fn tags(user: &UserSummary) -> AnyView {
    let tag = |on: bool, word: &'static str| on.then(|| view! { " " <span class="tag">{word}</span> });
    view! { {tag(user.admin, "administrator")} {tag(user.is_you, "you")} }.into_any()
}

/// Badge that shows whether the user can sign in: icon and label.
pub fn status_badge(active: bool) -> AnyView {
    let (status, icon, word) =
        if active { ("active", Icon::Active, "Active") } else { ("inactive", Icon::Inactive, "Disabled") };
    view! {
        <span class="badge" data-status=status>
            {icon.view()}
            {word}
        </span>
    }
    .into_any()
}
