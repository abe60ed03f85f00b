//! Dialogs. The server renders them open above an inert page; in the browser `navigation::dialogs` makes them modal.

use super::{button::IconLink, icon::Icon};
use leptos::prelude::*;

/// A dialog, labeled by its header.
#[component]
pub fn Dialog(
    /// Prefix of ids: the title has `{id}-title`, the lead has `{id}-lead`.
    #[prop(default = "dialog")]
    id: &'static str,
    #[prop(optional)] class: Option<&'static str>,
    /// Whether an element with the id `{id}-lead` describes the dialog.
    #[prop(optional)]
    described: bool,
    /// Id of the element that gets the focus after the dialog closes.
    #[prop(into)]
    opener: String,
    /// Target of Escape and of a click outside the dialog.
    #[prop(into)]
    leave: String,
    children: Children,
) -> impl IntoView {
    view! {
        <dialog
            open
            id=id
            class=class
            aria-labelledby=format!("{id}-title")
            aria-describedby=described.then(|| format!("{id}-lead"))
            data-opener=opener
            data-leave=leave
        >
            {children()}
        </dialog>
    }
    .into_any()
}

/// Dialog header: the title and a close link.
#[component]
pub fn DialogHead(
    #[prop(default = "dialog")] id: &'static str,
    #[prop(into)] title: String,
    /// Target of the close link. Without it there is no close link.
    #[prop(optional, into)]
    close: Option<String>,
    #[prop(optional)] lead: Option<&'static str>,
) -> impl IntoView {
    let close = close.map(|to| view! { <IconLink icon=Icon::X name="Close" to replaces=true /> });
    view! {
        <header class="dialog__head">
            <h2 id=format!("{id}-title")>{title}</h2>
            {close}
            {lead.map(|lead| view! { <p id=format!("{id}-lead")>{lead}</p> })}
        </header>
    }
    .into_any()
}

/// A link in a dialog's footer that replaces the history entry instead of adding one.
#[component]
pub fn Away(
    #[prop(into)] to: String,
    label: &'static str,
    #[prop(default = "button")] class: &'static str,
    #[prop(optional)] autofocus: bool,
) -> impl IntoView {
    view! {
        <a class=class href=to data-replace autofocus=autofocus>
            {label}
        </a>
    }
    .into_any()
}
