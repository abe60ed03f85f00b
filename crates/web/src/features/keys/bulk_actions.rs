//! `/admin/keys/chosen`: bulk actions. Deactivates or deletes several keys with one reason. The list submits the
//! checked rows; the confirmation page lists the keys.

use super::{lifecycle_dialogs::error_dialog, list_context::ListContext};
use crate::{
    domain::{
        count::format_number_of,
        filter::KeyFilter,
        ids::KeyId,
        key::{BulkResult, RESTORE_DAYS, SelectedKey},
    },
    features::resource::resource,
    features::{
        admin::api::admin_chosen_keys,
        session::{PageTitle, Session},
    },
    ui::{
        button::Submit,
        dialog::{Away, Dialog, DialogHead},
        field::Field,
        form::Form,
        notice::{Notice, Refused, Tone},
    },
};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

const PAGE: &str = "/admin/keys/chosen";

/// The bulk action form of the list. The checkboxes of the rows reference it by its id, since they are outside of it.
pub fn bulk_form(place: &ListContext) -> AnyView {
    let KeyFilter { status, project, environment, expires, owner, view, sort } = place.filter.clone();
    let kept = [
        ("status", status.map(|it| it.as_str().to_owned())),
        ("project", project.map(|it| it.to_string())),
        ("environment", environment.map(|it| it.as_str().to_owned())),
        ("expires", expires.map(|it| it.as_str().to_owned())),
        ("owner", owner.map(|it| it.to_string())),
        ("view", view.map(|it| it.as_str().to_owned())),
        ("sort", (sort != Default::default()).then(|| sort.as_str().to_owned())),
    ];
    let cursor = place.cursor_parameter().map(|(name, value)| (name, Some(value.to_owned())));
    let kept = kept
        .into_iter()
        .chain(cursor)
        .filter_map(|(name, value)| value.map(|value| view! { <input type="hidden" name=name value=value /> }))
        .collect_view();
    view! {
        <form class="bulk" id="chosen" action=PAGE aria-label="Selected keys">
            <span class="bulk__count">"selected"</span>
            {kept}
            <button class="button button--warn" name="verb" value="deactivate">
                "Deactivate…"
            </button>
            <button class="button button--danger" name="verb" value="delete">
                "Delete…"
            </button>
        </form>
    }
    .into_any()
}

#[component]
pub fn BulkActionPage() -> impl IntoView {
    let place = ListContext::current();
    // Set in the response to the form submission.
    if let Some(done) = use_context::<BulkResult>() {
        return result_dialog(&place, done);
    }
    let session = Session::current();
    let (delete, ids) = use_query_map().with_untracked(|query| {
        let ids = query.get_all("id").unwrap_or_default();
        let ids: Vec<KeyId> = ids.iter().filter_map(|id| id.parse().ok()).collect();
        (query.get("verb").as_deref() == Some("delete"), ids)
    });
    let keys = resource(
        || (),
        move |()| {
            let ids = ids.clone();
            async move {
                session.signed_in().await?;
                admin_chosen_keys(ids).await
            }
        },
    );
    let draw = move |answer| match answer {
        Ok(keys) => confirm_dialog(&place, delete, keys),
        Err(error) => error_dialog(&place, error),
    };
    view! { <Suspense>{move || keys.get().map(draw.clone())}</Suspense> }.into_any()
}

fn key_count(n: usize) -> String {
    format_number_of(n as u64, "key", "keys")
}

fn confirm_dialog(place: &ListContext, delete: bool, keys: Vec<SelectedKey>) -> AnyView {
    let (objects, tokens, noun) =
        if keys.len() == 1 { ("this key", "it", "key") } else { ("these keys", "them", "keys") };
    let effect = format!("Requests with {objects}, or with access tokens issued from {tokens}, will fail immediately.");
    let (verb, path, working, remedy) = if delete {
        ("Delete", "delete", "Deleting…", format!("can restore the {noun}, within {RESTORE_DAYS} days."))
    } else {
        ("Deactivate", "deactivate", "Deactivating…", format!("can activate the {noun} again."))
    };
    let lead = format!("{effect} Only an administrator {remedy}");
    let label = match (delete, keys.len() == 1) {
        (true, true) => "Delete key",
        (true, false) => "Delete keys",
        (false, true) => "Deactivate key",
        (false, false) => "Deactivate keys",
    };
    let title = format!("{verb} {}?", key_count(keys.len()));
    let mut to = place.with_query(PAGE);
    let mut add = |name: &str, value: &str| {
        to.push(if to.contains('?') { '&' } else { '?' });
        to.push_str(&format!("{name}={value}"));
    };
    add("verb", path);
    for key in &keys {
        add("id", &key.id.to_string());
    }
    let rows = keys
        .into_iter()
        .map(|key| {
            view! {
                <li>
                    <input type="hidden" name="ids[]" value=key.id.to_string() />
                    {key.name}
                    " "
                    <span class="muted">{format!("{}, {}", key.project, key.status.label().to_lowercase())}</span>
                </li>
            }
        })
        .collect_view();
    let back = place.list_url();
    let close = back.clone();
    let leave = back.clone();
    let inside = move || {
        view! {
            <DialogHead title=title close=close />
            <div class="dialog__body">
                <div class="stack stack--close">
                    <Refused />
                    <p id="dialog-lead">{lead}</p>
                    <ul class="lines">{rows}</ul>
                    <Field
                        name="reason"
                        label="Reason"
                        hint="The owners see this reason and your name."
                        required=true
                        autofocus=true
                    />
                </div>
                <input type="hidden" name="verb" value=path />
            </div>
            <footer class="dialog__foot">
                <Away to=back label="Cancel" />
                <Submit label working class="button button--danger" />
            </footer>
        }
        .into_any()
    };
    view! {
        <PageTitle text=label />
        <Dialog class="dialog--small" described=true opener="main" leave>
            <Form to>{inside()}</Form>
        </Dialog>
    }
    .into_any()
}

/// The result: how many keys changed, and which did not, each with its reason.
fn result_dialog(place: &ListContext, done: BulkResult) -> AnyView {
    let word = if done.deleted { "deleted" } else { "deactivated" };
    let title = format!("{} {word}", key_count(done.changed as usize));
    let same = (done.same > 0).then(|| {
        let were = if done.same == 1 { "was" } else { "were" };
        view! { <p>{format!("{} {were} already {word}.", key_count(done.same as usize))}</p> }
    });
    let left = (!done.left.is_empty()).then(|| {
        let count = key_count(done.left.len());
        let rows = done.left.into_iter().map(|it| view! { <li>{it.name} ": " {it.why}</li> }).collect_view();
        view! {
            <Notice tone=Tone::Warning>{format!("{count} could not be {word}:")}</Notice>
            <ul class="lines">{rows}</ul>
        }
    });
    let back = place.list_url();
    view! {
        <PageTitle text=title.clone() />
        <Dialog class="dialog--small" opener="main" leave=back.clone()>
            <DialogHead title close=back.clone() />
            <div class="dialog__body">
                <div class="stack stack--close" role="status">
                    {same} {left}
                    <p>"Each change is recorded in the audit log with your reason."</p>
                </div>
            </div>
            <footer class="dialog__foot">
                <Away to=back label="Back to the list" class="button button--primary" autofocus=true />
            </footer>
        </Dialog>
    }
    .into_any()
}
