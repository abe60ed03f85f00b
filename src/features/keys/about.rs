//! The dialogs about one key: deactivate, activate, delete, restore. One shape, four verbs.

use super::{
    api::{ActivateKey, DeactivateKey, DeleteKey, RestoreKey, get_key},
    state::{Keys, menu_button_id},
};
use crate::{
    domain::{
        ids::KeyId,
        key::{KeyView, Status},
    },
    error::{AppError, ErrorKind},
    features::session::{PageTitle, Session, leave_if_signed_out},
    ui::{
        answer::status,
        button::Submit,
        dialog::{Away, Dialog, DialogHead},
        form::Form,
        notice::{Notice, Refused, Tone},
        toast::Toast,
    },
};
use leptos::{
    prelude::*,
    server_fn::{ServerFn, client::Client},
};
use leptos_router::hooks::use_params_map;
use serde::de::DeserializeOwned;

#[component]
pub fn DeactivatePage() -> impl IntoView {
    page::<DeactivateKey>(Verb::Deactivate)
}

#[component]
pub fn ActivatePage() -> impl IntoView {
    page::<ActivateKey>(Verb::Activate)
}

#[component]
pub fn DeletePage() -> impl IntoView {
    page::<DeleteKey>(Verb::Delete)
}

#[component]
pub fn RestorePage() -> impl IntoView {
    page::<RestoreKey>(Verb::Restore)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Verb {
    Deactivate,
    Activate,
    Delete,
    Restore,
}

impl Verb {
    /// As it stands in the address.
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

    /// What will happen, to whom.
    fn lead(self, key: &KeyView) -> AnyView {
        let refused = |code: &'static str| {
            view! {
                "From the next request on, its callers are refused with "
                <code class="chip">{code}</code>
                ". "
                {used(key)}
            }
            .into_any()
        };
        match self {
            Self::Deactivate => refused("inactive"),
            Self::Delete => refused("deleted"),
            Self::Activate => "From the next request on, it is accepted again.".into_any(),
            Self::Restore => "It comes back in the state that it had.".into_any(),
        }
    }

    const fn note(self) -> Option<&'static str> {
        match self {
            Self::Deactivate => Some("Access tokens made from it stop as well. You can activate it again at any time."),
            Self::Delete => Some(
                "Access tokens made from it stop as well. You can undo this for 7 days. To stop it for a while, deactivate it \
                 instead.",
            ),
            Self::Activate | Self::Restore => None,
        }
    }

    fn toast(self, key: &KeyView) -> Toast {
        match self {
            Self::Deactivate => Toast::new(format!("“{}” deactivated.", key.name)),
            Self::Activate => Toast::new(format!("“{}” activated.", key.name)),
            Self::Restore => Toast::new(format!("“{}” restored.", key.name)),
            Self::Delete => Toast::new(format!("“{}” deleted.", key.name)).with_undo(key.id.to_string()),
        }
    }
}

fn used(key: &KeyView) -> String {
    key.last_used.as_ref().map_or_else(|| "It was never used.".into(), |at| format!("It was last used on {}.", at.day))
}

fn page<S>(verb: Verb) -> AnyView
where
    S: ServerFn<Output = KeyView, Error = AppError> + DeserializeOwned + Clone + Send + Sync + 'static,
    S::Client: Client<AppError>,
{
    let keys = Keys::here();
    let action = ServerAction::<S>::new();
    let value = action.value();
    Effect::new(move |_| {
        if let Some(Ok(key)) = value.get() {
            let toast = verb.toast(&key);
            if verb == Verb::Restore {
                keys.go("/keys?status=deleted".into())
            } else {
                keys.close()
            }
            keys.changed(toast, menu_button_id(&key));
        }
    });
    Effect::new(move |_| {
        // It was changed elsewhere: the list beneath says how it is now.
        let stale = |error: &AppError| matches!(error.kind, ErrorKind::Conflict | ErrorKind::NotFound);
        if value.with(|value| matches!(value, Some(Err(error)) if stale(error))) {
            keys.list.refetch();
        }
    });
    leave_if_signed_out(move || value.get().and_then(Result::err));
    let form = move |key: KeyView| {
        let to = untrack(|| keys.at(&format!("/keys/{}/{}", key.id, verb.path())));
        view! { <Form action to>{inside(verb, keys, &key)}</Form> }.into_any()
    };
    draw(keys, form)
}

/// Fetches the key and draws the dialog around the form.
fn draw(keys: Keys, form: impl Fn(KeyView) -> AnyView + Copy + Send + Sync + 'static) -> AnyView {
    let session = Session::here();
    let params = use_params_map();
    let key = Resource::new(
        move || params.with(|params| params.get("id").unwrap_or_default()),
        move |id| async move {
            session.signed_in().await?;
            match id.parse::<KeyId>() {
                Ok(id) => get_key(id).await,
                Err(_) => Err(AppError::new(ErrorKind::NotFound, "There is no such key.")),
            }
        },
    );
    leave_if_signed_out(move || key.get().and_then(Result::err));
    let leave = Callback::new(move |()| keys.close());
    let dialog = move |answer: Result<KeyView, AppError>| match answer {
        Ok(key) => {
            let opener = menu_button_id(&key);
            view! {
                <Dialog class="dialog--small" described=true opener leave>
                    {form(key)}
                </Dialog>
            }
            .into_any()
        }
        Err(error) => failed(keys, error),
    };
    view! { <Suspense>{move || key.get().map(dialog)}</Suspense> }.into_any()
}

/// What stands in place of a dialog that cannot be shown.
pub fn failed(keys: Keys, error: AppError) -> AnyView {
    if error.kind == ErrorKind::SignedOut {
        return ().into_any();
    }
    status(error.kind.status());
    let leave = Callback::new(move |()| keys.close());
    let back = untrack(move || keys.at("/keys"));
    view! {
        <PageTitle text="API keys" />
        <Dialog class="dialog--small" opener="main" leave>
            <DialogHead title="This cannot be shown" close=back.clone() />
            <div class="dialog__body">
                <p>{error.message}</p>
            </div>
            <footer class="dialog__foot">
                <Away to=back label="Back to your API keys" class="button button--primary" autofocus=true />
            </footer>
        </Dialog>
    }
    .into_any()
}

fn inside(verb: Verb, keys: Keys, key: &KeyView) -> AnyView {
    let (label, working, class) = verb.button();
    let back = untrack(move || keys.at("/keys"));
    let instead = (verb == Verb::Delete && !matches!(key.status, Status::Inactive | Status::Deleted)).then(|| {
        let to = untrack(|| keys.at(&format!("/keys/{}/deactivate", key.id)));
        view! { <Away to label="Deactivate instead" class="button button--quiet start" /> }
    });
    let note = verb.note().map(|note| view! { <Notice tone=Tone::Plain>{note}</Notice> });
    view! {
        <PageTitle text=format!("{label}: {}", key.name) />
        <DialogHead title=verb.title(&key.name) close=back.clone() />
        <div class="dialog__body">
            <div class="stack stack--close">
                <Refused />
                <p id="dialog-lead">{verb.lead(key)}</p>
                {note}
            </div>
            <input type="hidden" name="id" value=key.id.to_string() />
        </div>
        <footer class="dialog__foot">
            {instead} <Away to=back label="Cancel" autofocus=true /> <Submit label working class />
        </footer>
    }
    .into_any()
}
