//! `/keys/new`: the form for a new key, and, without scripts, the answer to it.

use super::{
    about::failed,
    api::{CreateKey, CreatedKey, key_form},
    expiry::Expiry,
    reveal::Reveal,
    scopes::Scopes,
    state::Keys,
};
use crate::{
    domain::{
        key::NAME_MAX,
        project::{KeyForm, ProjectChoice},
    },
    error::{AppError, ErrorKind},
    features::session::{PageTitle, Session, leave_if_signed_out},
    ui::{
        browser,
        button::Submit,
        dialog::{Away, Dialog, DialogHead},
        field::{Field, Wrong, described},
        form::{Form, FormState},
        icon::Icon,
        notice::Refused,
        segments::Segments,
        select::{Choice, Select},
    },
};
use leptos::{html, prelude::*};

#[component]
pub fn CreatePage() -> impl IntoView {
    // The server gives this with the answer to a form that was sent without scripts: the page is the reveal.
    if let Some(created) = use_context::<CreatedKey>() {
        return view! {
            <PageTitle text="Save this key" />
            <Reveal created still=true />
        }
        .into_any();
    }
    let keys = Keys::here();
    let session = Session::here();
    let ask = move |()| async move {
        session.signed_in().await?;
        key_form().await
    };
    let form = Resource::new(|| (), ask);
    let action = ServerAction::<CreateKey>::new();
    let value = action.value();
    Effect::new(move |_| {
        if value.with(|value| matches!(value, Some(Ok(_)))) {
            // Taken out, not copied: the action must not keep the secret.
            if let Some(Some(Ok(created))) = value.try_update(Option::take) {
                keys.reveal(created);
            }
        }
    });
    leave_if_signed_out(move || value.with(|value| value.as_ref()?.as_ref().err().cloned()));
    leave_if_signed_out(move || form.get().and_then(Result::err));

    let leave = Callback::new(move |()| keys.close());
    let draw = move |answer: Result<KeyForm, AppError>| match answer {
        Ok(form) if form.projects.is_empty() => {
            let sentence =
                "You have no project in which you may create keys. Ask the owner of a project to make you an operator.";
            failed(keys, AppError::new(ErrorKind::Forbidden, sentence))
        }
        Ok(form) => {
            let to = untrack(|| keys.at("/keys/new"));
            view! {
                <PageTitle text="Create API key" />
                <Dialog opener="create" leave>
                    <Form action to>
                        {inside(keys, form)}
                    </Form>
                </Dialog>
            }
            .into_any()
        }
        Err(error) => failed(keys, error),
    };
    view! { <Suspense>{move || form.get().map(draw)}</Suspense> }.into_any()
}

fn inside(keys: Keys, form: KeyForm) -> AnyView {
    let KeyForm { projects, number, now } = form;
    let back = untrack(move || keys.at("/keys"));
    // Dates end in the person's own zone, which only the browser knows.
    let zone = RwSignal::new(String::new());
    Effect::new(move |_| zone.set(browser::zone().unwrap_or_default()));
    let project = RwSignal::new(None);
    let more = FormState::here().typed("issued_to").is_some_and(|typed| !typed.is_empty());
    view! {
        <DialogHead title="Create API key" close=back.clone() />
        <div class="dialog__body">
            <input type="hidden" name="number" value=number.to_string() />
            <input type="hidden" name="zone" value=move || zone.get() />
            <div class="fields">
                <Refused />
                <Field name="name" label="Name" maxlength=NAME_MAX as u16 required=true autofocus=true />
                {place(&projects, project)}
                <Expiry now />
                <Scopes projects project />
                <details class="more" open=more>
                    <summary>
                        {Icon::Down.view()}
                        "More"
                    </summary>
                    <div class="fields">
                        <Field
                            name="issued_to"
                            label="Issued to"
                            placeholder="A person or a system"
                            hint="Shown with the key, so that you know whose it is."
                            maxlength=NAME_MAX as u16
                            optional=true
                        />
                    </div>
                </details>
            </div>
        </div>
        <footer class="dialog__foot">
            <Away to=back label="Cancel" />
            <Submit label="Create API key" working="Creating…" />
        </footer>
    }
    .into_any()
}

/// The project, if there is more than one, and the environment.
fn place(projects: &[ProjectChoice], project: RwSignal<Option<String>>) -> AnyView {
    if let [only] = projects {
        return view! {
            <input type="hidden" name="project" value=only.id.to_string() />
            <Environment />
        }
        .into_any();
    }
    let choices = projects.iter().map(|it| Choice::new(it.id.to_string(), it.name.clone())).collect();
    let first = projects.first().map(|it| it.id.to_string()).unwrap_or_default();
    let state = FormState::here();
    let chosen = state.typed("project").unwrap_or(first);
    let (invalid, by) = described("project", false);
    let node = NodeRef::<html::Select>::new();
    Effect::new(move |_| {
        if let Some(select) = node.get() {
            project.set(Some(select.value()));
        }
    });
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
                    autofocus=state.starts_at("project", false)
                    node_ref=node
                    on_change=Callback::new(move |id| project.set(Some(id)))
                />
                <Wrong name="project" />
            </div>
            <Environment />
        </div>
    }
    .into_any()
}

#[component]
fn Environment() -> impl IntoView {
    let chosen = FormState::here().typed("environment").filter(|it| !it.is_empty()).unwrap_or_else(|| "live".into());
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
