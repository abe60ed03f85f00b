//! A row of the key list.

use super::{
    KeyView,
    list_context::{Audience, ListContext, menu_id},
};
use crate::{
    domain::{
        key::{Environment, Key, Status},
        time::{DAY, Moment, Timestamp},
    },
    ui::{
        badge::Badge,
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

/// Seconds before the expiry from which a row shows a warning.
const EXPIRES_SOON: i64 = 7 * DAY;

#[component]
pub fn KeyRow(
    key: KeyView,
    now: Timestamp,
    /// Whether the row has a checkbox.
    chooses: bool,
) -> impl IntoView {
    let Key { name, preview, project, scopes, status, issued_to, .. } = (*key).clone();
    let (created, created_by) = (key.created.clone(), key.created_by.clone());
    let test = (key.environment == Environment::Test).then(|| view! { " " <span class="tag">"test"</span> });
    let used = match key.last_used.clone() {
        Some(at) => view! { <Ago at now /> }.into_any(),
        None => view! { <span class="muted">"Never used"</span> }.into_any(),
    };
    let issued_to = issued_to.map(|to| view! { " " <span class="sub">{format!("for {to}")}</span> });
    let gone = key.gone.clone().map(|at| view! { " " <span class="sub">"Permanently deleted " <Ago at now /></span> });
    let expires = expiry_cell(key.expires.clone(), status, now);
    let place = ListContext::current();
    let owner = (place.audience == Audience::Admin).then(|| {
        let owner = key.owner.clone().unwrap_or_else(|| "No owner".to_owned());
        view! { <Cell class="cell-owner col-extra" label="Owner">{owner}</Cell> }
    });
    let shown_project = match place.audience {
        Audience::Member => {
            view! { <a class="quiet-link" href=format!("/projects/{}", key.project_id)>{project}</a> }.into_any()
        }
        Audience::Admin => project.into_any(),
    };
    let page = format!("{}/{}", place.audience.path(), key.id);
    let shown_name = view! { <a class="key-name" href=page>{name}</a> };
    let note = key.note.as_ref().map(
        |note| view! { " " <span class="sub" title=note.text.clone()>{format!("{}: {}", note.by, note.text)}</span> },
    );
    let row_id = format!("key-{}", key.id);
    let check = chooses.then(|| {
        view! {
            <td class="cell-check">
                <input
                    type="checkbox"
                    name="id"
                    value=key.id.to_string()
                    form="chosen"
                    autocomplete="off"
                    aria-label=format!("Select key {}", key.name)
                />
            </td>
        }
    });
    let actions = actions(&place, key);
    view! {
        <tr id=row_id data-status=status.as_str()>
            {check}
            <th class="cell-name" scope="row">
                <span class="name-line">
                    {shown_name}
                    {test}
                </span>
                " "
                <code class="preview">{preview} "…"</code>
                {issued_to}
            </th>
            <Cell class="cell-project col-extra" label="Project">
                {shown_project}
            </Cell>
            {owner}
            <Cell class="cell-scope" label="Access scope">
                <Chips of=scopes most=2 />
            </Cell>
            <Cell class="cell-status" label="Status">
                <Badge status />
                {gone}
                {note}
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

fn expiry_cell(at: Option<Moment>, status: Status, now: Timestamp) -> AnyView {
    let Some(at) = at else { return view! { <span class="muted">"Never"</span> }.into_any() };
    let left = at.at.seconds_since(now);
    if status != Status::Deleted && (0..EXPIRES_SOON).contains(&left) {
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

/// The last cell: the action menu of the key.
fn actions(place: &ListContext, key: KeyView) -> AnyView {
    let deleted = key.status == Status::Deleted;
    let class = if deleted { "cell-restore" } else { "cell-menu" };
    let inside = match (key.may_change || place.audience == Audience::Admin, deleted) {
        (false, _) => None,
        (true, true) => key.may_start.then(|| restore(place, &key)),
        (true, false) => Some(menu(place, &key)),
    };
    view! { <td class=class>{inside}</td> }.into_any()
}

fn restore(place: &ListContext, key: &KeyView) -> AnyView {
    let name = format!("Restore key {}", key.name);
    if place.audience == Audience::Admin {
        // An administrator has to enter a reason, so a dialog asks for it.
        return view! { <a class="button" href=place.dialog_url(key, "restore") aria-label=name id=format!("{}-button", menu_id(key))>"Restore"</a> }.into_any();
    }
    let (to, id) = (place.dialog_url(key, "restore"), key.id.to_string());
    view! {
        <Form to>
            <input type="hidden" name="id" value=id />
            <Submit label="Restore" working="Restoring…" class="button" name />
        </Form>
    }
    .into_any()
}

fn menu(place: &ListContext, key: &KeyView) -> AnyView {
    let named = |verb: &str| format!("{verb} key {}", key.name);
    let own = place.audience == Audience::Member;
    let edit = own.then(|| {
        view! {
            <a href=place.dialog_url(key, "edit") aria-label=named("Edit")>
                {Icon::Pencil.view()}
                "Edit"
            </a>
        }
    });
    let stop_or_go = match (key.status == Status::Inactive, own) {
        (true, true) if !key.may_start => ().into_any(),
        (true, true) => activate(place, key),
        (true, false) => view! {
            <a href=place.dialog_url(key, "activate") aria-label=named("Activate")>
                {Icon::Play.view()}
                "Activate"
            </a>
        }
        .into_any(),
        (false, _) => view! {
            <a href=place.dialog_url(key, "deactivate") aria-label=named("Deactivate")>
                {Icon::Pause.view()}
                "Deactivate"
            </a>
        }
        .into_any(),
    };
    let (id, name, delete, delete_name) =
        (menu_id(key), named("Actions for"), place.dialog_url(key, "delete"), named("Delete"));
    view! {
        <RowMenu id name>
            {edit} {stop_or_go} <hr />
            <a class="menu__danger" href=delete aria-label=delete_name>
                {Icon::Trash.view()}
                "Delete"
            </a>
        </RowMenu>
    }
    .into_any()
}

/// Activation needs no confirmation: the menu item submits the form.
fn activate(place: &ListContext, key: &KeyView) -> AnyView {
    let name = format!("Activate key {}", key.name);
    let (to, id) = (place.dialog_url(key, "activate"), key.id.to_string());
    view! {
        <Form to>
            <input type="hidden" name="id" value=id />
            <button aria-label=name>
                {Icon::Play.view()}
                "Activate"
            </button>
        </Form>
    }
    .into_any()
}
