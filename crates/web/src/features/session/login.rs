//! Sign-in page.

use super::{PageTitle, Session, SessionInfo, next_param};
use crate::{
    domain::registration::{SignInError, SignInMethods},
    response_status::Redirect,
    ui::{
        bare_layout::Gate,
        button::Submit,
        field::Field,
        form::{Form, FormState},
        notice::{Notice, Refused, Tone},
    },
};
use leptos::prelude::*;
use leptos_router::{hooks::use_query_map, location::Url};

#[component]
pub fn LoginPage() -> impl IntoView {
    let session = Session::current();
    let next = next_param();
    let (done, refused) = use_query_map().with_untracked(|query| {
        let refused = query.get("refused").and_then(|word| SignInError::message(&word));
        (query.get("done").is_some_and(|it| it == "reset"), refused)
    });
    let with = |path: &str| match &next {
        Some(next) => format!("{path}?next={}", Url::escape(next)),
        None => path.to_owned(),
    };
    let (to, provider) = (StoredValue::new(with("/login")), StoredValue::new(with("/login/oidc")));
    let next = StoredValue::new(next.unwrap_or_else(|| "/keys".into()));

    let page = move |known: Option<SessionInfo>| {
        if known.as_ref().is_some_and(|known| known.me.is_some()) {
            return view! { <Redirect to=next.get_value() /> }.into_any();
        }
        // If passwords are disabled, the first user signs in through the OpenID Provider like every other user.
        if known.as_ref().is_some_and(|known| known.instance.needs_setup && known.instance.ways.passwords) {
            return view! { <Redirect to="/setup" /> }.into_any();
        }
        let name = known.as_ref().and_then(|known| known.instance.name.clone());
        let help = known.as_ref().and_then(|known| known.instance.support_url.clone());
        let ways = known.as_ref().map(|known| known.instance.ways.clone());
        let passwords = ways.as_ref().is_none_or(|ways| ways.passwords);
        view! {
            <Gate
                title=format!("Sign in to {}", name.as_deref().unwrap_or("Keyward"))
                foot=known.map(instance_footer)
            >
                {refused.map(|words| view! { <Notice tone=Tone::Danger>{words}</Notice> })}
                {done.then(|| view! { <Notice tone=Tone::Plain>"Password changed. Sign in with your new password."</Notice> })}
                {ways.as_ref().and_then(|ways| ways.provider.clone()).map(|name| provider_link(name, provider.get_value(), !passwords))}
                {passwords
                    .then(|| {
                        view! {
                            <Form to=to.get_value() class="panel" plain=true>
                                <div class="panel__body fields">
                                    <Refused />
                                    <Fields />
                                    <Submit
                                        label="Sign in"
                                        working="Signing in…"
                                        class="button button--primary button--wide"
                                    />
                                </div>
                            </Form>
                        }
                    })}
                <p class="hint">{ways.map(account_links)} {help.map(help_link)}</p>
            </Gate>
        }
        .into_any()
    };
    view! {
        <PageTitle text="Sign in" />
        <Suspense>{move || session.get().map(|known| page(known.ok()))}</Suspense>
    }
}

/// Sign-in with the OpenID Provider. A link, because the CSP does not let a form redirect to another origin.
fn provider_link(name: String, to: String, alone: bool) -> impl IntoView {
    let class = if alone { "button button--primary button--wide" } else { "button button--wide" };
    view! {
        <a class=class href=to rel="external">
            {format!("Sign in with {name}")}
        </a>
    }
}

/// Links for users without an account or without a password.
fn account_links(ways: SignInMethods) -> AnyView {
    if !ways.passwords {
        return view! { "Can't sign in? Ask an administrator." }.into_any();
    }
    let forgot = view! {
        <a href="/reset" rel="external">
            "Forgot your password?"
        </a>
    };
    match ways.sign_up {
        true => view! {
            {forgot}
            " No account? "
            <a href="/signup" rel="external">
                "Create an account"
            </a>
        }
        .into_any(),
        false => view! {
            {forgot}
            " No account? Ask an administrator."
        }
        .into_any(),
    }
}

/// The link to the support page.
pub fn help_link(to: String) -> impl IntoView {
    view! {
        " "
        <a href=to rel="external">
            "Get help"
        </a>
    }
}

/// The fields. After a rejected submission only the password has to be typed again.
#[component]
fn Fields() -> impl IntoView {
    let again = FormState::from_context().is_rejected();
    view! {
        <Field name="email" label="Email" kind="email" autocomplete="username" required=true autofocus=!again />
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

/// The footer of pages without the shell: version and host.
pub fn instance_footer(known: SessionInfo) -> String {
    let url = known.instance.public_url;
    let host = url.split_once("://").map_or(url.as_str(), |(_, host)| host);
    format!("Keyward {} · {host}", known.instance.version)
}
