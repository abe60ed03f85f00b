//! Lifecycle dialogs of a key: deactivate, activate, delete, restore. An administrator has to enter a reason.

use super::{
    KeyView,
    api::{KEY_NOT_FOUND, get_key},
    list_context::{Audience, ListContext, menu_button_id},
};
use crate::{
    domain::{
        ids::KeyId,
        key::{RESTORE_DAYS, Status},
    },
    error::{AppError, ErrorKind},
    features::resource::resource,
    features::{
        admin::api::admin_get_key,
        session::{PageTitle, Session},
    },
    response_status::status,
    ui::{
        button::Submit,
        dialog::{Away, Dialog, DialogHead},
        field::Field,
        form::Form,
        notice::{Notice, Refused, Tone},
    },
};
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

#[component]
pub fn DeactivatePage() -> impl IntoView {
    page(LifecycleDialog::Deactivate)
}

#[component]
pub fn ActivatePage() -> impl IntoView {
    page(LifecycleDialog::Activate)
}

#[component]
pub fn DeletePage() -> impl IntoView {
    page(LifecycleDialog::Delete)
}

#[component]
pub fn RestorePage() -> impl IntoView {
    page(LifecycleDialog::Restore)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum LifecycleDialog {
    Deactivate,
    Activate,
    Delete,
    Restore,
}

impl LifecycleDialog {
    /// The last segment of the path.
    const fn path(self) -> &'static str {
        match self {
            Self::Deactivate => "deactivate",
            Self::Activate => "activate",
            Self::Delete => "delete",
            Self::Restore => "restore",
        }
    }

    const fn button(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Deactivate => ("Deactivate key", "Deactivating…", "button button--danger"),
            Self::Activate => ("Activate key", "Activating…", "button button--primary"),
            Self::Delete => ("Delete key", "Deleting…", "button button--danger"),
            Self::Restore => ("Restore key", "Restoring…", "button button--primary"),
        }
    }

    fn title(self, name: &str) -> String {
        let verb = match self {
            Self::Deactivate => "Deactivate",
            Self::Activate => "Activate",
            Self::Delete => "Delete",
            Self::Restore => "Restore",
        };
        format!("{verb} “{name}”?")
    }

    /// The consequences of the action and who is affected.
    fn consequences(self, key: &KeyView) -> AnyView {
        let refused = |code: &'static str| {
            view! {
                "Requests with this key will fail immediately ("
                <code class="chip">{code}</code>
                "). "
                {last_used_sentence(key)}
            }
            .into_any()
        };
        match self {
            Self::Deactivate => refused("inactive"),
            Self::Delete => refused("deleted"),
            Self::Activate => "Requests with this key are accepted again, unless the key has expired.".into_any(),
            Self::Restore => "The key returns to its previous state.".into_any(),
        }
    }

    fn notice(self) -> Option<String> {
        match self {
            Self::Deactivate => Some(
                "Access tokens issued from this key also stop working. You can activate the key again at any time."
                    .to_owned(),
            ),
            Self::Delete => Some(format!(
                "Access tokens issued from this key also stop working. You can restore the key for {RESTORE_DAYS} days. To \
                 block the key without deleting it, deactivate it.",
            )),
            Self::Activate | Self::Restore => None,
        }
    }
}

fn last_used_sentence(key: &KeyView) -> String {
    key.last_used
        .as_ref()
        .map_or_else(|| "The key was never used.".into(), |at| format!("The key was last used on {}.", at.day))
}

/// Loads the key of the URL, as a user or as an administrator.
pub fn load_key_from_url(desk: Audience) -> Resource<Result<KeyView, AppError>> {
    let session = Session::current();
    let id = use_params_map().with_untracked(|params| params.get("id").unwrap_or_default());
    resource(
        || (),
        move |()| {
            let id = id.parse::<KeyId>();
            async move {
                session.signed_in().await?;
                match (id, desk) {
                    (Ok(id), Audience::Member) => get_key(id).await,
                    (Ok(id), Audience::Admin) => admin_get_key(id).await,
                    (Err(_), _) => Err(AppError::new(ErrorKind::NotFound, KEY_NOT_FOUND)),
                }
            }
        },
    )
}

fn page(verb: LifecycleDialog) -> AnyView {
    let place = ListContext::current();
    let key = load_key_from_url(place.audience);
    let draw = move |answer: Result<KeyView, AppError>| match answer {
        Ok(key) => {
            let (to, leave) = (place.dialog_url(&key, verb.path()), place.list_url());
            let inside = dialog_content(verb, &place, &key);
            view! {
                <Dialog class="dialog--small" described=true opener=menu_button_id(&key) leave>
                    <Form to>{inside()}</Form>
                </Dialog>
            }
            .into_any()
        }
        Err(error) => error_dialog(&place, error),
    };
    view! { <Suspense>{move || key.get().map(draw.clone())}</Suspense> }.into_any()
}

/// An error dialog in place of a dialog that cannot be shown.
pub fn error_dialog(place: &ListContext, error: AppError) -> AnyView {
    if error.kind == ErrorKind::SignedOut {
        return ().into_any();
    }
    status(error.kind.status());
    let back = place.list_url();
    view! {
        <PageTitle text="API keys" />
        <Dialog class="dialog--small" opener="main" leave=back.clone()>
            <DialogHead title="Page not available" close=back.clone() />
            <div class="dialog__body">
                <p>{error.message}</p>
            </div>
            <footer class="dialog__foot">
                <Away to=back label="Back to the list" class="button button--primary" autofocus=true />
            </footer>
        </Dialog>
    }
    .into_any()
}

/// The contents of the form. They are built inside `Form` because only its context has the field errors.
fn dialog_content(verb: LifecycleDialog, place: &ListContext, key: &KeyView) -> impl FnOnce() -> AnyView + use<> {
    let (place, key) = (place.clone(), key.clone());
    move || {
        let (label, working, class) = verb.button();
        let back = place.list_url();
        let admin = place.audience == Audience::Admin;
        let instead = (verb == LifecycleDialog::Delete && !matches!(key.status, Status::Inactive | Status::Deleted)).then(|| {
            view! { <Away to=place.dialog_url(&key, "deactivate") label="Deactivate instead" class="button button--quiet start" /> }
        });
        let note = verb.notice().map(|note| view! { <Notice tone=Tone::Plain>{note}</Notice> });
        let reason = admin.then(|| {
            view! {
                <Field
                    name="reason"
                    label="Reason"
                    hint="The owner sees this reason and your name."
                    required=true
                    autofocus=true
                />
            }
        });
        view! {
            <PageTitle text=format!("{label}: {}", key.name) />
            <DialogHead title=verb.title(&key.name) close=back.clone() />
            <div class="dialog__body">
                <div class="stack stack--close">
                    <Refused />
                    <p id="dialog-lead">{verb.consequences(&key)}</p>
                    {note} {reason}
                </div>
                <input type="hidden" name="id" value=key.id.to_string() />
            </div>
            <footer class="dialog__foot">
                {instead} <Away to=back label="Cancel" autofocus=!admin /> <Submit label working class />
            </footer>
        }
        .into_any()
    }
}
