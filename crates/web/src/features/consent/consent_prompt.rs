//! Consent prompt: the client, the project, the requested scopes, and the lifetime of the grant.

use crate::{
    domain::{consent::ConsentPrompt, project::ProjectName, scope::ScopeView},
    features::session::logout_url_for_current_page,
    ui::{
        bare_layout::Gate,
        choices::{Check, ScopeField},
        field::{Wrong, aria_attributes},
        form::{Form, FormState},
        icon::{Icon, logo},
        notice::{Notice, Refused, Tone},
        select::{Choice, Select},
    },
};
use leptos::prelude::*;

/// The target of the consent form, and the field that identifies the authorization request.
pub struct FormTarget {
    /// The path of the page with its query.
    pub to: String,
    pub name: &'static str,
    pub value: String,
    /// The user code that the device shows.
    pub code: Option<String>,
}

/// The complete page.
pub fn consent_prompt(asking: ConsentPrompt, sent: FormTarget) -> AnyView {
    let ConsentPrompt { client, host, project, scopes, beyond, lives, usual, email } = asking;
    let who = client.clone().unwrap_or_else(|| "an unregistered application on this computer".to_owned());
    let title = match &sent.code {
        None => format!("Allow {who} to use {}?", project.name),
        Some(_) => format!("Allow {who} on your device to use {}?", project.name),
    };
    let lives = lives.into_iter().map(|life| Choice::new(life.seconds.to_string(), life.words)).collect();
    let FormTarget { to, name, value, code } = sent;
    let sign = client_initials(client.as_deref());
    let under = introduction(client, host, code);
    view! {
        <Gate title wide=true sign under>
            // The response can redirect to another origin, and the page has no shell: the browser submits the form
            // itself.
            <Form to class="panel" plain=true>
                <div class="panel__body fields">
                    <Refused />
                    <input type="hidden" name=name value=value />
                    {scope_checkboxes(scopes, beyond, &project)}
                    {lifetime_field(lives, usual)}
                    <ul class="grants">
                        <li data-not>
                            {Icon::X.view()} <span>"The application never sees your keys or your password. You can revoke its access at any time under Settings > Security."</span>
                        </li>
                    </ul>
                </div>
                <footer class="panel__foot actions actions--even">
                    <button class="button" name="answer" value="deny">
                        "Deny"
                    </button>
                    <button class="button button--primary" name="answer" value="allow">
                        "Allow"
                    </button>
                </footer>
            </Form>
            {signed_in_as(email)}
        </Gate>
    }
    .into_any()
}

/// Names the user who gives the consent. The link signs out and returns to the same request for another user.
pub fn signed_in_as(email: String) -> AnyView {
    view! {
        <p class="hint">
            {format!("Signed in as {email}. ")} <a href=logout_url_for_current_page() rel="external">
                "Not you?"
            </a>
        </p>
    }
    .into_any()
}

/// The initials of the client next to the Keyward logo.
fn client_initials(client: Option<&str>) -> AnyView {
    let words = client.unwrap_or("?").split_whitespace();
    let initials: String = words.filter_map(|word| word.chars().next()).take(2).flat_map(char::to_uppercase).collect();
    view! {
        <p class="between">
            <span class="avatar" aria-hidden="true">
                {initials}
            </span>
            {Icon::Right.view()}
            {logo()}
        </p>
    }
    .into_any()
}

fn introduction(client: Option<String>, host: Option<String>, code: Option<String>) -> AnyView {
    match (client, host, code) {
        (_, _, Some(code)) => view! {
            <p>"It asks for a temporary access token. Continue only if the device in front of you shows this code:"</p>
            <p class="device-code">
                <strong>{code}</strong>
            </p>
        }
        .into_any(),
        (Some(client), Some(host), None) => view! {
            <p>{format!("{client} at ")} <strong>{host}</strong> " asks for a temporary access token."</p>
        }
        .into_any(),
        _ => view! {
            <Notice tone=Tone::Warning>
                "This application is not registered, so its name can't be verified. Allow it only if you have just started it yourself."
            </Notice>
        }
        .into_any(),
    }
}

/// Checkboxes for the requested scopes. All are checked until the user clears some.
fn scope_checkboxes(scopes: Vec<ScopeView>, beyond: Vec<String>, project: &ProjectName) -> AnyView {
    let typed = FormState::from_context().submitted_values("scopes");
    let hint = match (scopes.is_empty(), beyond.is_empty()) {
        (true, true) => {
            format!(
                "No scopes requested. The application can see that you are a member of {} and read its config.",
                project.name
            )
        }
        (false, true) => "Uncheck anything you don't want to allow.".to_owned(),
        (_, false) => format!(
            "The application also requests {}. Only a project owner can allow this. Without it, some features may not work.",
            beyond.join(", ")
        ),
    };
    let checks = scopes
        .into_iter()
        .map(|scope| Check {
            checked: typed.as_ref().is_none_or(|typed| typed.iter().any(|it| it == scope.name.as_str())),
            value: scope.name.into(),
            description: scope.description,
            offered_for: None,
        })
        .collect();
    view! { <ScopeField legend="Requested scopes" checks hint /> }.into_any()
}

fn lifetime_field(lives: Vec<Choice>, usual: i64) -> AnyView {
    let chosen = FormState::from_context().submitted_value("life").unwrap_or_else(|| usual.to_string());
    let (invalid, by) = aria_attributes("life", true);
    view! {
        <div class="field">
            <label for="life">"Duration"</label>
            <Select name="life" choices=lives chosen invalid described_by=by />
            <Wrong name="life" />
            <p class="hint" id="life-hint">
                "Starting when you click Allow."
            </p>
        </div>
    }
    .into_any()
}
