//! One key in the list.

use super::state::{Keys, menu_id};
use crate::{
    domain::{
        key::{Environment, KeyView, Status},
        time::{DAY, Moment, Timestamp},
    },
    ui::{
        badge::Badge,
        browser,
        button::Submit,
        chips::Chips,
        form::Form,
        icon::Icon,
        menu::RowMenu,
        table::Cell,
        time::{Ago, Day},
    },
};
use leptos::prelude::*;

/// An expiry nearer than this is a warning.
const SOON: i64 = 7 * DAY;

#[component]
pub fn KeyRow(key: KeyView, now: Timestamp) -> impl IntoView {
    let KeyView { name, preview, project, scopes, status, created, created_by, issued_to, .. } = key.clone();
    let test = (key.environment == Environment::Test).then(|| view! { " " <span class="tag">"test"</span> });
    let used = match key.last_used.clone() {
        Some(at) => view! { <Ago at now /> }.into_any(),
        None => view! { <span class="muted">"Never used"</span> }.into_any(),
    };
    let issued_to = issued_to.map(|to| view! { " " <span class="sub">{format!("for {to}")}</span> });
    let gone = key.gone.clone().map(|at| view! { " " <span class="sub">"Gone " <Ago at now /></span> });
    let expires = expires(key.expires.clone(), status, now);
    let actions = actions(key);
    view! {
        <tr data-status=status.as_str()>
            <th class="cell-name" scope="row">
                <span class="name-line">
                    <span class="key-name">{name}</span>
                    {test}
                </span>
                " "
                <code class="preview">{preview} "…"</code>
                {issued_to}
            </th>
            <Cell class="cell-project col-extra" label="Project">
                {project}
            </Cell>
            <Cell class="cell-scope" label="Access scope">
                <Chips of=scopes most=2 />
            </Cell>
            <Cell class="cell-status" label="Status">
                <Badge status />
                {gone}
            </Cell>
            <Cell class="cell-created col-extra" label="Created">
                <Day at=created />
                " "
                <span class="sub">{created_by}</span>
            </Cell>
            <Cell class="cell-used" label="Last used">
                {used}
            </Cell>
            <Cell class="cell-expires" label="Expires">
                {expires}
            </Cell>
            {actions}
        </tr>
    }
    .into_any()
}

fn expires(at: Option<Moment>, status: Status, now: Timestamp) -> AnyView {
    let Some(at) = at else { return view! { <span class="muted">"Never"</span> }.into_any() };
    let left = at.at.seconds_since(now);
    if status != Status::Deleted && (0..SOON).contains(&left) {
        return view! {
            <span class="due">
                {Icon::Warn.view()}
                <Ago at now />
            </span>
        }
        .into_any();
    }
    view! { <Ago at now /> }.into_any()
}

/// The last cell: what can be done with this key.
fn actions(key: KeyView) -> AnyView {
    let deleted = key.status == Status::Deleted;
    let class = if deleted { "cell-restore" } else { "cell-menu" };
    let inside = match (key.may_change, deleted) {
        (false, _) => None,
        (true, true) => Some(restore(&key)),
        (true, false) => Some(menu(&key)),
    };
    view! { <td class=class>{inside}</td> }.into_any()
}

fn restore(key: &KeyView) -> AnyView {
    let keys = Keys::here();
    let id = key.id.to_string();
    let (to, name) = (format!("/keys/{id}/restore"), format!("Restore key {}", key.name));
    view! {
        <Form action=keys.restore to>
            <input type="hidden" name="id" value=id />
            <Submit label="Restore" working="Restoring…" class="button" name />
        </Form>
    }
    .into_any()
}

fn menu(key: &KeyView) -> AnyView {
    let keys = Keys::here();
    let to = |verb: &str| untrack(|| keys.at(&format!("/keys/{}/{verb}", key.id)));
    let named = |verb: &str| format!("{verb} key {}", key.name);
    let id = menu_id(key);
    let stop_or_go = if key.status == Status::Inactive {
        activate(keys, key, id.clone())
    } else {
        view! {
            <a href=to("deactivate") data-noscroll=true aria-label=named("Deactivate")>
                {Icon::Pause.view()}
                "Deactivate"
            </a>
        }
        .into_any()
    };
    let (delete, delete_name, name) = (to("delete"), named("Delete"), named("Actions for"));
    view! {
        <RowMenu id name>
            {stop_or_go} <hr />
            <a class="menu__danger" href=delete data-noscroll=true aria-label=delete_name>
                {Icon::Trash.view()}
                "Delete"
            </a>
        </RowMenu>
    }
    .into_any()
}

/// Accepting a key again needs no question: the menu itself does it.
fn activate(keys: Keys, key: &KeyView, menu: String) -> AnyView {
    let id = key.id.to_string();
    let (to, name) = (format!("/keys/{id}/activate"), format!("Activate key {}", key.name));
    view! {
        <Form action=keys.activate to>
            <input type="hidden" name="id" value=id />
            <button aria-label=name on:click=move |_| browser::hide_popover(&menu)>
                {Icon::Play.view()}
                "Activate"
            </button>
        </Form>
    }
    .into_any()
}
