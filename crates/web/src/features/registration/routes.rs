//! Pages and form actions of registration and password reset.

use super::{
    RequestResetPage, RequestSignUpPage, ResetPage, SignUpPage,
    api::{RequestPasswordReset, RequestSignUpLink, ResetPassword, SignUp},
};
use crate::features::{
    Feature,
    access::Access,
    form_route::{FormRoute, form, redirect},
    page_route::{PageRoute, page},
};
use leptos_router::path;

pub const FEATURE: Feature = Feature { pages, forms, navigation: &[] };

fn pages() -> Vec<PageRoute> {
    vec![
        page(Access::Public, path!("/signup"), RequestSignUpPage),
        page(Access::Public, path!("/signup/new"), SignUpPage),
        page(Access::Public, path!("/reset"), RequestResetPage),
        page(Access::Public, path!("/reset/new"), ResetPage),
    ]
}

fn forms() -> Vec<FormRoute> {
    vec![
        form::<RequestSignUpLink>(Access::Public, "/signup", |(), _| redirect("/signup?asked=yes")).without_draft(),
        form::<SignUp>(Access::Public, "/signup/new", |next, _| redirect(next)).without_draft(),
        form::<RequestPasswordReset>(Access::Public, "/reset", |(), _| redirect("/reset?asked=yes")).without_draft(),
        form::<ResetPassword>(Access::Public, "/reset/new", |(), _| redirect("/login?done=reset")).without_draft(),
    ]
}
