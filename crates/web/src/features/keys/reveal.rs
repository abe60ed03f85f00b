//! The one-time display of a new secret.

use super::{
    KeyView,
    api::CreatedKey,
    rules::restriction_details as facts_of_rules,
    secret::{SecretBox, SecretFormats},
};
use crate::{
    islands::{CopyButton, RevealFoot},
    ui::{
        chips::Chips,
        dialog::{Away, Dialog, DialogHead},
        time::{Ago, Exactly},
    },
};
use leptos::prelude::*;

/// Context marker of a request from in-browser navigation, which hydrates the islands of the response.
#[derive(Clone, Copy, Debug)]
pub struct InBrowserNavigation;

/// The dialog over the list. If the user closes it before copying the secret, it asks for confirmation.
#[component]
pub fn Reveal(
    created: CreatedKey,
    /// The URL of the list below the dialog.
    #[prop(into)]
    leave: String,
) -> impl IntoView {
    let live = use_context::<InBrowserNavigation>().is_some();
    let forms = SecretFormats::new(&created);
    let foot = if live {
        view! { <RevealFoot key=created.key.id done=leave.clone() /> }.into_any()
    } else {
        view! {
            <footer class="dialog__foot">
                <Away to=leave.clone() label="Done" />
            </footer>
        }
        .into_any()
    };
    view! {
        <Dialog id="reveal" described=true opener="create" leave>
            <DialogHead
                id="reveal"
                title="Save this key now"
                lead="It cannot be shown again. Store it like a password, not in your code."
            />
            <div class="dialog__body">
                <div class="stack stack--close">
                    <SecretBox forms live />
                    {facts(created.key, live)}
                </div>
            </div>
            {foot}
        </Dialog>
    }
    .into_any()
}

/// Details of the key, first of all the project id, which clients need.
fn facts(key: KeyView, live: bool) -> AnyView {
    let now = key.created.at;
    let id = key.project_id.to_string();
    let rules = facts_of_rules(&key, false);
    let expires = match key.expires.clone() {
        Some(at) => view! {
            <Exactly at=at.clone() />
            " "
            <span class="muted">
                <Ago at now />
            </span>
        }
        .into_any(),
        None => "Never".into_any(),
    };
    let copy = live.then(|| {
        view! { <CopyButton from="#project-id".to_owned() label="Copy project ID".to_owned() main=false /> }
    });
    view! {
        <dl class="facts">
            <dt>"Key"</dt>
            <dd>{key.name.clone()}</dd>
            <dt>"Project"</dt>
            <dd>{format!("{}, {}", key.project, key.environment.as_str())}</dd>
            <dt>"Project ID"</dt>
            <dd>
                <div class="actions">
                    <code id="project-id">{id}</code>
                    {copy}
                </div>
            </dd>
            <dt>"Access scope"</dt>
            <dd>
                <Chips of=key.scopes.clone() />
            </dd>
            <dt>"Expires"</dt>
            <dd>{expires}</dd>
            {rules}
        </dl>
    }
    .into_any()
}
