//! `/authorize`: the page of the authorization endpoint (RFC 6749 section 4.1.1).

use super::{
    answered::answered,
    api::authorization,
    question::{Sent, question, signed_in_as},
};
use crate::{
    domain::consent::{Answered, Authorization},
    error::{AppError, ErrorKind},
    features::resource::resource,
    features::session::{PageTitle, Session, home_link, to_login},
    response_status::{Go, status},
    ui::{
        form::Form,
        gate::Gate,
        notice::{Notice, Refused, Tone},
    },
};
use leptos::prelude::*;
use leptos_router::hooks::use_location;

#[component]
pub fn AuthorizePage() -> impl IntoView {
    // Set in the response to the form submission: the page passes the authorization response to the client.
    if let Some(answer) = use_context::<Answered>() {
        return answered(answer);
    }
    let query = use_location().search.get_untracked();
    let login = to_login();
    let asked = query.clone();
    let asked = resource(
        || (),
        move |()| {
            let asked = asked.clone();
            async move { authorization(asked).await }
        },
    );
    let session = Session::here();
    let draw = move |answer: Result<Authorization, AppError>| match answer {
        Ok(Authorization::Ask(asking)) => {
            let to = format!("/authorize?{query}");
            question(asking, Sent { to, name: "request", value: query.clone(), code: None })
        }
        Ok(Authorization::Cannot { status: code, why }) => cannot(&query, code, why, session),
        Ok(Authorization::Unknown(words)) => unknown(words),
        Ok(Authorization::Answered(answer)) => answered(answer),
        Err(error) if error.kind == ErrorKind::SignedOut => view! { <Go to=login.clone() /> }.into_any(),
        Err(error) => {
            status(error.kind.status());
            view! { <Notice tone=Tone::Danger>{error.message}</Notice> }.into_any()
        }
    };
    view! {
        <PageTitle text="Allow a token" />
        <Suspense>{move || asked.get().map(draw.clone())}</Suspense>
    }
    .into_any()
}

/// An invalid request whose client or redirect URI is not verified. The error is shown to the user and is not sent to
/// the client.
fn unknown(words: String) -> AnyView {
    status(400);
    view! {
        <Gate title="This cannot be asked" lead=words>
            <div class="actions">{home_link()}</div>
        </Gate>
    }
    .into_any()
}

/// The user cannot grant the request. The only available response to the client is an error.
fn cannot(query: &str, code: u16, why: String, session: Session) -> AnyView {
    status(code);
    let (to, query) = (format!("/authorize?{query}"), query.to_owned());
    let email = session.get().and_then(Result::ok).and_then(|known| known.me).map(|me| me.email);
    view! {
        <Gate title="You cannot allow this" lead=why>
            <Form to plain=true>
                <div class="fields">
                    <Refused />
                    <input type="hidden" name="request" value=query />
                    <button class="button button--primary button--wide" name="answer" value="deny">
                        "Go back without"
                    </button>
                </div>
            </Form>
            {email.map(signed_in_as)}
        </Gate>
    }
    .into_any()
}
