//! Leptos root: the HTML document, the application, and the route table.
//!
//! This module contains no server functions and no queries.

use crate::{
    domain::theme::Theme,
    features::{
        audit::AuditPage,
        consent::{AuthorizePage, DeviceConfirmPage, DevicePage},
        keys::{
            ActivatePage, AdminKeysPage, BulkActionPage, CreatePage, DeactivatePage, DeletePage, EditPage,
            GeneratePage, KeyDetailPage, KeysPage, RestorePage,
        },
        policy::PolicyPage,
        projects::{
            ArchivePage, DeleteProjectKeyPage, InvitePage, JoinAsAdministratorPage, JoinPage, LeavePage,
            NewProjectPage, ProjectKeysPage, ProjectPage, ProjectsPage, RegisterClientPage, RemoveClientPage,
            RemoveMemberPage, RenamePage, RevokeGrantPage, RolePage, ScopesOfferedPage, TokenLifetimePage,
            UnarchivePage, WithdrawPage,
        },
        registration::{RequestResetPage, RequestSignUpPage, ResetPage, SignUpPage},
        scopes::{AddScopePage, EditScopePage, RemoveScopePage, RetireScopePage, ScopesPage, UnretireScopePage},
        security::{EnrollPage, NewCodesPage, SecurityPage, TurnOffPage},
        session::{CodePage, ConfirmPage, LoginPage, LogoutPage, NotFoundPage, Session, SetupPage},
        settings::{AccountPage, DeveloperPage},
        users::{
            DeleteUserPage, DisablePage, EnablePage, InvitePage as InviteUserPage, MakeAdministratorPage, TransferPage,
            UnmakeAdministratorPage, UserPage, UsersPage,
        },
    },
    response_status::Redirect,
    ui::icon::Sprite,
};
use leptos::{either::Either, nonce::use_nonce, prelude::*};
use leptos_meta::{MetaTags, provide_meta_context};
use leptos_router::{
    SsrMode,
    components::{ParentRoute, Route, Router, Routes},
    path,
};

/// Context value for a response without scripts. Such a page shows a secret, which no script may read.
#[derive(Clone, Copy, Debug)]
pub struct NoScripts;

/// Context value with the asset path whose font the browser has cached, as reported by [`FONT_COOKIE`].
#[derive(Clone, Debug)]
pub struct HasFont(pub String);

/// Cookie that reports the cached font. Its value is the asset path, so that the font of a new version is fetched
/// again.
pub const FONT_COOKIE: &str = "font";

/// Renders the HTML document.
pub fn shell(options: LeptosOptions) -> impl IntoView {
    let site = format!("/{}", options.site_pkg_dir);
    let file = |name: &str| format!("{site}/{name}");
    let still = use_context::<NoScripts>().is_some();
    // The first visit renders at once with the system font. The script below then loads the font and sets the cookie.
    let has_font = use_context::<HasFont>().is_some_and(|has| has.0 == site);
    if let Some(shared) = Owner::current_shared_context() {
        // Islands carry their own properties. No other data is serialized into the page.
        shared.set_is_hydrating(false);
    }
    let scripts = (!still).then(|| {
        view! {
            <AutoReload options=options.clone() />
            <script type="module" nonce=use_nonce() inner_html=loader_script(&site, !has_font)></script>
        }
    });
    let face = || view! { <link rel="stylesheet" href=file("font.css") /> };
    let font = if has_font || still {
        let preload = view! {
            <link rel="preload" href=file("fonts/inter-latin-wght.woff2") r#as="font" type="font/woff2" crossorigin="anonymous" />
        };
        Either::Left((preload, face()))
    } else {
        Either::Right(view! { <noscript>{face()}</noscript> })
    };
    let theme = use_context::<Theme>().unwrap_or_default();
    let chosen = (theme != Theme::System).then(|| theme.as_str());
    view! {
        <!DOCTYPE html>
        <html lang="en" data-theme=chosen>
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <meta name="description" content="Create and manage API keys." />
                <meta name="color-scheme" content="light dark" />
                <meta name="theme-color" content="#fafbfb" media="(prefers-color-scheme: light)" />
                <meta name="theme-color" content="#0b1114" media="(prefers-color-scheme: dark)" />
                <link rel="icon" href=file("favicon.svg") type="image/svg+xml" />
                <link rel="stylesheet" href=file("keyward.css") />
                {font}
                {scripts}
                <MetaTags />
            </head>
            <body>
                <App />
                <Sprite />
            </body>
        </html>
    }
}

/// Returns the script that loads the WASM module, and on the first visit the font.
///
/// It runs after the page is loaded, when the browser is idle, but at most 500 ms later: a browser may never call an
/// idle callback that has no timeout (`requestIdleCallback`, W3C Cooperative Scheduling of Background Tasks, section
/// 4.1). Leptos' own script loads the module at once, in competition with the resources for the first rendering.
fn loader_script(site: &str, font: bool) -> String {
    let font = if font {
        format!(
            "const face=document.createElement('link');face.rel='stylesheet';face.href='{site}/font.css';\
             document.head.append(face);document.cookie='{FONT_COOKIE}={site};path=/;max-age=31536000;samesite=lax';"
        )
    } else {
        String::new()
    };
    format!(
        "const idle=window.requestIdleCallback??setTimeout;\
         const start=()=>idle(async()=>{{{font}\
         const part=await import('{site}/keyward.js');\
         await part.default({{module_or_path:'{site}/keyward.wasm'}});\
         window.__hydrateIsland=(island,name)=>part[name]?.(island);\
         part.hydrate()}},{{timeout:500}});\
         document.readyState==='complete'?start():addEventListener('load',start)"
    )
}

/// Root component. Every page is rendered completely on the server, so that none requires scripts.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    view! {
        <Router>
            <Pages />
        </Router>
    }
}

#[component]
fn Pages() -> impl IntoView {
    Session::provide();
    view! {
        <Routes fallback=NotFoundPage>
            <Route path=path!("/") view=|| view! { <Redirect to="/keys" /> } ssr=SsrMode::Async />
            <Route path=path!("/login") view=LoginPage ssr=SsrMode::Async />
            <Route path=path!("/login/code") view=CodePage ssr=SsrMode::Async />
            <Route path=path!("/confirm") view=ConfirmPage ssr=SsrMode::Async />
            <Route path=path!("/logout") view=LogoutPage ssr=SsrMode::Async />
            <Route path=path!("/setup") view=SetupPage ssr=SsrMode::Async />
            <Route path=path!("/signup") view=RequestSignUpPage ssr=SsrMode::Async />
            <Route path=path!("/signup/new") view=SignUpPage ssr=SsrMode::Async />
            <Route path=path!("/reset") view=RequestResetPage ssr=SsrMode::Async />
            <Route path=path!("/reset/new") view=ResetPage ssr=SsrMode::Async />
            <ParentRoute path=path!("/keys") view=KeysPage ssr=SsrMode::Async>
                <Route path=path!("") view=|| () ssr=SsrMode::Async />
                <Route path=path!("new") view=CreatePage ssr=SsrMode::Async />
                <Route path=path!(":id/edit") view=EditPage ssr=SsrMode::Async />
                <Route path=path!(":id/deactivate") view=DeactivatePage ssr=SsrMode::Async />
                <Route path=path!(":id/activate") view=ActivatePage ssr=SsrMode::Async />
                <Route path=path!(":id/delete") view=DeletePage ssr=SsrMode::Async />
                <Route path=path!(":id/restore") view=RestorePage ssr=SsrMode::Async />
            </ParentRoute>
            <Route path=path!("/keys/:id") view=KeyDetailPage ssr=SsrMode::Async />
            <ParentRoute path=path!("/projects") view=ProjectsPage ssr=SsrMode::Async>
                <Route path=path!("") view=|| () ssr=SsrMode::Async />
                <Route path=path!("new") view=NewProjectPage ssr=SsrMode::Async />
                <Route path=path!(":id/keys") view=ProjectKeysPage ssr=SsrMode::Async />
                <Route path=path!(":id/keys/new") view=GeneratePage ssr=SsrMode::Async />
                <Route path=path!(":id/keys/:key/delete") view=DeleteProjectKeyPage ssr=SsrMode::Async />
            </ParentRoute>
            <ParentRoute path=path!("/projects/:id") view=ProjectPage ssr=SsrMode::Async>
                <Route path=path!("") view=|| () ssr=SsrMode::Async />
                <Route path=path!("edit") view=RenamePage ssr=SsrMode::Async />
                <Route path=path!("archive") view=ArchivePage ssr=SsrMode::Async />
                <Route path=path!("unarchive") view=UnarchivePage ssr=SsrMode::Async />
                <Route path=path!("life") view=TokenLifetimePage ssr=SsrMode::Async />
                <Route path=path!("scopes") view=ScopesOfferedPage ssr=SsrMode::Async />
                <Route path=path!("invite") view=InvitePage ssr=SsrMode::Async />
                <Route path=path!("invitations/:invitation/withdraw") view=WithdrawPage ssr=SsrMode::Async />
                <Route path=path!("members/:user/edit") view=RolePage ssr=SsrMode::Async />
                <Route path=path!("members/:user/remove") view=RemoveMemberPage ssr=SsrMode::Async />
                <Route path=path!("leave") view=LeavePage ssr=SsrMode::Async />
                <Route path=path!("join") view=JoinAsAdministratorPage ssr=SsrMode::Async />
                <Route path=path!("clients/new") view=RegisterClientPage ssr=SsrMode::Async />
                <Route path=path!("clients/:client/remove") view=RemoveClientPage ssr=SsrMode::Async />
                <Route path=path!("grants/:grant/revoke") view=RevokeGrantPage ssr=SsrMode::Async />
            </ParentRoute>
            <Route path=path!("/join") view=JoinPage ssr=SsrMode::Async />
            <Route path=path!("/authorize") view=AuthorizePage ssr=SsrMode::Async />
            <Route path=path!("/device") view=DevicePage ssr=SsrMode::Async />
            <Route path=path!("/device/confirm") view=DeviceConfirmPage ssr=SsrMode::Async />
            <Route path=path!("/settings") view=|| view! { <Redirect to="/settings/account" /> } ssr=SsrMode::Async />
            <Route path=path!("/settings/account") view=AccountPage ssr=SsrMode::Async />
            // Target of the page's second form. If the form is rejected, the page is rendered again here.
            <Route path=path!("/settings/theme") view=AccountPage ssr=SsrMode::Async />
            <ParentRoute path=path!("/settings/security") view=SecurityPage ssr=SsrMode::Async>
                <Route path=path!("") view=|| () ssr=SsrMode::Async />
                // Targets of the page's forms. If a form is rejected, the page is rendered again here.
                <Route path=path!("password") view=|| () ssr=SsrMode::Async />
                <Route path=path!("session") view=|| () ssr=SsrMode::Async />
                <Route path=path!("sessions") view=|| () ssr=SsrMode::Async />
                <Route path=path!("grant") view=|| () ssr=SsrMode::Async />
                <Route path=path!("second-factor/off") view=TurnOffPage ssr=SsrMode::Async />
                <Route path=path!("recovery-codes") view=NewCodesPage ssr=SsrMode::Async />
            </ParentRoute>
            <Route path=path!("/settings/security/second-factor") view=EnrollPage ssr=SsrMode::Async />
            <Route path=path!("/settings/developer") view=|| view! { <Redirect to="/settings/developer/api-keys" /> } ssr=SsrMode::Async />
            <Route path=path!("/settings/developer/api-keys") view=DeveloperPage ssr=SsrMode::Async />
            <Route path=path!("/admin/audit") view=AuditPage ssr=SsrMode::Async />
            <ParentRoute path=path!("/admin/keys") view=AdminKeysPage ssr=SsrMode::Async>
                <Route path=path!("") view=|| () ssr=SsrMode::Async />
                <Route path=path!("chosen") view=BulkActionPage ssr=SsrMode::Async />
                <Route path=path!(":id/deactivate") view=DeactivatePage ssr=SsrMode::Async />
                <Route path=path!(":id/activate") view=ActivatePage ssr=SsrMode::Async />
                <Route path=path!(":id/delete") view=DeletePage ssr=SsrMode::Async />
                <Route path=path!(":id/restore") view=RestorePage ssr=SsrMode::Async />
            </ParentRoute>
            <Route path=path!("/admin/policy") view=PolicyPage ssr=SsrMode::Async />
            <ParentRoute path=path!("/admin/scopes") view=ScopesPage ssr=SsrMode::Async>
                <Route path=path!("") view=|| () ssr=SsrMode::Async />
                <Route path=path!("new") view=AddScopePage ssr=SsrMode::Async />
                <Route path=path!(":name/edit") view=EditScopePage ssr=SsrMode::Async />
                <Route path=path!(":name/remove") view=RemoveScopePage ssr=SsrMode::Async />
                <Route path=path!(":name/retire") view=RetireScopePage ssr=SsrMode::Async />
                <Route path=path!(":name/unretire") view=UnretireScopePage ssr=SsrMode::Async />
            </ParentRoute>
            <ParentRoute path=path!("/admin/users") view=UsersPage ssr=SsrMode::Async>
                <Route path=path!("") view=|| () ssr=SsrMode::Async />
                <Route path=path!("invite") view=InviteUserPage ssr=SsrMode::Async />
            </ParentRoute>
            <ParentRoute path=path!("/admin/users/:id") view=UserPage ssr=SsrMode::Async>
                <Route path=path!("") view=|| () ssr=SsrMode::Async />
                <Route path=path!("delete") view=DeleteUserPage ssr=SsrMode::Async />
                <Route path=path!("disable") view=DisablePage ssr=SsrMode::Async />
                <Route path=path!("enable") view=EnablePage ssr=SsrMode::Async />
                <Route path=path!("make-administrator") view=MakeAdministratorPage ssr=SsrMode::Async />
                <Route path=path!("transfer/:project") view=TransferPage ssr=SsrMode::Async />
                <Route path=path!("unmake-administrator") view=UnmakeAdministratorPage ssr=SsrMode::Async />
            </ParentRoute>
        </Routes>
    }
}
