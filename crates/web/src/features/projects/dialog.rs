//! Common structure of the dialogs over a project's page.

use crate::{
    domain::project::ProjectView,
    features::session::PageTitle,
    response_status::status,
    ui::{
        button::Submit,
        dialog::{Away, Dialog, DialogHead},
        form::Form,
        notice::Refused,
    },
};
use leptos::prelude::*;
use leptos_router::hooks::use_location;

/// Returns the project of the page, from the context.
pub fn current_project() -> ProjectView {
    expect_context()
}

/// Returns the path of a project's page.
pub fn project_path(project: &ProjectView) -> String {
    format!("/projects/{}", project.id)
}

/// Returns a segment of the current path. In `/projects/{id}/members/{user}/edit` segment 4 is the member.
pub fn path_segment(number: usize) -> String {
    let path = use_location().pathname.get_untracked();
    path.split('/').nth(number).unwrap_or_default().to_owned()
}

/// Texts and button of a dialog.
pub struct DialogSpec {
    /// The path to which the form is posted, relative to the project's page.
    pub path: String,
    pub title: String,
    pub lead: String,
    /// The button's label, and its label during the submission.
    pub button: (&'static str, &'static str),
    pub danger: bool,
    /// The id of the element that opens the dialog.
    pub opener: &'static str,
    /// Whether Cancel has the initial focus, because the dialog has no field to type in.
    pub focus_cancel: bool,
}

/// A dialog with a form about this project. `fields` is called inside the form, where the field errors are available.
pub fn form_dialog(
    project: &ProjectView,
    ask: DialogSpec,
    fields: impl FnOnce() -> AnyView + Send + 'static,
) -> AnyView {
    let DialogSpec { path, title, lead, button: (label, working), danger, opener, focus_cancel: hesitant } = ask;
    let (id, back) = (project.id.to_string(), project_path(project));
    let (to, close, cancel) = (format!("{back}/{path}"), back.clone(), back.clone());
    let class = if danger { "button button--danger" } else { "button button--primary" };
    view! {
        <PageTitle text=format!("{title} · {}", project.name) />
        <Dialog class="dialog--small" described=true opener leave=back>
            <Form to>
                <DialogHead title close />
                <div class="dialog__body">
                    <div class="fields">
                        <Refused />
                        <p id="dialog-lead">{lead}</p>
                        {fields()}
                    </div>
                    <input type="hidden" name="id" value=id />
                </div>
                <footer class="dialog__foot">
                    <Away to=cancel label="Cancel" autofocus=hesitant />
                    <Submit label working class />
                </footer>
            </Form>
        </Dialog>
    }
    .into_any()
}

/// An error dialog for a user without permission, or for an object that does not exist.
pub fn error_dialog(project: &ProjectView, code: u16, words: impl Into<String>) -> AnyView {
    status(code);
    let (back, words) = (project_path(project), words.into());
    view! {
        <PageTitle text=project.name.clone() />
        <Dialog class="dialog--small" opener="main" leave=back.clone()>
            <DialogHead title="Action not available" close=back.clone() />
            <div class="dialog__body">
                <p>{words}</p>
            </div>
            <footer class="dialog__foot">
                <Away to=back label="Back to project" class="button button--primary" autofocus=true />
            </footer>
        </Dialog>
    }
    .into_any()
}
