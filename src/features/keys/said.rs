//! Flash message above the list. `?done=deleted&key=…` selects it; it is shown only if it matches the key's current
//! state.

use super::{
    api::key_if_any,
    place::{Desk, Place},
};
use crate::{
    domain::{
        ids::KeyId,
        key::{KeyView, Status},
    },
    features::resource::resource,
    features::session::Session,
    ui::toast::Toasts,
};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

#[component]
pub fn Said() -> impl IntoView {
    let place = Place::here();
    let session = Session::here();
    let query = use_query_map();
    let (done, id) = query.with_untracked(|query| (query.get("done").unwrap_or_default(), query.get("key")));
    let id = id.and_then(|id| id.parse::<KeyId>().ok());
    let desk = place.desk;
    let key = resource(
        || (),
        move |()| async move {
            let id = id?;
            session.signed_in().await.ok()?;
            key_if_any(id, desk == Desk::Admin).await
        },
    );
    let draw = move |key: Option<KeyView>| {
        let said = key.as_ref().and_then(|key| sentence(&done, key));
        let undo = key.filter(|key| said.is_some() && key.status == Status::Deleted && desk == Desk::Own);
        let undo = undo.map(|key| (place.about(&key, "restore"), key.id.to_string()));
        view! { <Toasts said undo /> }.into_any()
    };
    view! { <Suspense>{move || key.get().map(draw.clone())}</Suspense> }.into_any()
}

/// Returns the message if it matches the key's state.
fn sentence(done: &str, key: &KeyView) -> Option<String> {
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
