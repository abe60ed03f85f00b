//! `/projects/{id}/keys`: the keys of one project, grouped by `issued_to`, and the dialog that deletes one.

use super::api::project_keys;
use crate::{
    domain::{
        count::format_count_of,
        ids::{KeyId, ProjectId},
        key::{Environment, RESTORE_DAYS},
        project::{IssuedKeys, ProjectKeys},
        time::Timestamp,
    },
    error::{AppError, ErrorKind},
    features::{
        keys::{KeyView, api::get_key},
        session::{PageTitle, load_with},
    },
    response_status::status,
    ui::{
        badge::Badge,
        button::{IconLink, Submit},
        dialog::{Away, Dialog, DialogHead},
        empty::Empty,
        form::Form,
        icon::Icon,
        notice::Refused,
        table::{Cell, Head},
        time::{Ago, Day},
    },
};
use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};

fn error_dialog(error: AppError, here: &str) -> AnyView {
    if error.kind == ErrorKind::SignedOut {
        return ().into_any();
    }
    status(error.kind.status());
    let confirm = (error.kind == ErrorKind::StepUp).then(|| {
        view! {
            <a class="button button--primary" href=format!("/confirm?next={here}")>
                "Confirm your identity"
            </a>
        }
    });
    view! {
        <PageTitle text="API keys" />
        <Dialog class="dialog--small" opener="main" leave="/projects">
            <DialogHead title="Page not available" close="/projects" />
            <div class="dialog__body">
                <p>{error.message}</p>
            </div>
            <footer class="dialog__foot">
                <Away to="/projects" label="Back to projects" autofocus=true />
                {confirm}
            </footer>
        </Dialog>
    }
    .into_any()
}

fn not_found() -> AppError {
    AppError::new(ErrorKind::NotFound, "This project or key does not exist, or you do not have access to it.")
}

fn param(name: &str) -> String {
    use_params_map().with_untracked(|params| params.get(name).unwrap_or_default())
}

#[component]
pub fn ProjectKeysPage() -> impl IntoView {
    let id = param("id");
    let from = use_query_map().with_untracked(|query| query.get("from"));
    let leave = if from.as_deref() == Some("project") { format!("/projects/{id}") } else { "/projects".to_owned() };
    let here = format!("/projects/{id}/keys");
    let project_id = id.parse::<ProjectId>();
    let ask = move || {
        let project_id = project_id.clone();
        async move { project_keys(project_id.map_err(|_| not_found())?).await }
    };
    load_with(ask, move |keys| keys_dialog(&leave, keys), move |error| error_dialog(error, &here))
}

fn keys_dialog(leave: &str, keys: ProjectKeys<KeyView>) -> AnyView {
    let ProjectKeys { id, name, archived, is_member, may_make_keys, groups, total, now } = keys;
    let leave = leave.to_owned();
    let (close, foot) = (leave.clone(), leave.clone());
    let generate = may_make_keys.then(|| {
        view! {
            <a
                class="button button--primary"
                id="generate"
                href=format!("/projects/{id}/keys/new")
                autofocus=true
            >
                {Icon::Plus.view()}
                "Generate API key"
            </a>
        }
    });
    let why = match (archived, may_make_keys) {
        (true, _) => "This project is archived. Requests with its keys are rejected, and new keys cannot be created.",
        (false, true) => "Give each user their own key, so that you can deactivate one without affecting the others.",
        (false, false) => "Only project owners and operators can create keys.",
    };
    let shown: usize = groups.iter().map(|group| group.keys.len()).sum();
    let list = if groups.is_empty() {
        view! { <Empty title="No API keys yet" text="A key lets one person or system call the API for this project." /> }
            .into_any()
    } else {
        table(id, groups, is_member, total, now)
    };
    let all = (shown as u64 != total).then(|| {
        view! {
            <p>
                <a href=format!("/keys?project={id}")>"View all keys of this project"</a>
            </p>
        }
    });
    view! {
        <PageTitle text=format!("API keys of {name}") />
        <Dialog class="dialog--wide" described=true opener=format!("keys-{id}") leave>
            <DialogHead title=format!("API keys of {name}") close />
            <div class="dialog__body">
                <div class="stack stack--close">
                    <p id="dialog-lead">{why}</p>
                    {list}
                    {all}
                </div>
            </div>
            <footer class="dialog__foot">
                <Away to=foot label="Close" autofocus=!may_make_keys />
                {generate}
            </footer>
        </Dialog>
    }
    .into_any()
}

fn table(id: ProjectId, groups: Vec<IssuedKeys<KeyView>>, is_member: bool, total: u64, now: Timestamp) -> AnyView {
    let shown: usize = groups.iter().map(|group| group.keys.len()).sum();
    let all = format_count_of(total, "key", "keys");
    let caption = if shown as u64 == total { all } else { format!("{shown} of {all}") };
    let groups = groups.into_iter().map(|group| body(id, group, is_member, now)).collect_view();
    view! {
        <div class="panel wide">
            <table class="table">
                <caption>{caption}</caption>
                <thead>
                    <tr>
                        <Head label="Name" />
                        <Head label="Status" />
                        <Head label="Created" />
                        <Head label="Last used" />
                        <th class="cell-menu" scope="col">
                            <span class="visually-hidden">"Actions"</span>
                        </th>
                    </tr>
                </thead>
                {groups}
            </table>
        </div>
    }
    .into_any()
}

/// The keys of one `issued_to` value, under its name.
fn body(id: ProjectId, group: IssuedKeys<KeyView>, is_member: bool, now: Timestamp) -> impl IntoView {
    let to = group.to.unwrap_or_else(|| "Not set".to_owned());
    let count = format_count_of(group.keys.len() as u64, "key", "keys");
    let rows = group.keys.into_iter().map(|key| row(id, key, is_member, now)).collect_view();
    view! {
        <tbody>
            <tr class="group">
                <th colspan="5" scope="rowgroup">
                    {to}
                    " "
                    <span class="muted">{count}</span>
                </th>
            </tr>
            {rows}
        </tbody>
    }
}

fn row(id: ProjectId, key: KeyView, is_member: bool, now: Timestamp) -> impl IntoView {
    let page = format!("{}/{}", if is_member { "/keys" } else { "/admin/keys" }, key.id);
    let test = (key.environment == Environment::Test).then(|| view! { " " <span class="tag">"test"</span> });
    let used = match key.last_used.clone() {
        Some(at) => view! { <Ago at now /> }.into_any(),
        None => view! { <span class="muted">"Never used"</span> }.into_any(),
    };
    let delete = key.may_change.then(|| {
        let (to, name) = (format!("/projects/{id}/keys/{}/delete", key.id), format!("Delete key {}", key.name));
        view! {
            <IconLink icon=Icon::Trash name to />
        }
    });
    let (status, created, created_by) = (key.status, key.created.clone(), key.created_by.clone());
    view! {
        <tr data-status=status.as_str()>
            <th class="cell-name" scope="row">
                <a class="key-name" href=page>
                    {key.name.clone()}
                </a>
                {test}
                " "
                <code class="preview">{key.preview.clone()} "…"</code>
            </th>
            <Cell class="" label="Status">
                <Badge status />
            </Cell>
            <Cell class="" label="Created">
                <Day at=created />
                " "
                <span class="sub">{created_by}</span>
            </Cell>
            <Cell class="" label="Last used">
                {used}
            </Cell>
            <td class="cell-menu">{delete}</td>
        </tr>
    }
}

#[component]
pub fn DeleteProjectKeyPage() -> impl IntoView {
    let (id, key) = (param("id"), param("key"));
    let back = format!("/projects/{id}/keys");
    let (here, key_id) = (format!("{back}/{key}/delete"), key.parse::<KeyId>());
    let ask = move || {
        let (id, key_id) = (id.clone(), key_id.clone());
        async move {
            let key = get_key(key_id.map_err(|_| not_found())?).await?;
            if key.project_id.to_string() == id { Ok(key) } else { Err(not_found()) }
        }
    };
    let to = here.clone();
    load_with(ask, move |key| delete(&to, &back, key), move |error| error_dialog(error, &here))
}

fn delete(to: &str, back: &str, key: KeyView) -> AnyView {
    if !key.may_change {
        return error_dialog(
            AppError::new(ErrorKind::Forbidden, "Only project owners and operators can delete keys."),
            to,
        );
    }
    let used = key
        .last_used
        .as_ref()
        .map_or_else(|| "The key was never used.".into(), |at| format!("The key was last used on {}.", at.day));
    let (to, back) = (to.to_owned(), back.to_owned());
    view! {
        <PageTitle text=format!("Delete key: {}", key.name) />
        <Dialog class="dialog--small" described=true opener="generate" leave=back.clone()>
            <Form to>
                <DialogHead title=format!("Delete “{}”?", key.name) close=back.clone() />
                <div class="dialog__body">
                    <div class="stack stack--close">
                        <Refused />
                        <p id="dialog-lead">
                            {format!(
                                "Requests with this key and its tokens will fail immediately. {used} You can restore the key on the \
                                 API keys page for {RESTORE_DAYS} days.",
                            )}
                        </p>
                    </div>
                    <input type="hidden" name="project" value=key.project_id.to_string() />
                    <input type="hidden" name="id" value=key.id.to_string() />
                </div>
                <footer class="dialog__foot">
                    <Away to=back label="Cancel" autofocus=true />
                    <Submit label="Delete key" working="Deleting…" class="button button--danger" />
                </footer>
            </Form>
        </Dialog>
    }
    .into_any()
}
