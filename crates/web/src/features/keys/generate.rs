//! `/projects/{id}/keys/new`: a key for a user of a project. Only the name is required; the other fields are under
//! More.

use super::{
    api::{CreatedKey, key_form},
    create::Environment,
    expiry::expiry,
    reveal::Reveal,
    rules::{RestrictionFields, more, restriction_fields},
    scopes::Scopes,
};
use crate::{
    domain::project::{KeyForm, ProjectChoice},
    error::{AppError, ErrorKind},
    features::resource::resource,
    features::session::{PageTitle, Session},
    response_status::status,
    ui::{
        button::Submit,
        dialog::{Away, Dialog, DialogHead},
        field::{Field, Wrong},
        form::{Form, FormState},
        notice::Refused,
    },
};
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

#[component]
pub fn GeneratePage() -> impl IntoView {
    let id = use_params_map().with_untracked(|params| params.get("id").unwrap_or_default());
    let keys = format!("/projects/{id}/keys");
    if let Some(created) = use_context::<CreatedKey>() {
        return view! {
            <PageTitle text="Save this key" />
            <Reveal created leave=keys />
        }
        .into_any();
    }
    let session = Session::current();
    let form = resource(
        || (),
        move |()| async move {
            session.signed_in().await?;
            key_form().await
        },
    );
    let draw = move |answer: Result<KeyForm, AppError>| {
        let found = answer.and_then(|form| {
            let project = form.projects.iter().find(|it| it.id.to_string() == id).cloned();
            let none = "This project does not exist, or you cannot create keys in it.";
            project.map(|project| (form, project)).ok_or_else(|| AppError::new(ErrorKind::NotFound, none))
        });
        match found {
            Ok((form, project)) => {
                let (to, leave) = (format!("{keys}/new"), keys.clone());
                view! {
                    <PageTitle text="Generate API key" />
                    <Dialog opener="generate" leave=leave.clone()>
                        <Form to>{form_fields(leave, form, project)}</Form>
                    </Dialog>
                }
                .into_any()
            }
            Err(error) => error_dialog(error),
        }
    };
    view! { <Suspense>{move || form.get().map(draw.clone())}</Suspense> }.into_any()
}

fn error_dialog(error: AppError) -> AnyView {
    if error.kind == ErrorKind::SignedOut {
        return ().into_any();
    }
    status(error.kind.status());
    view! {
        <PageTitle text="Generate API key" />
        <Dialog class="dialog--small" opener="main" leave="/projects">
            <DialogHead title="Page not available" close="/projects" />
            <div class="dialog__body">
                <p>{error.message}</p>
            </div>
            <footer class="dialog__foot">
                <Away to="/projects" label="Back to projects" class="button button--primary" autofocus=true />
            </footer>
        </Dialog>
    }
    .into_any()
}

fn form_fields(back: String, form: KeyForm, project: ProjectChoice) -> AnyView {
    let KeyForm { number, expiries, usual, policy, zone, .. } = form;
    // The More section is open if one of its fields has an error.
    let state = FormState::from_context();
    let wrong = ["environment", "expires", "expires_on", "scopes"].iter().any(|name| state.field_error(name).is_some());
    let fields = RestrictionFields::default().or_submitted();
    let open = wrong || fields.has_content();
    let first = usual;
    let title = format!("Generate API key for {}", project.name);
    view! {
        <DialogHead title close=back.clone() />
        <div class="dialog__body">
            <input type="hidden" name="number" value=number.to_string() />
            <input type="hidden" name="project" value=project.id.to_string() />
            <div class="fields">
                <Refused />
                <Wrong name="project" />
                <Field name="name" label="Name" required=true autofocus=true />
                <Field
                    name="issued_to"
                    label="Issued to"
                    placeholder="A person or a system"
                    hint="Give each user their own key, so that you can deactivate one without affecting the others."
                    optional=true
                />
                {more(
                    open,
                    view! {
                        <Environment first="live".to_owned() />
                        {expiry(expiries, first, String::new(), policy)}
                        <Scopes projects=vec![project] first=Vec::new() />
                        {restriction_fields(fields, &zone)}
                    }
                        .into_any(),
                )}
            </div>
        </div>
        <footer class="dialog__foot">
            <Away to=back label="Cancel" />
            <Submit label="Generate API key" working="Generating…" />
        </footer>
    }
    .into_any()
}
