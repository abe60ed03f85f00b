//! `/keys/{id}/edit`: name, scopes, expiry, `issued_to`, description, and restrictions. The secret cannot be changed.

use super::{
    KeyView,
    api::{KEY_NOT_FOUND, edit_form},
    expiry::expiry,
    lifecycle_dialogs::error_dialog,
    list_context::{ListContext, menu_button_id},
    rules::{RestrictionFields, more, restriction_fields},
    scopes::Scopes,
};
use crate::{
    domain::{expiry::ExpiryOption, ids::KeyId, key::EditForm, project::ProjectChoice},
    error::{AppError, ErrorKind},
    features::resource::resource,
    features::session::{PageTitle, Session},
    islands::EditEffects,
    ui::{
        button::Submit,
        dialog::{Away, Dialog, DialogHead},
        field::Field,
        form::{Form, FormState},
        notice::Refused,
    },
};
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

#[component]
pub fn EditPage() -> impl IntoView {
    let place = ListContext::current();
    let session = Session::current();
    let id = use_params_map().with_untracked(|params| params.get("id").unwrap_or_default());
    let form = resource(
        || (),
        move |()| {
            let id = id.parse::<KeyId>();
            async move {
                session.signed_in().await?;
                match id {
                    Ok(id) => edit_form(id).await,
                    Err(_) => Err(AppError::new(ErrorKind::NotFound, KEY_NOT_FOUND)),
                }
            }
        },
    );
    let draw = move |answer: Result<EditForm<KeyView>, AppError>| match answer {
        Ok(form) => {
            let (to, leave) = (place.dialog_url(&form.key, "edit"), place.list_url());
            let back = leave.clone();
            view! {
                <PageTitle text=format!("Edit key: {}", form.key.name) />
                <Dialog described=true opener=menu_button_id(&form.key) leave>
                    <Form to>{form_fields(back, form)}</Form>
                </Dialog>
            }
            .into_any()
        }
        Err(error) => error_dialog(&place, error),
    };
    view! { <Suspense>{move || form.get().map(draw.clone())}</Suspense> }.into_any()
}

fn form_fields(back: String, form: EditForm<KeyView>) -> AnyView {
    let EditForm { key, offered, mut expiries, version, policy, zone, not_before, .. } = form;
    let had = RestrictionFields::from_key(&key, not_before);
    let fields = had.clone().or_submitted();
    let open = had.has_content() || fields.has_content();
    let state = FormState::from_context();
    let version = state.base_version("version", version.to_string());
    let not_before_was = state.base_version("not_before_was", had.not_before.clone());
    let (label, sentence) = match &key.expires {
        Some(at) => (format!("Keep: {}", at.day), format!("Expires on {}.", at.exact)),
        None => ("Keep: never".to_owned(), "Never expires.".to_owned()),
    };
    expiries.insert(0, ExpiryOption { value: "keep".to_owned(), label, sentence });
    let project = ProjectChoice { id: key.project_id, name: key.project.clone(), scopes: offered };
    view! {
        <DialogHead
            title=format!("Edit “{}”", key.name)
            close=back.clone()
            lead="The secret does not change. Changes apply from the next request."
        />
        <div class="dialog__body">
            <input type="hidden" name="id" value=key.id.to_string() />
            <input type="hidden" name="version" value=version />
            <div class="fields">
                <Refused />
                <Field name="name" label="Name" value=key.name.clone() required=true autofocus=true />
                <Scopes projects=vec![project] first=key.scopes.clone() />
                {expiry(expiries, "keep".to_owned(), String::new(), policy)}
                <Field
                    name="issued_to"
                    label="Issued to"
                    value=key.issued_to.clone().unwrap_or_default()
                    placeholder="A person or a system"
                    optional=true
                />
                <input type="hidden" name="not_before_was" value=not_before_was />
                {more(open, restriction_fields(fields, &zone))}
            </div>
        </div>
        <footer class="dialog__foot">
            <EditEffects
                had=key.scopes.clone()
                networks=key.networks.to_strings()
                not_before=had.not_before
                rate=key.rate_limit.map(|it| (it.calls(), it.per().as_str().to_owned(), it.burst()))
                used=key.last_used.is_some()
            />
            <Away to=back label="Cancel" />
            <Submit label="Save changes" working="Saving…" />
        </footer>
    }
    .into_any()
}
