//! What a page says outside its text: the status of its answer, and where to go instead.

use leptos::prelude::*;

/// Draws nothing; leads elsewhere, by a redirect.
#[component]
pub fn Go(#[prop(into)] to: String) -> impl IntoView {
    redirect(&to);
}

fn redirect(to: &str) {
    use http::{HeaderValue, StatusCode, header::LOCATION};
    if let (Some(answer), Ok(to)) = (use_context::<leptos_axum::ResponseOptions>(), HeaderValue::from_str(to)) {
        answer.insert_header(LOCATION, to);
        answer.set_status(StatusCode::SEE_OTHER);
    }
}

/// Sets the status of the page that is being answered.
pub fn status(code: u16) {
    if let (Some(answer), Ok(code)) = (use_context::<leptos_axum::ResponseOptions>(), http::StatusCode::from_u16(code))
    {
        answer.set_status(code);
    }
}
