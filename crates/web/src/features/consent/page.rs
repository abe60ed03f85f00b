//! `/authorize`: the page of the authorization endpoint (RFC 6749 section 4.1.1).

use super::{
    api::authorization,
    consent_prompt::{FormTarget, consent_prompt, signed_in_as},
    consent_response::render_response,
};
use crate::{
    domain::consent::{Authorization, ResponseDelivery},
    error::{AppError, ErrorKind},
    features::resource::resource,
    features::session::{PageTitle, Session, home_link, login_url_for_current_page},
    response_status::{Redirect, status},
    ui::{
        bare_layout::Gate,
        form::Form,
        notice::{Notice, Refused, Tone},
    },
};
use leptos::prelude::*;
use leptos_router::hooks::use_location;

#[component]
pub fn AuthorizePage() -> impl IntoView {
    // Set in the response to the form submission: the page passes the authorization response to the client.
    if let Some(answer) = use_context::<ResponseDelivery>() {
        return render_response(answer);
    }
    let query = use_location().search.get_untracked();
    let login = login_url_for_current_page();
    let request_query = query.clone();
    let loaded = resource(
        || (),
        move |()| {
            let request_query = request_query.clone();
            async move { authorization(request_query).await }
        },
    );
    let session = Session::current();
    let draw = move |answer: Result<Authorization, AppError>| match answer {
        Ok(Authorization::Prompt(asking)) => {
            let to = format!("/authorize?{query}");
            consent_prompt(asking, FormTarget { to, name: "request", value: query.clone(), code: None })
        }
        Ok(Authorization::Failed { status: code, why }) => not_permitted(&query, code, why, session),
        Ok(Authorization::Unknown(words)) => invalid_request(words),
        Ok(Authorization::Answered(answer)) => render_response(answer),
        Err(error) if error.kind == ErrorKind::SignedOut => view! { <Redirect to=login.clone() /> }.into_any(),
        Err(error) => {
            status(error.kind.status());
            view! { <Notice tone=Tone::Danger>{error.message}</Notice> }.into_any()
        }
    };
    view! {
        <PageTitle text="Allow access" />
        <Suspense>{move || loaded.get().map(draw.clone())}</Suspense>
    }
    .into_any()
}

/// An invalid request whose client or redirect URI is not verified. The error is shown to the user and is not sent to
/// the client.
fn invalid_request(words: String) -> AnyView {
    status(400);
    view! {
        <Gate title="Invalid authorization request" lead=words>
            <div class="actions">{home_link()}</div>
        </Gate>
    }
    .into_any()
}

/// The user cannot grant the request. The only available response to the client is an error.
fn not_permitted(query: &str, code: u16, why: String, session: Session) -> AnyView {
    status(code);
    let (to, query) = (format!("/authorize?{query}"), query.to_owned());
    let email = session.get().and_then(Result::ok).and_then(|known| known.me).map(|me| me.email);
    view! {
        <Gate title="You cannot allow this request" lead=why>
            <Form to plain=true>
                <div class="fields">
                    <Refused />
                    <input type="hidden" name="request" value=query />
                    <button class="button button--primary button--wide" name="answer" value="deny">
                        "Return to the application"
                    </button>
                </div>
            </Form>
            {email.map(signed_in_as)}
        </Gate>
    }
    .into_any()
}
