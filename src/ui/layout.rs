//! The shell: a sidebar where there is room, a menu at the upper right where there is none.

use super::{
    browser,
    icon::{Icon, mark},
};
use crate::domain::user::Me;
use leptos::prelude::*;

/// The frame around the pages of a person who is signed in.
#[component]
pub fn Layout(
    /// A dialog that the server has drawn lies over it.
    inert: RwSignal<bool>,
    /// The person, at the foot of the sidebar.
    foot: AnyView,
    children: Children,
) -> impl IntoView {
    view! {
        <a class="skip" href="#main" rel="external">
            "Skip to content"
        </a>
        <div class="shell" inert=move || inert.get()>
            <header class="topbar">
                {brand()}
                <button type="button" class="button button--quiet button--icon" popovertarget="nav" aria-label="Menu">
                    {Icon::Menu.view()}
                </button>
            </header>
            <nav class="sidebar" id="nav" popover="auto" aria-label="Main">
                {brand()}
                <div>
                    <ul class="nav">
                        <li>
                            <a href="/keys" aria-current="page" on:click=|_| browser::hide_popover("nav")>
                                {Icon::Key.view()}
                                "API keys"
                            </a>
                        </li>
                    </ul>
                </div>
                {foot}
            </nav>
            <main class="page" id="main" tabindex="-1">
                {children()}
            </main>
        </div>
    }
    .into_any()
}

fn brand() -> AnyView {
    view! {
        <a class="brand" href="/keys">
            {mark()}
            "Keyward"
        </a>
    }
    .into_any()
}

/// The person, and what they can do about being signed in.
#[component]
pub fn Profile(me: Me) -> impl IntoView {
    view! {
        <button type="button" class="profile" popovertarget="profile">
            <span class="avatar" aria-hidden="true">
                {me.initials()}
            </span>
            <span>
                {me.name} " " <small class="muted">{me.email}</small>
            </span>
            {Icon::UpDown.view()}
        </button>
        <div class="menu menu--up" id="profile" popover="auto">
            <a href="/keys" on:click=|_| browser::hide_popover("nav")>
                {Icon::Key.view()}
                "API keys"
            </a>
            <hr />
            <form method="post" action="/logout">
                <button>{Icon::Out.view()} "Sign out"</button>
            </form>
        </div>
    }
    .into_any()
}
