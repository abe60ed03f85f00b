//! Page layout with navigation: a sidebar on wide screens, a menu at the upper right on narrow screens.

use super::icon::{Icon, logo};
use keyward_domain::{theme::Theme, user::CurrentUser};
use leptos::prelude::*;

/// Pages of the navigation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nav {
    Keys,
    Projects,
    Account,
    Security,
    Developer,
    AllKeys,
    Policy,
    Scopes,
    Audit,
    Users,
}

impl Nav {
    const fn link(self) -> (&'static str, &'static str, Icon) {
        match self {
            Self::Keys => ("/keys", "API keys", Icon::Key),
            Self::Projects => ("/projects", "Projects", Icon::Layers),
            Self::Account => ("/settings/account", "Account", Icon::User),
            Self::Security => ("/settings/security", "Security", Icon::Shield),
            Self::Developer => ("/settings/developer/api-keys", "Developer", Icon::Code),
            Self::AllKeys => ("/admin/keys", "All keys", Icon::Rows),
            Self::Policy => ("/admin/policy", "Policy", Icon::Sliders),
            Self::Scopes => ("/admin/scopes", "Scopes", Icon::Shield),
            Self::Audit => ("/admin/audit", "Audit log", Icon::Log),
            Self::Users => ("/admin/users", "Users", Icon::People),
        }
    }
}

const MAIN: &[Nav] = &[Nav::Keys, Nav::Projects];
const SETTINGS: &[Nav] = &[Nav::Account, Nav::Security, Nav::Developer];
const ADMIN: &[Nav] = &[Nav::AllKeys, Nav::Users, Nav::Scopes, Nav::Policy, Nav::Audit];

/// Layout of pages for signed-in users.
#[component]
pub fn Layout(
    /// The current page.
    nav: Nav,
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
                <button type="button" class="button button--quiet button--icon" popovertarget="nav" aria-label="Menu">
                    {Icon::Menu.view()}
                </button>
            </header>
            <nav class="sidebar" id="nav" popover="auto" aria-label="Main">
                {brand()}
                <div>
                    {links(MAIN, nav, None)}
                    <p class="nav-title" id="nav-settings">
                        "Settings"
                    </p>
                    {links(SETTINGS, nav, Some("nav-settings"))} {admin}
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

fn links(of: &[Nav], current: Nav, labelled_by: Option<&'static str>) -> AnyView {
    let items = of
        .iter()
        .map(|it| {
            let (to, label, icon) = it.link();
            view! {
                <li>
                    <a href=to aria-current=(*it == current).then_some("page")>
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
pub fn admin_links(nav: Nav) -> AnyView {
    view! {
        <p class="nav-title" id="nav-admin">
            "Administration"
        </p>
        {links(ADMIN, nav, Some("nav-admin"))}
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
