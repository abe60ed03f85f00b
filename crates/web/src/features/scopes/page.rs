//! `/admin/scopes`: the scope catalog, with the number of keys that have each scope.

use super::{api::list_scopes, routes::SCOPES};
use crate::{
    domain::{
        count::format_count,
        scope::{CatalogScope, GrantedBy},
    },
    features::session::{PageShell, PageTitle, admin_page, load},
    ui::{
        empty::Empty,
        icon::Icon,
        menu::RowMenu,
        page_header::ListHead,
        table::{Cell, Head},
        toast::Toasts,
    },
};
use leptos::prelude::*;
use leptos_router::{
    components::Outlet,
    hooks::{use_location, use_query_map},
};

pub const LIST: &str = "/admin/scopes";

#[component]
pub fn ScopesPage() -> impl IntoView {
    admin_page(|| {
        let inert = use_location().pathname.get_untracked().trim_end_matches('/') != LIST;
        let done = use_query_map().with_untracked(|query| query.get("done"));
        let message = match done.as_deref() {
            Some("added") => Some("Scope added.".to_owned()),
            Some("saved") => Some("Scope saved.".to_owned()),
            Some("retired") => Some("Scope retired.".to_owned()),
            Some("unretired") => Some("Scope offered again.".to_owned()),
            Some("removed") => Some("Scope deleted.".to_owned()),
            _ => None,
        };
        view! {
            <PageTitle text="Scopes" under=true />
            <PageShell nav=SCOPES inert>
                <ListHead title="Scopes" lead="A scope is a permission that your API understands. A key can have the scopes that its project offers." create=("/admin/scopes/new", "Add scope") />
                <div id="list">{load(list_scopes, table)}</div>
            </PageShell>
            <Outlet />
            <Toasts message />
        }
        .into_any()
    })
}

/// Returns the path of a dialog about this scope. Escapes the slashes of its name.
pub fn dialog_path(scope: &CatalogScope, verb: &str) -> String {
    format!("{LIST}/{}/{verb}", scope.name.as_str().replace('/', "%2F"))
}

/// The id of the action menu of a scope's row.
pub fn menu_id(name: &str) -> String {
    format!("scope-{}", name.replace(|c: char| !c.is_ascii_alphanumeric(), "-"))
}

fn table(scopes: Vec<CatalogScope>) -> AnyView {
    if scopes.is_empty() {
        return view! { <Empty title="No scopes yet" text="Without scopes, a key identifies the caller but grants no access." /> }
            .into_any();
    }
    let count = if scopes.len() == 1 { "1 scope".to_owned() } else { format!("{} scopes", scopes.len()) };
    let rows = scopes.into_iter().map(row).collect_view();
    view! {
        <div class="panel wide">
            <table class="table">
                <caption>{count}</caption>
                <thead>
                    <tr>
                        <Head label="Name" />
                        <Head label="Description" />
                        <Head label="Granted by" />
                        <Head label="In default set" />
                        <Head class="end" label="Keys" />
                        <Head class="end" label="Projects" />
                        <th class="cell-menu" scope="col">
                            <span class="visually-hidden">"Actions"</span>
                        </th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
    .into_any()
}

/// Returns the roles that may grant the scope, as text.
pub fn granted_by(by: GrantedBy) -> &'static str {
    match by {
        GrantedBy::Operator => "Owners and operators",
        GrantedBy::Owner => "Owners only",
    }
}

fn row(scope: CatalogScope) -> impl IntoView {
    let name = scope.name.to_string();
    let (edit, remove) = (dialog_path(&scope, "edit"), dialog_path(&scope, "remove"));
    let retired = scope.retired.then(|| view! { " " <span class="tag">"retired"</span> });
    let (path, verb, retire_name, icon) = if scope.retired {
        ("unretire", "Offer again", format!("Offer again: scope {name}"), Icon::Play)
    } else {
        ("retire", "Retire", format!("Retire scope {name}"), Icon::Pause)
    };
    let retire = dialog_path(&scope, path);
    // Built-in management scopes can be retired, but not edited or removed.
    let own = !scope.name.is_management();
    let edit = own.then(|| {
        view! {
            <a href=edit aria-label=format!("Edit scope {name}")>
                {Icon::Pencil.view()}
                "Edit"
            </a>
        }
    });
    let remove = own.then(|| {
        view! {
            <hr />
            <a class="menu__danger" href=remove aria-label=format!("Delete scope {name}")>
                {Icon::Trash.view()}
                "Delete"
            </a>
        }
    });
    view! {
        <tr>
            <th scope="row">
                <code>{name.clone()}</code>
                {retired}
            </th>
            <Cell class="" label="Description">
                {scope.description}
            </Cell>
            <Cell class="" label="Granted by">
                {granted_by(scope.granted_by)}
            </Cell>
            <Cell class="" label="In default set">
                {if scope.in_default { "Yes" } else { "No" }}
            </Cell>
            <Cell class="end" label="Keys">
                {format_count(scope.keys)}
            </Cell>
            <Cell class="end" label="Projects">
                {format_count(scope.projects)}
            </Cell>
            <td class="cell-menu">
                <RowMenu id=menu_id(&name) name=format!("Actions for scope {name}")>
                    {edit}
                    <a href=retire aria-label=retire_name>
                        {icon.view()}
                        {verb}
                    </a>
                    {remove}
                </RowMenu>
            </td>
        </tr>
    }
}
