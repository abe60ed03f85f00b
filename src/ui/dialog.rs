//! Dialogs: the server draws them open, over a shell that is inert; the browser then makes them modal.

use super::{browser, icon::Icon};
use leptos::{
    ev, html,
    prelude::*,
    wasm_bindgen::JsCast,
    web_sys::{HtmlDialogElement, MouseEvent, Node},
};
use std::time::Duration;

/// Whether the shell is inert because a dialog lies over it that is not modal (yet). Given as context by the page.
#[derive(Clone, Copy)]
pub struct ShellInert(pub RwSignal<bool>);

/// A dialog, named by its head. It is modal as soon as the browser has taken over.
#[component]
pub fn Dialog(
    /// The start of its ids: the title's is `{id}-title`, the lead's `{id}-lead`.
    #[prop(default = "dialog")]
    id: &'static str,
    #[prop(optional)] class: Option<&'static str>,
    /// Something with the id `{id}-lead` says more than the title.
    #[prop(optional)]
    described: bool,
    /// The element that focus goes back to.
    #[prop(into)]
    opener: String,
    /// The person wants to leave: Escape, or a press beside the dialog.
    leave: Callback<()>,
    children: Children,
) -> impl IntoView {
    let node = NodeRef::<html::Dialog>::new();
    let inert = use_context::<ShellInert>();
    Effect::new(move |_| {
        if let Some(dialog) = node.get() {
            browser::keep_focus_during(&dialog, || make_modal(&dialog));
            if let Some(inert) = inert {
                inert.0.set(false);
            }
        }
    });
    on_cleanup(move || browser::focus_soon(&opener));

    let outside = move |event: &MouseEvent| {
        let target = event.target().and_then(|target| target.dyn_into::<Node>().ok());
        node.get_untracked().is_some_and(|dialog| target.is_some_and(|target| dialog.is_same_node(Some(&target))))
    };
    // A press that began within, on a text being selected perhaps, does not close.
    let pressed = StoredValue::new(false);
    let escape = move |event: ev::Event| {
        event.prevent_default();
        leave.run(());
    };
    // A browser closes it whatever we say when Escape is pressed twice: ask then too, and show what is still to be decided.
    let closed = move |_| {
        leave.run(());
        let again = move || {
            if let Some(dialog) = node.try_get_untracked().flatten().filter(|it| it.is_connected() && !it.open()) {
                make_modal(&dialog);
            }
        };
        set_timeout(again, Duration::from_millis(200));
    };
    view! {
        <dialog
            open
            class=class
            aria-labelledby=format!("{id}-title")
            aria-describedby=described.then(|| format!("{id}-lead"))
            node_ref=node
            on:cancel=escape
            on:close=closed
            on:mousedown=move |event| pressed.set_value(outside(&event))
            on:click=move |event| {
                if pressed.get_value() && outside(&event) {
                    leave.run(());
                }
            }
        >
            {children()}
        </dialog>
    }
    .into_any()
}

/// `showModal` refuses an open dialog; taking the attribute away closes it without an event.
fn make_modal(dialog: &HtmlDialogElement) {
    let _ = dialog.remove_attribute("open");
    let _ = dialog.show_modal();
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
            <a
                class="button button--quiet button--icon"
                href=to
                prop:replace=true
                data-noscroll=true
                aria-label="Close"
            >
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
        <a class=class href=to prop:replace=true data-noscroll=true autofocus=autofocus>
            {label}
        </a>
    }
    .into_any()
}
