//! The shape of the dialogs over a project's page.

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

/// The project over whose page the dialog lies.
pub fn project() -> ProjectView {
    expect_context()
}

/// The address of a project's page.
pub fn home(project: &ProjectView) -> String {
    format!("/projects/{}", project.id)
}

/// A part of the address: of `/projects/{id}/members/{user}/edit` the fourth names the member.
pub fn segment(number: usize) -> String {
    let path = use_location().pathname.get_untracked();
    path.split('/').nth(number).unwrap_or_default().to_owned()
}

/// The words and the button of a dialog.
pub struct Ask {
    /// The path behind the project's, to which the form is posted.
    pub path: String,
    pub title: String,
    pub lead: String,
    /// The button: what it does, what it says meanwhile.
    pub button: (&'static str, &'static str),
    pub danger: bool,
    /// The id of what opened it.
    pub opener: &'static str,
    /// Cancel has the focus: there is nothing to type.
    pub hesitant: bool,
}

/// A dialog with a form about this project; `fields` is drawn inside the form, where it knows what was refused.
pub fn ask(project: &ProjectView, ask: Ask, fields: impl FnOnce() -> AnyView + Send + 'static) -> AnyView {
    let Ask { path, title, lead, button: (label, working), danger, opener, hesitant } = ask;
    let (id, back) = (project.id.to_string(), home(project));
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

/// What stands in place of a dialog that is not for them, or about nothing.
pub fn cannot(project: &ProjectView, code: u16, words: impl Into<String>) -> AnyView {
    status(code);
    let (back, words) = (home(project), words.into());
    view! {
        <PageTitle text=project.name.clone() />
        <Dialog class="dialog--small" opener="main" leave=back.clone()>
            <DialogHead title="This cannot be done" close=back.clone() />
            <div class="dialog__body">
                <p>{words}</p>
            </div>
            <footer class="dialog__foot">
                <Away to=back label="Back to the project" class="button button--primary" autofocus=true />
            </footer>
        </Dialog>
    }
    .into_any()
}
