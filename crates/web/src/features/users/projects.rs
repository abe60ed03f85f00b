//! Dialogs that choose a new owner for projects: transfer of a project, and deletion of a user.

use super::{
    dialogs::reason_field,
    page::{load_user, user_path},
};
use crate::{
    domain::{
        count::format_count_of,
        ids::ProjectId,
        people::{PersonChoice, UserProject, UserView},
    },
    features::session::{NotFoundPage, PageTitle},
    ui::{
        button::Submit,
        dialog::{Away, Dialog, DialogHead},
        field::{Wrong, aria_attributes},
        form::{Form, FormState},
        icon::Icon,
        notice::{Notice, Refused, Tone},
        select::{Choice, Select},
    },
};
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

/// Options of a user select: `first`, then one per user.
fn user_choices(first: Vec<Choice>, others: &[PersonChoice]) -> Vec<Choice> {
    let mut choices = first;
    choices.extend(others.iter().map(|it| Choice::new(it.id.to_string(), format!("{} ({})", it.name, it.email))));
    choices
}

#[component]
pub fn TransferPage() -> impl IntoView {
    let project = use_params_map().with_untracked(|params| params.get("project").unwrap_or_default());
    let project = project.parse::<ProjectId>().ok();
    load_user(move |view| {
        let Some(found) = view.projects.iter().find(|it| Some(it.id) == project).cloned() else {
            return view! { <NotFoundPage /> }.into_any();
        };
        let back = user_path(view.user.id);
        let to = format!("{back}/transfer/{}", found.id);
        view! {
            <PageTitle text=format!("Transfer {}", found.name) />
            <Dialog class="dialog--small" described=true opener=format!("transfer-{}", found.id) leave=back.clone()>
                <Form to>{transfer(back, view, found)}</Form>
            </Dialog>
        }
        .into_any()
    })
}

fn transfer(back: String, view: UserView, project: UserProject) -> AnyView {
    let state = FormState::from_context();
    let chosen = state.submitted_value("to").unwrap_or_default();
    let stays = state.submitted_values("stays").is_some_and(|typed| !typed.is_empty());
    let (invalid, by) = aria_attributes("to", false);
    let choices = user_choices(vec![Choice::new("", "Choose a user")], &view.others);
    let name = view.user.name;
    view! {
        <DialogHead title=format!("Transfer “{}”?", project.name) close=back.clone() />
        <div class="dialog__body">
            <div class="fields">
                <Refused />
                <p id="dialog-lead">
                    {format!("The new owner replaces {name}. The keys keep working, and other members keep their roles.")}
                </p>
                <div class="field">
                    <label for="to">"New owner"</label>
                    <Select name="to" choices chosen autofocus=true invalid described_by=by />
                    <Wrong name="to" />
                </div>
                <label class="check">
                    <input type="checkbox" name="stays" value="on" checked=stays />
                    {format!("Keep {name} in the project as an operator")}
                </label>
            </div>
            <input type="hidden" name="id" value=view.user.id.to_string() />
            <input type="hidden" name="project" value=project.id.to_string() />
        </div>
        <footer class="dialog__foot">
            <Away to=back label="Cancel" />
            <Submit label="Transfer project" working="Transferring…" />
        </footer>
    }
    .into_any()
}

#[component]
pub fn DeleteUserPage() -> impl IntoView {
    load_user(|view| {
        let back = user_path(view.user.id);
        view! {
            <PageTitle text=format!("Delete {}", view.user.name) />
            <Dialog described=true opener="do-delete" leave=back.clone()>
                <Form to=format!("{back}/delete")>{delete(back, view)}</Form>
            </Dialog>
        }
        .into_any()
    })
}

fn delete(back: String, view: UserView) -> AnyView {
    let name = view.user.name.clone();
    let alone: Vec<_> = view.projects.into_iter().filter(|project| project.alone).collect();
    let last = view.last_administrator.then(|| {
        view! { <Notice tone=Tone::Warning>"No other administrator can sign in. Add the administrator role to another user first."</Notice> }
    });
    let submitted = FormState::from_context().submitted_values("heirs").unwrap_or_default();
    let fates = alone.into_iter().enumerate().map(|(at, project)| {
        let chosen = submitted.get(at).cloned().unwrap_or_default();
        disposition_field(project, &view.others, chosen)
    });
    let fates = fates.collect_view();
    let wrong = FormState::from_context().field_error("heirs").map(|message| {
        view! {
            <p class="error" id="heirs-error">
                {Icon::Warn.view()}
                {message}
            </p>
        }
    });
    view! {
        <DialogHead title=format!("Delete {name}?") close=back.clone() />
        <div class="dialog__body">
            <div class="fields">
                <Refused />
                <p id="dialog-lead">
                    "The account and its sessions and memberships are deleted. This cannot be undone. Keys that the user created stay \
                     and keep the user’s name. To block sign-in temporarily, disable the user instead."
                </p>
                {last}
                {fates}
                {wrong}
                {reason_field("Recorded in the audit log.")}
            </div>
            <input type="hidden" name="id" value=view.user.id.to_string() />
        </div>
        <footer class="dialog__foot">
            <Away to=back label="Cancel" /> <Submit label="Delete user" working="Deleting…" class="button button--danger" />
        </footer>
    }
    .into_any()
}

/// The select field for a project without another owner: transfer or archive it.
fn disposition_field(project: UserProject, others: &[PersonChoice], chosen: String) -> AnyView {
    let keys = match project.keys {
        0 => "no keys".to_owned(),
        1 => "1 key".to_owned(),
        n => format_count_of(n, "key", "keys"),
    };
    let archive = if project.archived {
        "None: keep the project archived"
    } else {
        "None: archive the project and reject its keys"
    };
    let first = vec![Choice::new("", "Choose an option"), Choice::new("archive", archive)];
    let options = user_choices(first, others)
        .into_iter()
        .map(|choice| {
            let selected = choice.value == chosen;
            view! {
                <option value=choice.value selected=selected>
                    {choice.label}
                </option>
            }
        })
        .collect_view();
    let id = format!("heir-{}", project.id);
    let invalid = FormState::from_context().field_error("heirs").is_some();
    view! {
        <div class="field">
            <label for=id.clone()>{format!("New owner of “{}” ({keys}), which has no other owner", project.name)}</label>
            <input type="hidden" name="projects[]" value=project.id.to_string() />
            <span class="select">
                <select
                    class="input"
                    id=id
                    name="heirs[]"
                    aria-invalid=(invalid && chosen.is_empty()).then_some("true")
                    aria-describedby=invalid.then_some("heirs-error")
                >
                    {options}
                </select>
                {Icon::Down.view()}
            </span>
        </div>
    }
    .into_any()
}
