//! The secret in three formats: plain, as a curl command, and as lines of an `.env` file.

use super::api::CreatedKey;
use crate::{
    domain::sensitive::RevealedSecret,
    islands::{CopyButton, DownloadEnv},
    ui::{icon::Icon, segments::Segments},
};
use leptos::prelude::*;

/// The tabs: value and label.
const TABS: [(&str, &str); 3] = [("secret", "Secret"), ("curl", "curl"), ("env", ".env")];

/// The copyable texts. They contain the secret and are zeroized on drop.
#[derive(Clone)]
pub struct SecretFormats {
    plain: RevealedSecret,
    curl: RevealedSecret,
    env: RevealedSecret,
}

impl SecretFormats {
    pub fn new(created: &CreatedKey) -> Self {
        // Exposed for display: this is the only page that shows the secret.
        let secret = created.secret.expose();
        let url = created.public_url.trim_end_matches('/');
        let curl = format!(
            "curl {url}/authentication/token \\\n  -H 'Content-Type: application/json' \\\n  -d '{{\"secret_key\":\"{secret}\"}}'"
        );
        let env = format!("KEYWARD_SECRET_KEY={secret}\nKEYWARD_PROJECT_ID={}", created.key.project_id);
        Self { plain: created.secret.clone(), curl: RevealedSecret::new(curl), env: RevealedSecret::new(env) }
    }

    /// Returns the text of a tab.
    pub fn tab(&self, tab: &str) -> String {
        match tab {
            "curl" => &self.curl,
            "env" => &self.env,
            _ => &self.plain,
        }
        .expose()
        .to_owned()
    }
}

/// The box with the secret. Tabs and mask are pure CSS and work without scripts. The buttons that need scripts are
/// rendered only if scripts run.
#[component]
pub fn SecretBox(forms: SecretFormats, live: bool) -> impl IntoView {
    let copy = live.then(|| view! { <CopyButton from=".secret".to_owned() label="Copy".to_owned() main=true /> });
    let download = live.then(|| view! { <p><DownloadEnv /></p> });
    view! {
        <div class="secret">
            <div class="secret__bar">
                <fieldset class="segments">
                    <legend class="visually-hidden">"Format"</legend>
                    <Segments name="as" choices=&TABS chosen="secret" />
                </fieldset>
                <div class="actions">
                    <label class="button button--quiet button--icon mask" data-tip="Mask the secret">
                        <input type="checkbox" id="mask" aria-label="Mask the secret" />
                        {Icon::Eye.view()}
                    </label>
                    {copy}
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
                    {download}
                </div>
            </div>
        </div>
    }
    .into_any()
}
