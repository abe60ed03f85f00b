//! `/settings/account`: name, time zone, and theme.

use super::{api::get_account, routes::ACCOUNT, tabs::SettingsHead};
use crate::{
    domain::{theme::Theme, user::AccountForm},
    features::session::{PageShell, PageTitle, SignedInOnly, load},
    ui::{
        breakable::breakable,
        button::Submit,
        field::{Field, Wrong, aria_attributes},
        form::{Form, FormState},
        notice::Refused,
        segments::Segments,
        select::{Choice, Select},
        toast::Toasts,
    },
};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

#[component]
pub fn AccountPage() -> impl IntoView {
    let saved = use_query_map().with_untracked(|query| query.get("done").as_deref() == Some("saved"));
    let message = saved.then(|| "Settings saved.".to_owned());
    let draw = |account: AccountForm| {
        view! {
            <section class="panel" aria-labelledby="you">
                <header class="panel__head">
                    <h2 id="you">"Profile"</h2>
                </header>
                <Form to="/settings/account">{person(account)}</Form>
            </section>
            <section class="panel" aria-labelledby="look">
                <header class="panel__head">
                    <h2 id="look">"Appearance"</h2>
                </header>
                <Form to="/settings/theme">{look()}</Form>
            </section>
        }
        .into_any()
    };
    view! {
        <PageTitle text="Account" />
        <SignedInOnly />
        <PageShell nav=ACCOUNT>
            <div class="page--narrow">
                <SettingsHead current=ACCOUNT />
                <div class="stack">{load(get_account, draw)}</div>
            </div>
        </PageShell>
        <Toasts message />
    }
    .into_any()
}

fn person(account: AccountForm) -> AnyView {
    let AccountForm { name, email, zone, zones, now } = account;
    let chosen = FormState::from_context().submitted_value("zone").unwrap_or_else(|| zone.clone().unwrap_or_default());
    let mut choices = vec![Choice::new("", "Browser time zone")];
    choices.extend(zones.into_iter().map(|zone| Choice::new(zone.clone(), zone.replace('_', " "))));
    let (invalid, by) = aria_attributes("zone", true);
    view! {
        <div class="panel__body fields">
            <Refused />
            <Field
                name="name"
                label="Name"
                value=name
                hint="Other users see this name next to the keys that you create."
                autocomplete="name"
                required=true
            />
            <div class="field">
                <span class="label">"Email"</span>
                <p>{breakable(&email)}</p>
            </div>
            <div class="field">
                <label for="zone">"Time zone"</label>
                <Select name="zone" choices chosen invalid described_by=by />
                <Wrong name="zone" />
                <p class="hint" id="zone-hint">
                    {format!("Used for displayed times and expiry dates. Current time: {now}.")}
                </p>
            </div>
        </div>
        <footer class="panel__foot">
            <Submit label="Save changes" working="Saving…" />
        </footer>
    }
    .into_any()
}

fn look() -> AnyView {
    let theme = use_context::<Theme>().unwrap_or_default();
    view! {
        <div class="panel__body fields">
            <fieldset class="field">
                <legend class="visually-hidden">"Theme"</legend>
                <div class="segments">
                    <Segments
                        name="theme"
                        choices=&[("system", "System"), ("light", "Light"), ("dark", "Dark")]
                        chosen=theme.as_str()
                    />
                </div>
                <Wrong name="theme" />
                <p class="hint">"Saved in this browser."</p>
            </fieldset>
        </div>
        <footer class="panel__foot">
            <Submit label="Save theme" working="Saving…" class="button" />
        </footer>
    }
    .into_any()
}
