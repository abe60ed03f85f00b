//! `/keys` and `/admin/keys`: the key list, with a dialog on top if the path names one.

use super::{
    api::CreatedKey,
    flash::FlashMessage,
    list::KeyList,
    list_context::{Audience, ListContext},
    routes::KEYS,
};
use crate::{
    features::{
        admin::routes::ALL_KEYS,
        session::{PageShell, PageTitle, Session, SignedInOnly, admin_page},
    },
    ui::icon::Icon,
};
use leptos::prelude::*;
use leptos_router::{components::Outlet, hooks::use_location};

/// The keys of all projects that the user is a member of.
#[component]
pub fn KeysPage() -> impl IntoView {
    let place = ListContext::provide(Audience::Member);
    let new = place.with_query("/keys/new");
    view! {
        <PageTitle text="API keys" under=true />
        <PageShell nav=KEYS inert=has_dialog(Audience::Member)>
            <SignedInOnly />
            <header class="page-head">
                <h1>"API keys"</h1>
                <Introduction />
                <div class="actions">
                    <a id="create" class="button button--primary" href=new data-shortcut="c">
                        {Icon::Plus.view()}
                        "Create API key"
                    </a>
                </div>
            </header>
            <div id="list">
                <KeyList />
            </div>
        </PageShell>
        <Outlet />
        <FlashMessage />
    }
}

/// All keys of this Keyward instance.
#[component]
pub fn AdminKeysPage() -> impl IntoView {
    admin_page(|| {
        ListContext::provide(Audience::Admin);
        view! {
            <PageTitle text="All keys" under=true />
            <PageShell nav=ALL_KEYS inert=has_dialog(Audience::Admin)>
                <header class="page-head">
                    <h1>"All keys"</h1>
                    <p>"All keys in this instance. You can deactivate or delete any key. The owner sees your reason."</p>
                </header>
                <div id="list">
                    <KeyList />
                </div>
            </PageShell>
            <Outlet />
            <FlashMessage />
        }
        .into_any()
    })
}

/// Whether the server renders a dialog on top of the list.
fn has_dialog(desk: Audience) -> bool {
    use_context::<CreatedKey>().is_some()
        || use_location().pathname.get_untracked().trim_end_matches('/') != desk.path()
}

/// One sentence that explains what a key is.
#[component]
fn Introduction() -> impl IntoView {
    let session = Session::current();
    let sentence = move |name: Option<String>| {
        let api = name.unwrap_or_else(|| "the API".to_owned());
        let text = format!(
            "An API key lets a server, script, or app call {api}. Its secret is shown once, when you create the key."
        );
        view! { <p>{text}</p> }
    };
    view! {
        <Suspense>{move || session.get().map(|known| sentence(known.ok().and_then(|known| known.instance.name)))}</Suspense>
    }
    .into_any()
}
