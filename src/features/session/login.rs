//! Signing in.

use super::{Known, PageTitle, Session, api::SignIn, own_path};
use crate::ui::{
    answer::Go,
    browser,
    button::Submit,
    field::Field,
    form::{Form, FormState},
    gate::Gate,
    notice::Refused,
};
use leptos::prelude::*;
use leptos_router::{hooks::use_query_map, location::Url};

#[component]
pub fn LoginPage() -> impl IntoView {
    let session = Session::here();
    let next = use_query_map().with_untracked(|query| query.get("next")).filter(|next| own_path(next).is_some());
    let to = match &next {
        Some(next) => format!("/login?next={}", Url::escape(next)),
        None => "/login".into(),
    };
    let (to, next) = (StoredValue::new(to), StoredValue::new(next.unwrap_or_else(|| "/keys".into())));

    let action = ServerAction::<SignIn>::new();
    Effect::new(move |_| {
        if action.value().with(|value| matches!(value, Some(Ok(())))) {
            action.value().set(None);
            browser::leave(&next.get_value());
        }
    });

    let page = move |known: Option<Known>| {
        if known.as_ref().is_some_and(|known| known.me.is_some()) {
            return view! { <Go to=next.get_value() /> }.into_any();
        }
        if known.as_ref().is_some_and(|known| known.instance.needs_setup) {
            return view! { <Go to="/setup" /> }.into_any();
        }
        let name = known.as_ref().and_then(|known| known.instance.name.clone());
        let help = known.as_ref().and_then(|known| known.instance.support_url.clone());
        view! {
            <Gate
                title=format!("Sign in to {}", name.as_deref().unwrap_or("Keyward"))
                foot=known.map(foot)
            >
                <Form action to=to.get_value() class="panel">
                    <div class="panel__body fields">
                        <Refused />
                        <Fields />
                        <Submit label="Sign in" working="Signing in…" class="button button--primary button--wide" />
                    </div>
                </Form>
                <p class="hint">"No account, or no password? Ask your administrator." {help.map(help_link)}</p>
            </Gate>
        }
        .into_any()
    };
    view! {
        <PageTitle text="Sign in" />
        <Suspense>{move || session.get().map(|known| page(known.ok()))}</Suspense>
    }
}

/// Where people who need help are sent.
fn help_link(to: String) -> impl IntoView {
    view! {
        " "
        <a href=to rel="external">
            "Get help"
        </a>
    }
}

/// What is typed. After a refusal the password has to be typed again, and nothing else.
#[component]
fn Fields() -> impl IntoView {
    let again = FormState::here().refused();
    view! {
        <Field name="email" label="E-mail" kind="email" autocomplete="username" required=true autofocus=!again />
        <Field
            name="password"
            label="Password"
            kind="password"
            autocomplete="current-password"
            required=true
            autofocus=again
        />
    }
    .into_any()
}

/// The version and the address, at the foot of the pages without the shell.
pub fn foot(known: Known) -> String {
    let url = known.instance.public_url;
    let host = url.split_once("://").map_or(url.as_str(), |(_, host)| host);
    format!("Keyward {} · {host}", known.instance.version)
}
