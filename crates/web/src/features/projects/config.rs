//! Config section of a project's page with its editor.

use crate::{
    domain::project::ProjectView,
    islands::ConfigEditor,
    ui::{
        button::Submit,
        form::{Form, FormState},
        markup::TextArea,
        notice::Refused,
    },
};
use leptos::prelude::*;

/// The section.
pub fn section(project: ProjectView) -> AnyView {
    let to = format!("/projects/{}", project.id);
    view! {
        <section class="panel" aria-labelledby="config-title">
            <header class="panel__head">
                <h2 id="config-title">"Config"</h2>
            </header>
            <Form to>{config(project)}</Form>
        </section>
    }
    .into_any()
}

fn config(project: ProjectView) -> AnyView {
    let state = FormState::from_context();
    let text = state.submitted_value("config").unwrap_or(project.config);
    let version = state.submitted_value("version").unwrap_or(project.version);
    let refused = state.field_error("config");
    let (version_of_text, invalid) = (version.clone(), refused.is_some());
    // The editor is far down the page: after a rejected submission the browser scrolls to it and to the notice above
    // it.
    let again = state.is_rejected();
    let save = project.may_configure.then(|| {
        view! {
            <footer class="panel__foot">
                <Submit label="Save config" working="Saving…" />
            </footer>
        }
    });
    let hint = if project.may_configure {
        "A JSON object. Anyone with an access token of this project can read it."
    } else {
        "Anyone with an access token of this project can read the config. Project owners can change it."
    };
    view! {
        <div class="panel__body fields">
            <input type="hidden" name="id" value=project.id.to_string() />
            <input type="hidden" name="version" value=version />
            <Refused />
            <p class="hint" id="config-hint">
                {hint}
            </p>
            <ConfigEditor version=version_of_text refused>
                <TextArea
                    name="config"
                    class="input input--mono editor"
                    text
                    rows=14
                    read_only=!project.may_configure
                    autofocus=again
                    invalid
                    described_by="config-state config-hint".to_owned()
                />
            </ConfigEditor>
        </div>
        {save}
    }
    .into_any()
}
