//! Device verification pages: `/device` takes the user code (RFC 8628 section 3.3), `/device/confirm` shows the consent
//! prompt.

use super::{
    api,
    consent_prompt::{FormTarget, consent_prompt},
};
use crate::{
    domain::consent::Authorization,
    error::AppError,
    features::resource::resource,
    features::session::{PageTitle, Session, SignedInOnly},
    response_status::status,
    ui::{bare_layout::Gate, button::Submit, field::Field, form::Form, notice::Refused},
};
use leptos::prelude::*;
use leptos_router::{hooks::use_query_map, location::Url};

const PAGE: &str = "/device";
const CONFIRM: &str = "/device/confirm";

#[component]
pub fn DevicePage() -> impl IntoView {
    let (done, code) = use_query_map()
        .with_untracked(|query| (query.get("done").unwrap_or_default(), query.get("user_code").unwrap_or_default()));
    let (title, lead) = match done.as_str() {
        "allowed" => ("Access allowed", "Your device continues in a moment. You can close this page."),
        "denied" => ("Access denied", "Your device does not get access. You can close this page."),
        _ => ("Connect a device", "Enter the code shown on your device."),
    };
    let form = (!matches!(done.as_str(), "allowed" | "denied")).then(|| {
        view! {
            <Form to=PAGE class="panel" plain=true>
                <div class="panel__body fields">
                    <Refused />
                    <Field
                        name="user_code"
                        label="Code"
                        value=code
                        hint="8 letters. Never enter a code that someone else sent you."
                        placeholder="XXXX-XXXX"
                        required=true
                        autofocus=true
                        mono=true
                    />
                    <Submit label="Continue" working="Checking…" class="button button--primary button--wide" />
                </div>
            </Form>
        }
    });
    view! {
        <PageTitle text=title />
        <SignedInOnly />
        <Gate title lead=lead.to_owned()>
            {form}
        </Gate>
    }
    .into_any()
}

#[component]
pub fn DeviceConfirmPage() -> impl IntoView {
    let code = use_query_map().with_untracked(|query| query.get("user_code").unwrap_or_default());
    let session = Session::current();
    let user_code = code.clone();
    let answer = resource(
        || (),
        move |()| {
            let code = user_code.clone();
            async move {
                session.signed_in().await?;
                api::device(code).await
            }
        },
    );
    let draw = move |answer: Result<Authorization, AppError>| match answer {
        Ok(Authorization::Prompt(asking)) => {
            let to = format!("{CONFIRM}?user_code={}", Url::escape(&code));
            consent_prompt(
                asking,
                FormTarget { to, name: "user_code", value: code.clone(), code: Some(format_user_code(&code)) },
            )
        }
        Ok(Authorization::Failed { status: code, why }) => error_view(code, "You cannot allow this request", why),
        Ok(Authorization::Unknown(_) | Authorization::Answered(_)) => ().into_any(),
        // `SignedInOnly` redirects to the sign-in page.
        Err(error) if error.kind == crate::error::ErrorKind::SignedOut => ().into_any(),
        Err(error) => {
            let (wrong, code) = (error.field("user_code").map(ToOwned::to_owned), error.kind.status());
            error_view(
                if wrong.is_some() { 404 } else { code },
                "This code is not valid",
                wrong.unwrap_or(error.message),
            )
        }
    };
    view! {
        <PageTitle text="Allow a device" />
        <SignedInOnly />
        <Suspense>{move || answer.get().map(draw.clone())}</Suspense>
    }
    .into_any()
}

/// Formats the user code as the device shows it, however the user typed it.
fn format_user_code(typed: &str) -> String {
    let letters: Vec<_> = typed.chars().filter(char::is_ascii_alphabetic).map(|c| c.to_ascii_uppercase()).collect();
    letters.chunks(4).map(|part| part.iter().collect::<String>()).collect::<Vec<_>>().join("-")
}

fn error_view(code: u16, title: &'static str, words: String) -> AnyView {
    status(code);
    view! {
        <Gate title lead=words>
            <div class="actions">
                <a class="button button--primary" href=PAGE>
                    "Enter another code"
                </a>
            </div>
        </Gate>
    }
    .into_any()
}
