//! `/settings/security/second-factor`: enrollment of a second factor. The page has no shell, because a user who must
//! enroll is redirected here from every other page.

use super::{
    api::begin_second_factor,
    codes::recovery_codes,
    page::{ENROL, PAGE},
};
use crate::{
    domain::{
        security::{RecoveryCodes, SecondFactorEnrollment},
        sensitive::RevealedSecret,
    },
    error::{AppError, ErrorKind, RejectedForm},
    features::resource::resource,
    features::session::{PageTitle, Session, SignedInOnly, next_param},
    response_status::{Redirect, status},
    ui::{
        bare_layout::Gate,
        button::Submit,
        field::Field,
        form::Form,
        notice::{Notice, Refused, Tone},
    },
};
use leptos::prelude::*;
use leptos_router::location::Url;

#[component]
pub fn EnrollPage() -> impl IntoView {
    let next = next_param();
    // Set in the response to the form submission: the page shows the codes.
    if let Some(codes) = use_context::<RecoveryCodes>() {
        let done = next.unwrap_or_else(|| PAGE.into());
        return view! {
            <PageTitle text="Save your recovery codes" />
            <Gate title="Save your recovery codes" lead="Two-factor authentication is on.".to_owned() wide=true>
                {recovery_codes(codes)}
                <a class="button button--primary button--wide" href=done rel="external">
                    "I have saved my recovery codes"
                </a>
            </Gate>
        }
        .into_any();
    }
    let to = next.as_ref().map_or_else(|| ENROL.into(), |next| format!("{ENROL}?next={}", Url::escape(next)));
    let session = Session::current();
    // After a rejected code the page shows the same secret again.
    let typed =
        use_context::<RejectedForm>().and_then(|it| it.values.get("sealed")?.first().cloned()).unwrap_or_default();
    let enrolment = resource(
        || (),
        move |()| {
            let typed = typed.clone();
            async move {
                session.signed_in().await?;
                begin_second_factor(typed).await
            }
        },
    );
    let draw = move |answer: Result<SecondFactorEnrollment, AppError>| match answer {
        Ok(enrolment) => form(to.clone(), enrolment),
        // `SignedInOnly` redirects to the sign-in page.
        Err(error) if error.kind == ErrorKind::SignedOut => ().into_any(),
        // The second factor is already on.
        Err(error) if error.kind == ErrorKind::Conflict => view! { <Redirect to=PAGE /> }.into_any(),
        Err(error) => {
            status(error.kind.status());
            view! { <Notice tone=Tone::Danger>{error.message}</Notice> }.into_any()
        }
    };
    view! {
        <PageTitle text="Set up two-factor authentication" />
        <SignedInOnly />
        <Gate
            title="Set up two-factor authentication"
            lead="After this, you sign in with your password and a code from an authenticator app on your phone.".to_owned()
            wide=true
        >
            <Suspense>{move || enrolment.get().map(draw.clone())}</Suspense>
        </Gate>
    }
    .into_any()
}

fn form(to: String, enrolment: SecondFactorEnrollment) -> AnyView {
    let SecondFactorEnrollment { text, path, size, is_second_factor_required: required, sealed } = enrolment;
    let policy = required.then(|| view! { <Notice tone=Tone::Plain>"The policy requires two-factor authentication. Set it up to continue."</Notice> });
    let away = if required { ("/logout", "Sign out") } else { (PAGE, "Not now") };
    view! {
        <Form to class="panel" plain=true>
            <div class="panel__body fields">
                {policy}
                <Refused />
                <input type="hidden" name="sealed" value=sealed />
                <div class="field">
                    <h2 class="label">"1. Scan this QR code with your authenticator app"</h2>
                    {qr(path, size)}
                    <p class="hint">"Or enter this setup key in the app:"</p>
                    <p>
                        <code class="totp-key" id="totp-key">
                            {text.expose().to_owned()}
                        </code>
                    </p>
                </div>
                <Field
                    name="one_time_code"
                    label="2. Enter the code from the app"
                    hint="6 digits. The app shows a new code every 30 seconds."
                    autocomplete="one-time-code"
                    required=true
                    mono=true
                />
                <Submit label="Turn on" working="Turning on…" class="button button--primary button--wide" />
            </div>
        </Form>
        <p class="hint">
            <a href=away.0 rel="external">
                {away.1}
            </a>
        </p>
    }
    .into_any()
}

/// The QR code. Dark on light in every theme, because many cameras do not read the inverse.
fn qr(path: RevealedSecret, size: u32) -> AnyView {
    view! {
        <svg
            class="qr"
            role="img"
            aria-label="QR code with the setup key below"
            viewBox=format!("0 0 {size} {size}")
            shape-rendering="crispEdges"
        >
            <rect width=size.to_string() height=size.to_string() fill="#fff"></rect>
            <path d=path.expose().to_owned() fill="#000"></path>
        </svg>
    }
    .into_any()
}
