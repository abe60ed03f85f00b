//! Page layout with navigation: a sidebar on wide screens, a menu at the upper right on narrow screens.

use super::{
    button::IconButton,
    icon::{Icon, logo},
};
use keyward_domain::{theme::Theme, user::CurrentUser};
use leptos::prelude::*;

/// A link of the navigation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NavLink {
    pub path: &'static str,
    pub label: &'static str,
    pub icon: Icon,
}

/// Layout of pages for signed-in users.
#[component]
pub fn Layout(
    /// The path of the current page's link.
    current: &'static str,
    /// Links at the top of the sidebar.
    main: Vec<NavLink>,
    /// Links of the settings.
    settings: Vec<NavLink>,
    /// Whether a server-rendered dialog covers the page.
    inert: bool,
    /// Links for administrators: [`admin_links`].
    admin: AnyView,
    /// The user, at the bottom of the sidebar: [`Profile`].
    foot: AnyView,
    children: Children,
) -> impl IntoView {
    view! {
        <a class="skip" href="#main" rel="external">
            "Skip to content"
        </a>
        <div class="shell" inert=inert>
            <header class="topbar">
                {brand()}
                <IconButton icon=Icon::Menu name="Menu" opens="nav" />
            </header>
            <nav class="sidebar" id="nav" popover="auto" aria-label="Main">
                {brand()}
                <div>
                    {links(&main, current, None)}
                    <p class="nav-title" id="nav-settings">
                        "Settings"
                    </p>
                    {links(&settings, current, Some("nav-settings"))} {admin}
                </div>
                {foot}
            </nav>
            <main class="page" id="main" tabindex="-1">
                {children()}
            </main>
        </div>
        {shortcuts()}
    }
    .into_any()
}

fn links(of: &[NavLink], current: &str, labelled_by: Option<&'static str>) -> AnyView {
    let items = of
        .iter()
        .map(|&NavLink { path, label, icon }| {
            view! {
                <li>
                    <a href=path aria-current=(path == current).then_some("page")>
                        {icon.view()}
                        {label}
                    </a>
                </li>
            }
        })
        .collect_view();
    view! {
        <ul class="nav" aria-labelledby=labelled_by>
            {items}
        </ul>
    }
    .into_any()
}

/// Renders the links for administrators.
pub fn admin_links(of: &[NavLink], current: &str) -> AnyView {
    view! {
        <p class="nav-title" id="nav-admin">
            "Administration"
        </p>
        {links(of, current, Some("nav-admin"))}
    }
    .into_any()
}

fn brand() -> AnyView {
    view! {
        <a class="brand" href="/keys">
            {logo()}
            "Keyward"
        </a>
    }
    .into_any()
}

/// The user, with a menu for account, theme, and signing out.
#[component]
pub fn Profile(
    me: CurrentUser,
    theme: Theme,
    /// URL of the current page, to which changing the theme redirects.
    here: String,
) -> impl IntoView {
    let to = format!("/settings/theme?next={}", escape(&here));
    let themes = [(Theme::System, "System"), (Theme::Light, "Light"), (Theme::Dark, "Dark")]
        .map(|(value, label)| {
            let chosen = value == theme;
            view! {
                <button name="theme" value=value.as_str() aria-pressed=if chosen { "true" } else { "false" }>
                    {label}
                </button>
            }
        })
        .collect_view();
    view! {
        <button type="button" class="profile" id="profile-button" popovertarget="profile">
            <span class="avatar" aria-hidden="true">
                {me.initials()}
            </span>
            <span>{me.name} " " <small class="muted">{me.email}</small></span>
            {Icon::UpDown.view()}
        </button>
        <div class="menu menu--up" id="profile" popover="auto">
            <a href="/keys">{Icon::Key.view()} "API keys"</a>
            <a href="/settings/account">{Icon::User.view()} "Account"</a>
            <form method="post" action=to class="theme" aria-label="Theme">
                {themes}
            </form>
            <button type="button" class="needs-script" popovertarget="shortcuts">
                {Icon::Info.view()}
                "Keyboard shortcuts"
            </button>
            <hr />
            <form method="post" action="/logout" data-plain>
                <button>{Icon::Out.view()} "Sign out"</button>
            </form>
        </div>
    }
    .into_any()
}

/// Percent-encodes the value of a query parameter.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~/".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

/// Renders the list of keyboard shortcuts, which `?` opens.
fn shortcuts() -> AnyView {
    let rows =
        [("/", "Go to the filters"), ("c", "Create a new item"), ("Esc", "Close the dialog"), ("?", "Show this list")]
            .map(|(key, what)| view! { <dt><kbd>{key}</kbd></dt> <dd>{what}</dd> })
            .collect_view();
    view! {
        <div class="sheet" id="shortcuts" popover="auto" role="dialog" aria-labelledby="shortcuts-title">
            <h2 id="shortcuts-title">"Keyboard shortcuts"</h2>
            <dl class="facts">{rows}</dl>
        </div>
    }
    .into_any()
}
