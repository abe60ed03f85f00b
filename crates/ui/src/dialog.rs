//! Dialogs: the server draws them open, over a shell that is inert; in the browser `live::dialogs` makes them modal.

use super::icon::Icon;
use leptos::prelude::*;

/// A dialog, named by its head.
#[component]
pub fn Dialog(
    /// The start of its ids: the title's is `{id}-title`, the lead's `{id}-lead`.
    #[prop(default = "dialog")]
    id: &'static str,
    #[prop(optional)] class: Option<&'static str>,
    /// Something with the id `{id}-lead` says more than the title.
    #[prop(optional)]
    described: bool,
    /// The id of the element that focus goes back to.
    #[prop(into)]
    opener: String,
    /// Where Escape, and a press beside the dialog, lead.
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

/// The title, and a link that leaves.
#[component]
pub fn DialogHead(
    #[prop(default = "dialog")] id: &'static str,
    #[prop(into)] title: String,
    /// Where Close leads; without it there is no Close.
    #[prop(optional, into)]
    close: Option<String>,
    #[prop(optional)] lead: Option<&'static str>,
) -> impl IntoView {
    let close = close.map(|to| {
        view! {
            <a class="button button--quiet button--icon" href=to data-replace aria-label="Close">
                {Icon::X.view()}
            </a>
        }
    });
    view! {
        <header class="dialog__head">
            <h2 id=format!("{id}-title")>{title}</h2>
            {close}
            {lead.map(|lead| view! { <p id=format!("{id}-lead")>{lead}</p> })}
        </header>
    }
    .into_any()
}

/// A link in a dialog's foot that goes without leaving a trace in the history.
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
