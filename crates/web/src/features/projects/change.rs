//! Dialogs that create, rename, archive, and unarchive a project, and set the maximum lifetime of its tokens.

use super::dialog::{DialogSpec, current_project, error_dialog, form_dialog};
use crate::{
    domain::count::format_count,
    features::session::PageTitle,
    ui::{
        button::Submit,
        dialog::{Away, Dialog, DialogHead},
        field::{Field, Wrong, aria_attributes},
        form::{Form, FormState},
        notice::Refused,
        select::{Choice, Select},
    },
};
use leptos::prelude::*;

const OWNERS: &str = "Only a project owner can do this.";

#[component]
pub fn NewProjectPage() -> impl IntoView {
    view! {
        <PageTitle text="Create project" />
        <Dialog class="dialog--small" opener="create" leave="/projects">
            <Form to="/projects/new">{new()}</Form>
        </Dialog>
    }
    .into_any()
}

fn new() -> AnyView {
    view! {
        <DialogHead title="Create project" close="/projects" />
        <div class="dialog__body">
            <div class="fields">
                <Refused />
                <Field
                    name="name"
                    label="Name"
                    hint="You become the project owner. The project starts without keys and offers the default set of scopes."
                    required=true
                    autofocus=true
                />
            </div>
        </div>
        <footer class="dialog__foot">
            <Away to="/projects" label="Cancel" />
            <Submit label="Create project" working="Creating…" />
        </footer>
    }
    .into_any()
}

#[component]
pub fn RenamePage() -> impl IntoView {
    let project = current_project();
    if !project.may_configure {
        return error_dialog(&project, 403, OWNERS);
    }
    let words = DialogSpec {
        path: "edit".into(),
        title: "Rename project".into(),
        lead: "The project ID, keys, and tokens do not change.".into(),
        button: ("Rename project", "Renaming…"),
        danger: false,
        opener: "rename",
        focus_cancel: false,
    };
    let name = project.name.clone();
    form_dialog(&project, words, move || {
        let version = FormState::from_context().submitted_value("version").unwrap_or_else(|| name.clone());
        view! {
            <input type="hidden" name="version" value=version />
            <Field
                name="name"
                label="Name"
                value=name
                required=true
                autofocus=true
            />
        }
        .into_any()
    })
}

#[component]
pub fn ArchivePage() -> impl IntoView {
    let project = current_project();
    if !project.may_archive {
        return error_dialog(&project, 403, OWNERS);
    }
    let keys = match project.keys {
        0 => "This project has no keys.".to_owned(),
        1 => "Requests with its key and tokens will fail immediately (project_archived).".to_owned(),
        n => format!(
            "Requests with its {} keys and their tokens will fail immediately (project_archived).",
            format_count(n)
        ),
    };
    let words = DialogSpec {
        path: "archive".into(),
        title: format!("Archive “{}”?", project.name),
        lead: format!("{keys} No data is deleted. You can unarchive the project at any time."),
        button: ("Archive project", "Archiving…"),
        danger: true,
        opener: "archive",
        focus_cancel: true,
    };
    form_dialog(&project, words, || ().into_any())
}

#[component]
pub fn UnarchivePage() -> impl IntoView {
    let project = current_project();
    if !project.may_archive {
        return error_dialog(&project, 403, OWNERS);
    }
    let words = DialogSpec {
        path: "unarchive".into(),
        title: format!("Unarchive “{}”?", project.name),
        lead: "Active keys work again immediately. All keys keep their status.".into(),
        button: ("Unarchive project", "Unarchiving…"),
        danger: false,
        opener: "archive",
        focus_cancel: true,
    };
    form_dialog(&project, words, || ().into_any())
}

#[component]
pub fn TokenLifetimePage() -> impl IntoView {
    let project = current_project();
    if !project.may_configure {
        return error_dialog(&project, 403, OWNERS);
    }
    let seconds = project.token_life_max;
    let words = DialogSpec {
        path: "life".into(),
        title: "Change maximum token lifetime".into(),
        lead: format!(
            "Access tokens of this project expire after this time at the latest. The policy allows at most {}.",
            project.token_life_most
        ),
        button: ("Save lifetime", "Saving…"),
        danger: false,
        opener: "life",
        focus_cancel: false,
    };
    form_dialog(&project, words, move || life(seconds))
}

fn life(seconds: i64) -> AnyView {
    let state = FormState::from_context();
    let (amount, unit) = match seconds {
        n if n % 86_400 == 0 => (n / 86_400, "days"),
        n if n % 3_600 == 0 => (n / 3_600, "hours"),
        n => (n / 60, "minutes"),
    };
    let chosen = state.submitted_value("unit").unwrap_or_else(|| unit.to_owned());
    let version = state.submitted_value("version").unwrap_or_else(|| seconds.to_string());
    let choices = [("minutes", "minutes"), ("hours", "hours"), ("days", "days")];
    let choices = choices.into_iter().map(|(value, label)| Choice::new(value, label)).collect();
    let (invalid, by) = aria_attributes("unit", false);
    view! {
        <input type="hidden" name="version" value=version />
        <div class="fields fields--pair">
            <Field name="amount" label="Maximum lifetime" value=amount.to_string() required=true autofocus=true />
            <div class="field">
                <label for="unit">"Unit"</label>
                <Select name="unit" choices chosen invalid described_by=by />
                <Wrong name="unit" />
            </div>
        </div>
    }
    .into_any()
}
