//! Dialogs over the scope catalog: add, edit, delete, retire, and offer again.

use super::{
    api::list_scopes,
    page::{LIST, dialog_path, granted_by, menu_id},
};
use crate::{
    domain::{
        count::format_count,
        scope::{CatalogScope, GrantedBy},
    },
    error::{AppError, ErrorKind},
    features::session::{PageTitle, load},
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
use leptos_router::hooks::use_params_map;

#[component]
pub fn AddScopePage() -> impl IntoView {
    view! {
        <PageTitle text="Add scope" />
        <Dialog opener="create" leave=LIST>
            <Form to=format!("{LIST}/new")>{fields(None)}</Form>
        </Dialog>
    }
    .into_any()
}

#[component]
pub fn EditScopePage() -> impl IntoView {
    load_scope(|scope| {
        view! {
            <PageTitle text=format!("Edit scope {}", scope.name) />
            <Dialog opener=format!("{}-button", menu_id(scope.name.as_str())) leave=LIST>
                <Form to=dialog_path(&scope, "edit")>{fields(Some(scope))}</Form>
            </Dialog>
        }
        .into_any()
    })
}

#[component]
pub fn RemoveScopePage() -> impl IntoView {
    load_scope(|scope| {
        let name = scope.name.to_string();
        let lead = match scope.keys {
            0 => "No keys have this scope. After deletion, it cannot be added to keys.".to_owned(),
            1 => "1 key has this scope, so it can be retired but not deleted.".to_owned(),
            n => format!("{} keys have this scope, so it can be retired but not deleted.", format_count(n)),
        };
        view! {
            <PageTitle text=format!("Delete scope {name}") />
            <Dialog class="dialog--small" described=true opener=format!("{}-button", menu_id(&name)) leave=LIST>
                <Form to=dialog_path(&scope, "remove")>
                    <DialogHead title=format!("Delete “{name}”?") close=LIST />
                    <div class="dialog__body">
                        <div class="stack stack--close">
                            <Refused />
                            <p id="dialog-lead">{lead}</p>
                        </div>
                        <input type="hidden" name="name" value=name.clone() />
                    </div>
                    <footer class="dialog__foot">
                        <Away to=LIST label="Cancel" autofocus=true />
                        <Submit label="Delete scope" working="Deleting…" class="button button--danger" />
                    </footer>
                </Form>
            </Dialog>
        }
        .into_any()
    })
}

#[component]
pub fn RetireScopePage() -> impl IntoView {
    load_scope(|scope| {
        let held = match scope.keys {
            0 => "No keys have this scope.".to_owned(),
            1 => "1 key has this scope and keeps it.".to_owned(),
            n => format!("{} keys have this scope and keep it.", format_count(n)),
        };
        let lead = format!("{held} It cannot be added to new keys. You can offer it again at any time.");
        confirm_dialog(&scope, "retire", "Retire", "Retire scope", "Retiring…", lead)
    })
}

#[component]
pub fn UnretireScopePage() -> impl IntoView {
    load_scope(|scope| {
        let lead = "Projects that offered this scope before it was retired offer it again.".to_owned();
        confirm_dialog(&scope, "unretire", "Offer", "Offer scope again", "Offering…", lead)
    })
}

/// A confirmation dialog about this scope.
fn confirm_dialog(
    scope: &CatalogScope,
    path: &'static str,
    verb: &'static str,
    label: &'static str,
    working: &'static str,
    lead: String,
) -> AnyView {
    let name = scope.name.to_string();
    let to = dialog_path(scope, path);
    let again = if verb == "Offer" { " again" } else { "" };
    let title = format!("{verb} scope {name}{again}");
    view! {
        <PageTitle text=title />
        <Dialog class="dialog--small" described=true opener=format!("{}-button", menu_id(&name)) leave=LIST>
            <Form to>
                <DialogHead title=format!("{verb} “{name}”{again}?") close=LIST />
                <div class="dialog__body">
                    <div class="stack stack--close">
                        <Refused />
                        <p id="dialog-lead">{lead}</p>
                    </div>
                    <input type="hidden" name="name" value=name.clone() />
                </div>
                <footer class="dialog__foot">
                    <Away to=LIST label="Cancel" autofocus=true />
                    <Submit label working />
                </footer>
            </Form>
        </Dialog>
    }
    .into_any()
}

/// Draws a dialog about the scope of the URL.
fn load_scope(draw: impl Fn(CatalogScope) -> AnyView + Clone + Send + Sync + 'static) -> AnyView {
    let name = use_params_map().with_untracked(|params| params.get("name").unwrap_or_default()).replace("%2F", "/");
    let ask = move || {
        let name = name.clone();
        async move {
            let scopes = list_scopes().await?;
            let found = scopes.into_iter().find(|scope| scope.name.as_str() == name);
            found.ok_or_else(|| AppError::new(ErrorKind::NotFound, "Scope not found."))
        }
    };
    load(ask, draw)
}

fn fields(scope: Option<CatalogScope>) -> AnyView {
    let state = FormState::from_context();
    let known = scope.is_some();
    let title = scope.as_ref().map_or_else(|| "Add scope".to_owned(), |scope| format!("Edit “{}”", scope.name));
    let name = match &scope {
        Some(scope) => view! { <input type="hidden" name="name" value=scope.name.to_string() /> }.into_any(),
        None => view! {
            <Field
                name="name"
                label="Name"
                placeholder="pops:read"
                hint="Exactly as your API checks it. Cannot be changed later."
                required=true
                autofocus=true
                mono=true
            />
        }
        .into_any(),
    };
    let first = scope.as_ref().map(|scope| scope.granted_by).unwrap_or_default();
    let chosen = state.submitted_value("granted_by").unwrap_or_else(|| first.as_str().to_owned());
    let in_default = match state.submitted_values("in_default") {
        Some(typed) => !typed.is_empty(),
        None => scope.as_ref().is_some_and(|scope| scope.in_default),
    };
    let choices = [GrantedBy::Operator, GrantedBy::Owner]
        .map(|by| Choice::new(by.as_str(), granted_by(by)))
        .into_iter()
        .collect();
    let (invalid, by) = aria_attributes("granted_by", false);
    let (label, working) = if known { ("Save changes", "Saving…") } else { ("Add scope", "Adding…") };
    view! {
        <DialogHead title close=LIST />
        <div class="dialog__body">
            <div class="fields">
                <Refused />
                {name}
                <Field
                    name="description"
                    label="Description"
                    value=scope.as_ref().map(|scope| scope.description.clone()).unwrap_or_default()
                    hint="What a key with this scope can do. Users see it when they choose scopes."
                    required=true
                    autofocus=known
                />
                <div class="field">
                    <label for="granted_by">"Granted by"</label>
                    <Select name="granted_by" choices chosen invalid described_by=by />
                    <Wrong name="granted_by" />
                </div>
                <label class="check">
                    <input type="checkbox" name="in_default" value="on" checked=in_default />
                    "Include in the default set (used by projects without a custom scope list)"
                </label>
            </div>
        </div>
        <footer class="dialog__foot">
            <Away to=LIST label="Cancel" />
            <Submit label working />
        </footer>
    }
    .into_any()
}
