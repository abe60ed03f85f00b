//! Pages, form actions, and navigation of account security.

use super::{
    EnrollPage, NewCodesPage, SecurityPage, TurnOffPage,
    api::{ChangePassword, ConfirmSecondFactor, EndOtherSessions, EndSession, NewRecoveryCodes, TurnOffSecondFactor},
};
use crate::{
    features::{
        Feature,
        access::Access,
        consent::api::RevokeOwnGrant,
        form_route::{ActionResult, FormRoute, form, redirect, render_once},
        navigation::{NavEntry, Section},
        page_route::{PageRoute, page, page_with_dialogs},
    },
    ui::{icon::Icon, layout::NavLink},
};
use leptos_router::path;

pub const FEATURE: Feature = Feature { pages, forms, navigation: &[SECURITY] };

pub const SECURITY: NavEntry = NavEntry {
    section: Section::Settings,
    position: 2,
    access: ACCESS,
    link: NavLink { path: "/settings/security", label: "Security", icon: Icon::Shield },
};

const ACCESS: Access = Access::SignedIn;

fn pages() -> Vec<PageRoute> {
    let dialogs = vec![
        // Targets of the page's forms. If a form is rejected, the page is rendered again here.
        page(ACCESS, path!("password"), || ()),
        page(ACCESS, path!("session"), || ()),
        page(ACCESS, path!("sessions"), || ()),
        page(ACCESS, path!("grant"), || ()),
        page(ACCESS, path!("second-factor/off"), TurnOffPage),
        page(ACCESS, path!("recovery-codes"), NewCodesPage),
    ];
    vec![
        page_with_dialogs(ACCESS, path!("/settings/security"), SecurityPage, dialogs),
        page(ACCESS, path!("/settings/security/second-factor"), EnrollPage),
    ]
}

fn forms() -> Vec<FormRoute> {
    let forms = vec![
        form::<ChangePassword>(ACCESS, "/settings/security/password", |(), _| redirect_to_security("password")),
        form::<EndSession>(ACCESS, "/settings/security/session", |(), _| redirect_to_security("ended")),
        form::<EndOtherSessions>(ACCESS, "/settings/security/sessions", |(), _| redirect_to_security("others")),
        form::<ConfirmSecondFactor>(ACCESS, "/settings/security/second-factor", |codes, _| render_once(codes)),
        form::<TurnOffSecondFactor>(ACCESS, "/settings/security/second-factor/off", |(), _| {
            redirect_to_security("off")
        }),
        form::<NewRecoveryCodes>(ACCESS, "/settings/security/recovery-codes", |codes, _| render_once(codes)),
        form::<RevokeOwnGrant>(ACCESS, "/settings/security/grant", |(), _| redirect_to_security("revoked")),
    ];
    forms.into_iter().map(FormRoute::without_draft).collect()
}

/// Redirects to the security page, with a message on the action.
fn redirect_to_security(done: &str) -> ActionResult {
    redirect(format!("/settings/security?done={done}"))
}
