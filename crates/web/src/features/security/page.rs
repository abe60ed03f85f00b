//! `/settings/security`: password, second factor, external account, grants, and sessions.

use super::{api::get_security, routes::SECURITY, sessions::sessions};
use crate::{
    domain::{
        registration::{PASSWORD_MIN, SignInError, password_hint},
        security::{SecondFactorState, Security},
        time::Timestamp,
    },
    features::{
        consent,
        session::{PageShell, PageTitle, SignedInOnly, load},
        settings::SettingsHead,
    },
    ui::{
        button::Submit,
        field::Field,
        form::Form,
        icon::Icon,
        notice::{Notice, Refused, Tone},
        time::Ago,
        toast::Toasts,
    },
};
use leptos::prelude::*;
use leptos_router::{
    components::Outlet,
    hooks::{use_location, use_query_map},
};

/// The path of the page below its dialogs.
pub const PAGE: &str = "/settings/security";
/// The paths of its dialogs.
pub const OFF: &str = "/settings/security/second-factor/off";
pub const CODES: &str = "/settings/security/recovery-codes";
/// The path of the page that turns a second factor on.
pub const ENROL: &str = "/settings/security/second-factor";

#[component]
pub fn SecurityPage() -> impl IntoView {
    let path = use_location().pathname.get_untracked();
    let inert = [OFF, CODES].contains(&path.trim_end_matches('/'));
    let done = use_query_map().with_untracked(|query| query.get("done"));
    let message = match done.as_deref() {
        Some("password") => Some("Password changed. All other sessions ended.".to_owned()),
        Some("ended") => Some("Session ended.".to_owned()),
        Some("others") => Some("All other sessions ended.".to_owned()),
        Some("off") => Some("Two-factor authentication turned off.".to_owned()),
        Some("revoked") => Some("Grant revoked. Its tokens are no longer valid.".to_owned()),
        Some("linked") => Some("Account linked. You can now sign in with it.".to_owned()),
        _ => None,
    };
    let draw = |security: Security| {
        let Security { has_password, second_factor, is_second_factor_required, sessions: list, provider, linked, now } =
            security;
        view! {
            {link_error()} {password(has_password)} {factor(has_password, second_factor, is_second_factor_required, now)}
            {provider.map(|name| external_account(&name, linked))} {sessions(list, now)}
        }
        .into_any()
    };
    view! {
        <PageTitle text="Security" under=true />
        <SignedInOnly />
        <PageShell nav=SECURITY inert>
            <div class="page--narrow">
                <SettingsHead current=SECURITY />
                <div class="stack">{load(get_security, draw)} {consent::own_grants()}</div>
            </div>
        </PageShell>
        <Outlet />
        <Toasts message />
    }
    .into_any()
}

/// The error of a failed account link, from the `refused` parameter.
fn link_error() -> Option<AnyView> {
    let word = use_query_map().with_untracked(|query| query.get("refused"))?;
    let sentence = SignInError::message(&word)?;
    let confirm = (word == SignInError::ReauthenticationRequired.as_str()).then(|| {
        view! {
            " "
            <a href="/confirm?next=/settings/security">"Confirm your identity"</a>
        }
    });
    Some(view! { <Notice tone=Tone::Danger>{sentence} {confirm}</Notice> }.into_any())
}

/// The external account that is linked to this one, or the link to connect one.
fn external_account(provider: &str, linked: bool) -> AnyView {
    let text = if linked {
        format!("You can sign in with {provider}.")
    } else {
        format!("Link your {provider} account to sign in with it.")
    };
    let join = (!linked).then(|| {
        view! {
            <a class="button" href="/settings/security/link" rel="external">
                "Link account"
            </a>
        }
    });
    view! {
        <section class="panel" aria-labelledby="elsewhere-title">
            <header class="panel__head">
                <h2 id="elsewhere-title">"Single sign-on"</h2>
            </header>
            <ul class="rows">
                <li>
                    <div>
                        <h3>{provider.to_owned()}</h3>
                        <p>{text}</p>
                    </div>
                    {join}
                </li>
            </ul>
        </section>
    }
    .into_any()
}

fn password(has: bool) -> AnyView {
    let inside = if has {
        view! {
            <Form to="/settings/security/password">
                <div class="panel__body fields">
                    <Refused />
                    <Field
                        name="password"
                        label="Current password"
                        kind="password"
                        autocomplete="current-password"
                        required=true
                    />
                    <Field
                        name="new_password"
                        label="New password"
                        kind="password"
                        autocomplete="new-password"
                        minlength=PASSWORD_MIN
                        hint=format!("{} All your other sessions end.", password_hint())
                        required=true
                    />
                </div>
                <footer class="panel__foot">
                    <Submit label="Change password" working="Changing…" />
                </footer>
            </Form>
        }
        .into_any()
    } else {
        view! {
            <p class="panel__body">"Your account has no password. You sign in with single sign-on."</p>
        }
        .into_any()
    };
    view! {
        <section class="panel" aria-labelledby="password-title">
            <header class="panel__head">
                <h2 id="password-title">"Password"</h2>
            </header>
            {inside}
        </section>
    }
    .into_any()
}

fn factor(has_password: bool, state: Option<SecondFactorState>, is_required: bool, now: Timestamp) -> AnyView {
    let on = state.is_some();
    let policy = (has_password && is_required).then_some("Required by the policy.");
    let rows = match state {
        Some(SecondFactorState { since, codes_left }) => {
            let left = match codes_left {
                0 => "None left. Create new codes.".to_owned(),
                1 => "1 code left.".to_owned(),
                n => format!("{n} codes left."),
            };
            let few = (codes_left < 3).then(|| {
                view! { <Notice tone=Tone::Warning>"You have few recovery codes left. Create new codes so that you can sign in if you lose your phone."</Notice> }
            });
            view! {
                {few.map(|few| view! { <div class="panel__body">{few}</div> })}
                <ul class="rows">
                    <li>
                        <div>
                            <h3>"Authenticator app"</h3>
                            <p>"Set up " <Ago at=since now /> ". " {policy}</p>
                        </div>
                        <a id="turn-off" class="button button--warn" href=OFF>
                            "Turn off"
                        </a>
                    </li>
                    <li>
                        <div>
                            <h3>"Recovery codes"</h3>
                            <p>"Each code can be used once if you lose your phone. " {left}</p>
                        </div>
                        <a id="new-codes" class="button" href=CODES>
                            "Create new codes"
                        </a>
                    </li>
                </ul>
            }
            .into_any()
        }
        None if has_password => view! {
            <ul class="rows">
                <li>
                    <div>
                        <h3>"Authenticator app"</h3>
                        <p>"Require a code from your phone in addition to your password. " {policy}</p>
                    </div>
                    <a class="button button--primary" href=ENROL>
                        "Set up"
                    </a>
                </li>
            </ul>
        }
        .into_any(),
        None => view! {
            <p class="panel__body">"You sign in with single sign-on. Set up two-factor authentication with your identity provider."</p>
        }
        .into_any(),
    };
    let badge = if on {
        view! { <span class="badge" data-status="active">{Icon::Active.view()} "On"</span> }
    } else {
        view! { <span class="badge" data-status="inactive">{Icon::Inactive.view()} "Off"</span> }
    };
    view! {
        <section class="panel" aria-labelledby="factor-title">
            <header class="panel__head">
                <h2 id="factor-title">"Two-factor authentication"</h2>
                {has_password.then_some(badge)}
            </header>
            {rows}
        </section>
    }
    .into_any()
}
