//! What the list and its dialogs share. The list's page owns it; its filter and its place in the list stand in the address.

use super::api::{ActivateKey, CreatedKey, RestoreKey, list_keys};
use crate::{
    domain::{
        key::{KeyPage, KeyView},
        time::Timestamp,
    },
    error::AppError,
    features::session::Session,
    ui::{browser, toast::Toast},
};
use leptos::prelude::*;
use leptos_router::{
    NavigateOptions,
    hooks::{use_navigate, use_query_map},
    location::Url,
};

#[derive(Clone, Copy)]
pub struct Keys {
    /// The deleted keys are shown.
    pub deleted: Memo<bool>,
    /// Where this page of the list begins; empty at the first.
    pub after: Memo<String>,
    pub list: Resource<Result<KeyPage, AppError>>,
    /// The key that was just made, with its secret: here and nowhere else, until the reveal is closed.
    pub revealed: RwSignal<Option<CreatedKey>>,
    pub toast: RwSignal<Option<Toast>>,
    pub activate: ServerAction<ActivateKey>,
    pub restore: ServerAction<RestoreKey>,
    go: Callback<String>,
    /// Where focus goes if it is lost, and the list that was there before.
    focus: StoredValue<Option<(String, Option<Timestamp>)>>,
}

impl Keys {
    /// Makes the state and gives it to the page's parts and dialogs as context.
    pub fn provide() -> Self {
        let query = use_query_map();
        let deleted = Memo::new(move |_| query.with(|it| it.get("status").as_deref() == Some("deleted")));
        let after = Memo::new(move |_| query.with(|it| it.get("after").unwrap_or_default()));
        let session = Session::here();
        let list = Resource::new(
            move || (deleted.get(), after.get()),
            move |(deleted, after)| async move {
                session.signed_in().await?;
                list_keys(if deleted { "deleted".into() } else { String::new() }, after).await
            },
        );
        let navigate = use_navigate();
        let go = Callback::new(move |to: String| {
            navigate(&to, NavigateOptions { replace: true, scroll: false, ..NavigateOptions::default() });
        });
        let keys = Self {
            deleted,
            after,
            list,
            revealed: RwSignal::new(None),
            toast: RwSignal::new(None),
            activate: ServerAction::new(),
            restore: ServerAction::new(),
            go,
            focus: StoredValue::new(None),
        };
        provide_context(keys);
        keys
    }

    pub fn here() -> Self {
        expect_context()
    }

    /// This path, with the filter and the place in the list, so that they are the same beneath a dialog.
    pub fn at(self, path: &str) -> String {
        let after = self.after.get();
        let filter = if self.deleted.get() { "?status=deleted" } else { "" };
        match (filter, after.as_str()) {
            (filter, "") => format!("{path}{filter}"),
            ("", after) => format!("{path}?after={}", Url::escape(after)),
            (filter, after) => format!("{path}{filter}&after={}", Url::escape(after)),
        }
    }

    /// Back to the list, in place of the dialog that is open.
    pub fn close(self) {
        self.go(untrack(move || self.at("/keys")));
    }

    /// To another address, in place of this one.
    pub fn go(self, to: String) {
        self.go.run(to);
    }

    /// Something was changed: says so, and asks for the list again. If the focus is then lost, because what had it was drawn
    /// anew or is gone, it goes to the element `focus`.
    pub fn changed(self, toast: Toast, focus: String) {
        let seen = self.list.with_untracked(|list| Some(list.as_ref()?.as_ref().ok()?.now));
        self.focus.set_value(Some((focus, seen)));
        self.toast.set(Some(toast));
        self.list.refetch();
    }

    /// Keeps the promise of [`Self::changed`]. Called once, by the page.
    pub fn keep_focus(self) {
        Effect::new(move |_| {
            let now = self.list.with(|list| Some(list.as_ref()?.as_ref().ok()?.now));
            let fresh = self.focus.with_value(|focus| focus.as_ref().is_some_and(|(_, seen)| *seen != now));
            if let Some((id, _)) = fresh.then(|| self.focus.try_update_value(Option::take).flatten()).flatten() {
                browser::focus_if_lost(&id);
            }
        });
    }

    /// A key was made: its secret is shown over the list.
    pub fn reveal(self, created: CreatedKey) {
        self.toast.set(None);
        self.revealed.set(Some(created));
        // The first page of all keys: there the new one stands, wherever the person was before.
        self.go("/keys".into());
        self.list.refetch();
    }

    /// Brings back the key that was deleted last. A disposed dialog cannot do it, so the page does.
    pub fn undo(self) -> Callback<String> {
        Callback::new(move |id: String| {
            self.toast.set(None);
            if let Ok(id) = id.parse() {
                self.restore.dispatch(RestoreKey { id });
            }
        })
    }
}

/// The menu of this key's row.
pub fn menu_id(key: &KeyView) -> String {
    format!("actions-{}", key.id)
}

/// The button of that menu: focus comes back to it.
pub fn menu_button_id(key: &KeyView) -> String {
    format!("{}-button", menu_id(key))
}
