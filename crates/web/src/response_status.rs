//! HTTP status and redirects of rendered pages.

use leptos::prelude::*;

/// Redirects with 303 and renders nothing.
#[component]
pub fn Redirect(#[prop(into)] to: String) -> impl IntoView {
    redirect(&to);
}

fn redirect(to: &str) {
    use http::{HeaderValue, StatusCode, header::LOCATION};
    if let (Some(answer), Ok(to)) = (use_context::<leptos_axum::ResponseOptions>(), HeaderValue::from_str(to)) {
        answer.insert_header(LOCATION, to);
        answer.set_status(StatusCode::SEE_OTHER);
    }
}

/// Sets the status of the response that contains the current page.
pub fn status(code: u16) {
    if let (Some(answer), Ok(code)) = (use_context::<leptos_axum::ResponseOptions>(), http::StatusCode::from_u16(code))
    {
        answer.set_status(code);
    }
}
