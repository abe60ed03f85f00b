//! The secret in its three forms: bare, as a ready command, and as lines for a file.

use super::api::CreatedKey;
use crate::{
    domain::sensitive::RevealedSecret,
    ui::{
        copy::{CopyLabel, Copying},
        icon::Icon,
        segments::Segments,
    },
};
use leptos::prelude::*;

/// The tabs: values and words.
const TABS: [(&str, &str); 3] = [("secret", "Secret"), ("curl", "curl"), ("env", ".env")];

/// What can be copied. Wiped when it is dropped, as the secret in it is.
#[derive(Clone)]
pub struct Forms {
    pub bare: RevealedSecret,
    curl: RevealedSecret,
    env: RevealedSecret,
}

impl Forms {
    pub fn of(created: &CreatedKey) -> Self {
        // Exposed to be shown: this is the one page that may.
        let secret = created.secret.expose();
        let url = created.public_url.trim_end_matches('/');
        let curl = format!(
            "curl {url}/authentication/token \\\n  -H 'Content-Type: application/json' \\\n  -d '{{\"secret_key\":\"{secret}\"}}'"
        );
        let env = format!("KEYWARD_SECRET_KEY={secret}\nKEYWARD_PROJECT_ID={}", created.key.project_id);
        Self { bare: created.secret.clone(), curl: RevealedSecret::new(curl), env: RevealedSecret::new(env) }
    }

    /// What the tab shows.
    pub fn tab(&self, tab: &str) -> String {
        match tab {
            "curl" => &self.curl,
            "env" => &self.env,
            _ => &self.bare,
        }
        .expose()
        .to_owned()
    }
}

/// The box. The tabs and the mask are CSS, so they work without scripts; `copy` is absent where nothing could run it.
#[component]
pub fn SecretBox(
    forms: Forms,
    tab: RwSignal<&'static str>,
    state: RwSignal<Copying>,
    /// Copies what the chosen tab shows.
    #[prop(optional_no_strip)]
    copy: Option<Callback<()>>,
    /// The person copied from the box by other means.
    copied: Callback<()>,
) -> impl IntoView {
    let button = copy.map(|copy| {
        view! {
            <button
                class="button button--primary"
                type="button"
                autofocus=true
                data-done=move || (state.get() == Copying::Done).then_some("")
                on:click=move |_| copy.run(())
            >
                <CopyLabel words=true />
            </button>
        }
    });
    view! {
        <div class="secret" on:copy=move |_| copied.run(())>
            <div class="secret__bar">
                <fieldset class="segments">
                    <legend class="visually-hidden">"Show as"</legend>
                    <Segments
                        name="as"
                        choices=&TABS
                        chosen="secret"
                        on_change=Callback::new(move |value| tab.set(value))
                    />
                </fieldset>
                <div class="actions">
                    <label class="button button--quiet button--icon mask">
                        <input type="checkbox" id="mask" aria-label="Mask the secret" />
                        {Icon::Eye.view()}
                    </label>
                    {button}
                </div>
            </div>
            <div class="secret__panels">
                <div data-panel="secret">
                    <code class="secret__value">{forms.tab("secret")}</code>
                </div>
                <pre data-panel="curl">
                    <code>{forms.tab("curl")}</code>
                </pre>
                <div data-panel="env">
                    <p>
                        <code>{forms.tab("env")}</code>
                    </p>
                </div>
            </div>
        </div>
    }
    .into_any()
}
