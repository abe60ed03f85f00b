//! The one time that a secret is shown.

use super::{
    api::CreatedKey,
    secret::{Forms, SecretBox},
    state::Keys,
};
use crate::{
    domain::key::KeyView,
    ui::{
        browser,
        chips::Chips,
        copy::{CopyLabel, CopyStatus, Copying, copy},
        dialog::{Away, Dialog, DialogHead},
        icon::Icon,
        time::{Ago, Exactly},
    },
};
use leptos::{ev, prelude::*};

/// The dialog over the list. Leaving it without having copied asks once more.
#[component]
pub fn Reveal(
    created: CreatedKey,
    /// The page has no scripts: nothing copies, and Done is a link.
    #[prop(optional)]
    still: bool,
) -> impl IntoView {
    let keys = Keys::here();
    let forms = Forms::of(&created);
    let tab = RwSignal::new("secret");
    let state = RwSignal::new(Copying::Idle);
    let copied = RwSignal::new(false);
    let asked = RwSignal::new(false);
    warn_on_unload(copied);

    let close = move || keys.revealed.set(None);
    let leave = Callback::new(move |()| {
        if copied.get_untracked() {
            close();
        } else {
            asked.set(true);
            browser::focus_soon("copy-and-close");
        }
    });
    let held = StoredValue::new(forms.clone());
    let copy_now = move |then: Callback<()>| {
        let tab = tab.get_untracked();
        let text = held.with_value(|forms| forms.tab(tab));
        // The mask hides the text from a selection too.
        uncheck_mask();
        let stands = document().query_selector(&format!(".secret [data-panel={tab}] code")).ok().flatten();
        copy(text, stands, state, then);
    };
    let done = Callback::new(move |()| copied.set(true));
    let finish = Callback::new(move |()| {
        copied.set(true);
        close();
    });
    let button = (!still).then(|| Callback::new(move |()| copy_now(done)));
    let copy_and_close = move |_| {
        asked.set(false);
        copy_now(finish);
    };
    let foot = move || {
        if asked.get() {
            return view! {
                <div class="guard" role="alert">
                    <div>
                        <h3>"You have not copied this key"</h3>
                        <p>"Nobody can show it again later."</p>
                    </div>
                    <div class="actions">
                        <button class="button button--quiet" type="button" on:click=move |_| close()>
                            "Leave without it"
                        </button>
                        <button
                            class="button button--primary"
                            type="button"
                            id="copy-and-close"
                            on:click=copy_and_close
                        >
                            {Icon::Copy.view()}
                            "Copy and close"
                        </button>
                    </div>
                </div>
            }
            .into_any();
        }
        let done = if still {
            view! { <Away to="/keys" label="Done" /> }.into_any()
        } else {
            view! {
                <button class="button" type="button" on:click=move |_| leave.run(())>
                    "Done"
                </button>
            }
            .into_any()
        };
        view! {
            <footer class="dialog__foot">
                <CopyStatus state class="start" />
                {done}
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
                    <SecretBox forms tab state copy=button copied=done />
                    {facts(created.key, still)}
                </div>
            </div>
            {foot}
        </Dialog>
    }
    .into_any()
}

fn uncheck_mask() {
    use leptos::{wasm_bindgen::JsCast, web_sys::HtmlInputElement};
    if let Some(mask) = document().get_element_by_id("mask").and_then(|it| it.dyn_into::<HtmlInputElement>().ok()) {
        mask.set_checked(false);
    }
}

/// Closing the tab loses the key: the browser asks.
fn warn_on_unload(copied: RwSignal<bool>) {
    Effect::new(move |_| {
        let listener = window_event_listener(ev::beforeunload, move |event| {
            if !copied.get_untracked() {
                event.prevent_default();
                event.set_return_value("true");
            }
        });
        on_cleanup(move || listener.remove());
    });
}

/// What else one needs to know of the key, its project's identifier above all: programs ask for it.
fn facts(key: KeyView, still: bool) -> AnyView {
    let now = key.created.at;
    let id = key.project_id.to_string();
    let expires = match key.expires {
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
    view! {
        <dl class="facts">
            <dt>"Key"</dt>
            <dd>{key.name}</dd>
            <dt>"Project"</dt>
            <dd>{format!("{}, {}", key.project, key.environment.as_str())}</dd>
            <dt>"Project id"</dt>
            <dd>
                <ProjectId id still />
            </dd>
            <dt>"Access scope"</dt>
            <dd>
                <Chips of=key.scopes />
            </dd>
            <dt>"Expires"</dt>
            <dd>{expires}</dd>
        </dl>
    }
    .into_any()
}

#[component]
fn ProjectId(id: String, still: bool) -> impl IntoView {
    let state = RwSignal::new(Copying::Idle);
    let text = id.clone();
    let nothing = Callback::new(|()| ());
    let button = (!still).then(|| {
        let press = move |_| {
            let stands = document().get_element_by_id("project-id");
            copy(text.clone(), stands, state, nothing);
        };
        view! {
            <button
                class="button button--quiet button--icon"
                type="button"
                aria-label="Copy the project id"
                data-done=move || (state.get() == Copying::Done).then_some("")
                on:click=press
            >
                <CopyLabel />
            </button>
            <CopyStatus state />
        }
    });
    view! {
        <div class="actions">
            <code id="project-id">{id}</code>
            {button}
        </div>
    }
    .into_any()
}
