//! `/keys`: the list. The dialogs are its children, so it stays while they come and go.

use super::{
    filters::Filters,
    list::KeyList,
    reveal::Reveal,
    state::{Keys, menu_button_id},
};
use crate::{
    domain::key::KeyView,
    error::AppError,
    features::session::{PageTitle, Person, Session, SignedInOnly, leave_if_signed_out},
    ui::{
        dialog::ShellInert,
        icon::Icon,
        layout::Layout,
        toast::{Toast, Toasts},
    },
};
use leptos::{ev, prelude::*};
use leptos_router::{components::Outlet, hooks::use_location};

#[component]
pub fn KeysPage() -> impl IntoView {
    let keys = Keys::provide();
    // A child's address: the server draws a dialog over the shell. The dialog takes this back when it is modal.
    let over = use_location().pathname.with_untracked(|path| path.trim_end_matches('/') != "/keys");
    let inert = RwSignal::new(over);
    provide_context(ShellInert(inert));

    leave_if_signed_out(move || keys.list.get().and_then(Result::err));
    said(keys, keys.activate.value().into(), "activated");
    said(keys, keys.restore.value().into(), "restored");
    forget_on_pagehide(keys);
    keys.keep_focus();

    view! {
        <PageTitle text="API keys" />
        <Layout inert foot=view! { <Person /> }.into_any()>
            <SignedInOnly />
            <header class="page-head">
                <h1>"API keys"</h1>
                <Lead />
                <div class="actions">
                    <a id="create" class="button button--primary" href=move || keys.at("/keys/new") data-noscroll=true>
                        {Icon::Plus.view()}
                        "Create API key"
                    </a>
                </div>
            </header>
            <Filters />
            <KeyList />
        </Layout>
        <Outlet />
        {move || keys.revealed.get().map(|created| view! { <Reveal created /> })}
        <Toasts toast=keys.toast undo=keys.undo() />
    }
}

/// What a key is, in a sentence.
#[component]
fn Lead() -> impl IntoView {
    let session = Session::here();
    let sentence = move |name: Option<String>| {
        let api = name.unwrap_or_else(|| "the API".to_owned());
        let text =
            format!("A key lets a program call {api} in your name. Its secret is shown once, when you create it.");
        view! { <p>{text}</p> }
    };
    view! {
        <Suspense>{move || session.get().map(|known| sentence(known.ok().and_then(|known| known.instance.name)))}</Suspense>
    }
    .into_any()
}

/// Says how an action of a row's menu went.
fn said(keys: Keys, value: Signal<Option<Result<KeyView, AppError>>>, done: &'static str) {
    Effect::new(move |_| match value.get() {
        Some(Ok(key)) => {
            keys.changed(Toast::new(format!("“{}” {done}.", key.name)), menu_button_id(&key));
        }
        Some(Err(error)) => keys.toast.set(Some(Toast::new(error.message))),
        None => {}
    });
    leave_if_signed_out(move || value.get().and_then(Result::err));
}

/// A page that the browser keeps for Back must not keep a secret.
fn forget_on_pagehide(keys: Keys) {
    Effect::new(move |_| {
        let listener =
            window_event_listener(ev::Custom::<ev::Event>::new("pagehide"), move |_| keys.revealed.set(None));
        on_cleanup(move || listener.remove());
    });
}
