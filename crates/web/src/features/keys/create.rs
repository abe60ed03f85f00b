//! `/keys/new`: the form for a new key, and the page with its secret. Query parameters prefill the form
//! (`?name=…&expires=30d&scope=…`).

use super::{
    api::{CreatedKey, key_form},
    expiry::expiry,
    lifecycle_dialogs::error_dialog,
    list_context::ListContext,
    reveal::Reveal,
    rules::{RestrictionFields, more, restriction_fields},
    scopes::Scopes,
};
use crate::{
    domain::{
        key::NAME_MAX,
        project::{KeyForm, ProjectChoice},
    },
    error::{AppError, ErrorKind},
    features::resource::resource,
    features::session::{PageTitle, Session},
    ui::{
        button::Submit,
        dialog::{Away, Dialog, DialogHead},
        field::{Field, Wrong, aria_attributes},
        form::{Form, FormState},
        notice::Refused,
        segments::Segments,
        select::{Choice, Select},
    },
};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

/// Initial field values from the query. They get the same validation on submission as typed values.
#[derive(Clone, Default)]
struct FormPrefill {
    name: String,
    project: Option<String>,
    environment: String,
    expires: String,
    on: String,
    scopes: Vec<String>,
    issued_to: String,
    rules: RestrictionFields,
}

impl FormPrefill {
    fn from_query() -> Self {
        use_query_map().with_untracked(|query| {
            let one = |name: &str| query.get(name).unwrap_or_default();
            let expires = one("expires");
            let (expires, on) = match expires.strip_prefix("date:") {
                Some(day) => ("date".to_owned(), day.to_owned()),
                None => (expires, String::new()),
            };
            let scopes = query.get_all("scope").unwrap_or_default();
            let scopes = scopes.iter().flat_map(|it| it.split([' ', ','])).map(ToOwned::to_owned).collect();
            Self {
                name: one("name").chars().take(NAME_MAX).collect(),
                project: query.get("project"),
                environment: one("environment"),
                expires,
                on,
                scopes,
                issued_to: one("issued_to").chars().take(NAME_MAX).collect(),
                rules: RestrictionFields::from_query(
                    &one("description"),
                    &query.get_all("network").unwrap_or_default(),
                    one("not_before"),
                    &one("rate"),
                ),
            }
        })
    }
}

#[component]
pub fn CreatePage() -> impl IntoView {
    // Set in the response to the form submission: the page shows the secret.
    if let Some(created) = use_context::<CreatedKey>() {
        return view! {
            <PageTitle text="Save this key" />
            <Reveal created leave="/keys" />
        }
        .into_any();
    }
    let place = ListContext::current();
    let session = Session::current();
    let prefill = FormPrefill::from_query();
    let form = resource(
        || (),
        move |()| async move {
            session.signed_in().await?;
            key_form().await
        },
    );
    let draw = move |answer: Result<KeyForm, AppError>| match answer {
        Ok(form) if form.projects.is_empty() => {
            let sentence = "You cannot create keys in any project. Ask a project owner for the operator role.";
            error_dialog(&place, AppError::new(ErrorKind::Forbidden, sentence))
        }
        Ok(form) => {
            let (to, leave, prefill) = (place.with_query("/keys/new"), place.list_url(), prefill.clone());
            let back = leave.clone();
            view! {
                <PageTitle text="Create API key" />
                <Dialog opener="create" leave>
                    <Form to>{form_fields(back, form, prefill)}</Form>
                </Dialog>
            }
            .into_any()
        }
        Err(error) => error_dialog(&place, error),
    };
    view! { <Suspense>{move || form.get().map(draw.clone())}</Suspense> }.into_any()
}

fn form_fields(back: String, form: KeyForm, prefill: FormPrefill) -> AnyView {
    let KeyForm { projects, number, expiries, usual, policy, zone, .. } = form;
    let state = FormState::from_context();
    let issued = state.submitted_value("issued_to").unwrap_or_else(|| prefill.issued_to.clone());
    let fields = prefill.rules.clone().or_submitted();
    let open = !issued.is_empty() || state.field_error("issued_to").is_some() || fields.has_content();
    let known = expiries.iter().any(|option| option.value == prefill.expires) || prefill.expires == "date";
    let first = if known { prefill.expires.clone() } else { usual };
    view! {
        <DialogHead title="Create API key" close=back.clone() />
        <div class="dialog__body">
            <input type="hidden" name="number" value=number.to_string() />
            <div class="fields">
                <Refused />
                <Field name="name" label="Name" value=prefill.name.clone() required=true autofocus=true />
                {project_fields(&projects, &prefill)}
                {expiry(expiries, first, prefill.on.clone(), policy)}
                <Scopes projects first=prefill.scopes />
                {more(
                    open,
                    view! {
                        <Field
                            name="issued_to"
                            label="Issued to"
                            value=issued
                            placeholder="A person or a system"
                            hint="Shown with the key to identify who uses it."
                            optional=true
                        />
                        {restriction_fields(fields, &zone)}
                    }
                        .into_any(),
                )}
            </div>
        </div>
        <footer class="dialog__foot">
            <Away to=back label="Cancel" />
            <Submit label="Create API key" working="Creating…" />
        </footer>
    }
    .into_any()
}

/// The fields for the project, if the user has more than one, and the environment.
fn project_fields(projects: &[ProjectChoice], prefill: &FormPrefill) -> AnyView {
    let environment = prefill.environment.clone();
    if let [only] = projects {
        return view! {
            <input type="hidden" name="project" value=only.id.to_string() />
            <Environment first=environment />
        }
        .into_any();
    }
    let choices: Vec<_> = projects.iter().map(|it| Choice::new(it.id.to_string(), it.name.clone())).collect();
    let state = FormState::from_context();
    let preselected = state.submitted_value("project").or_else(|| prefill.project.clone());
    let chosen = preselected
        .filter(|id| choices.iter().any(|choice| choice.value == *id))
        .or_else(|| choices.first().map(|choice| choice.value.clone()))
        .unwrap_or_default();
    let (invalid, by) = aria_attributes("project", false);
    view! {
        <div class="fields fields--pair">
            <div class="field">
                <label for="project">"Project"</label>
                <Select
                    name="project"
                    choices
                    chosen
                    invalid
                    described_by=by
                    autofocus=state.has_initial_focus("project", false)
                />
                <Wrong name="project" />
            </div>
            <Environment first=environment />
        </div>
    }
    .into_any()
}

#[component]
pub fn Environment(first: String) -> impl IntoView {
    let typed = FormState::from_context().submitted_value("environment").unwrap_or(first);
    let chosen = if typed == "test" { "test" } else { "live" };
    view! {
        <fieldset class="field">
            <legend>"Environment"</legend>
            <div class="segments segments--wide">
                <Segments name="environment" choices=&[("live", "Live"), ("test", "Test")] chosen />
            </div>
            <Wrong name="environment" />
        </fieldset>
    }
    .into_any()
}
