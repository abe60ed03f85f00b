//! Pages and form actions of sign-in, sign-out, reauthentication, and initial setup.

use super::{
    CodePage, ConfirmPage, LoginPage, LogoutPage, SetupPage,
    api::{Confirm, SetUp, SignIn, SignInCode, SignOut},
    login_url, next_path,
};
use crate::{
    domain::security::SignInStep,
    features::{
        Feature,
        access::Access,
        form_route::{ActionResult, FormRoute, form, redirect},
        page_route::{PageRoute, page},
    },
};
use axum::http::request::Parts;
use leptos_router::path;

pub const FEATURE: Feature = Feature { pages, forms, navigation: &[] };

fn pages() -> Vec<PageRoute> {
    vec![
        page(Access::Public, path!("/login"), LoginPage),
        page(Access::Public, path!("/login/code"), CodePage),
        page(Access::SignedIn, path!("/confirm"), ConfirmPage),
        page(Access::Public, path!("/logout"), LogoutPage),
        page(Access::Public, path!("/setup"), SetupPage),
    ]
}

fn forms() -> Vec<FormRoute> {
    vec![
        form::<SignIn>(Access::Public, "/login", after_sign_in).without_draft(),
        // If the pending sign-in has expired, the user starts again.
        form::<SignInCode>(Access::Public, "/login/code", |(), parts| redirect(next_path(parts, "/keys")))
            .signed_out_page("/login")
            .without_draft(),
        form::<Confirm>(Access::SignedIn, "/confirm", |(), parts| redirect(next_path(parts, "/keys"))).without_draft(),
        form::<SetUp>(Access::Public, "/setup", |(), _| redirect("/keys")).without_draft(),
        form::<SignOut>(Access::Public, "/logout", |(), parts| redirect(login_url(&next_path(parts, "/keys"))))
            .without_draft(),
    ]
}

/// Redirects to the next page, or to the second factor with the same query, which holds the next page.
fn after_sign_in(entrance: SignInStep, parts: &Parts) -> ActionResult {
    let query = parts.uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    match entrance {
        SignInStep::In => redirect(next_path(parts, "/keys")),
        SignInStep::Code => redirect(format!("/login/code{query}")),
    }
}
