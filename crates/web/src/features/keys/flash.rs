//! Flash message above the list. `?done=deleted&key=…` selects it; it is shown only if it matches the key's current
//! state.

use super::{
    api::key_if_any,
    list_context::{Audience, ListContext},
};
use crate::{
    domain::{
        ids::KeyId,
        key::{Key, Status},
    },
    features::resource::resource,
    features::session::Session,
    ui::toast::Toasts,
};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

#[component]
pub fn FlashMessage() -> impl IntoView {
    let place = ListContext::current();
    let session = Session::current();
    let query = use_query_map();
    let (done, id) = query.with_untracked(|query| (query.get("done").unwrap_or_default(), query.get("key")));
    let id = id.and_then(|id| id.parse::<KeyId>().ok());
    let desk = place.audience;
    let key = resource(
        || (),
        move |()| async move {
            let id = id?;
            session.signed_in().await.ok()?;
            key_if_any(id, desk == Audience::Admin).await
        },
    );
    let draw = move |key: Option<Key>| {
        let message = key.as_ref().and_then(|key| flash_message(&done, key));
        let undo = key.filter(|key| message.is_some() && key.status == Status::Deleted && desk == Audience::Member);
        let undo = undo.map(|key| (place.dialog_url(&key, "restore"), key.id.to_string()));
        view! { <Toasts message undo /> }.into_any()
    };
    view! { <Suspense>{move || key.get().map(draw.clone())}</Suspense> }.into_any()
}

/// Returns the message if it matches the key's state.
fn flash_message(done: &str, key: &Key) -> Option<String> {
    let deleted = key.status == Status::Deleted;
    let is_so = match done {
        "deleted" => deleted,
        "deactivated" => key.status == Status::Inactive,
        "activated" => !deleted && key.status != Status::Inactive,
        "restored" | "edited" => !deleted,
        _ => false,
    };
    let word = if done == "edited" { "saved" } else { done };
    is_so.then(|| format!("“{}” {word}.", key.name))
}
