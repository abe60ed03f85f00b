//! `/admin/policy`: the policy form. Before a stricter policy is saved, the page lists what it affects.

use super::{api::policy_form, routes::POLICY};
use crate::{
    domain::policy::{PolicyDraft, PolicyForm, PolicySaved, SecondFactor, SignUp},
    features::session::{PageShell, PageTitle, admin_page, load},
    ui::{
        button::Submit,
        field::{Field, Wrong, aria_attributes},
        form::{Form, FormState},
        icon::Icon,
        notice::Refused,
        select::{Choice, Select},
        toast::Toasts,
    },
};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

pub const PAGE: &str = "/admin/policy";

#[component]
pub fn PolicyPage() -> impl IntoView {
    admin_page(|| {
        let saved = use_query_map().with_untracked(|query| query.get("done").as_deref() == Some("saved"));
        let message = saved.then(|| "Policy saved.".to_owned());
        view! {
            <PageTitle text="Policy" />
            <PageShell nav=POLICY>
                <div class="page--narrow">
                    <header class="page-head">
                        <h1>"Policy"</h1>
                        <p>"Rules for all users and keys. A stricter policy does not change existing keys."</p>
                    </header>
                    {load(
                        policy_form,
                        |form: PolicyForm| {
                            view! {
                                <section class="panel" aria-label="Policy">
                                    <Form to=PAGE>{fields(form)}</Form>
                                </section>
                            }
                                .into_any()
                        },
                    )}
                </div>
            </PageShell>
            <Toasts message />
        }
        .into_any()
    })
}

const fn sign_up(it: SignUp) -> &'static str {
    match it {
        SignUp::Closed => "Closed: administrators create accounts on the command line",
        SignUp::Invite => "By invitation only",
        SignUp::Open => "Open to anyone with a confirmed email address",
    }
}

const fn second_factor(it: SecondFactor) -> &'static str {
    match it {
        SecondFactor::Optional => "Optional",
        SecondFactor::Administrators => "Required for administrators",
        SecondFactor::Required => "Required for everyone",
    }
}

/// The field values: those of the confirmation step or of the rejected form, otherwise the current policy.
fn field_values(holds: PolicyDraft) -> PolicyDraft {
    if let Some(PolicySaved::NeedsConfirmation { draft, .. }) = use_context::<PolicySaved>() {
        return *draft;
    }
    let state = FormState::from_context();
    let typed = |name: &str, holds: String| state.submitted_value(name).unwrap_or(holds);
    PolicyDraft {
        key_life_max: typed("key_life_max", holds.key_life_max),
        may_never_expire: match state.submitted_values("may_never_expire") {
            Some(typed) => !typed.is_empty(),
            None => holds.may_never_expire,
        },
        token_life: typed("token_life", holds.token_life),
        token_unit: typed("token_unit", holds.token_unit),
        sign_up: typed("sign_up", holds.sign_up),
        keys_per_project: typed("keys_per_project", holds.keys_per_project),
        second_factor: typed("second_factor", holds.second_factor),
        version: typed("version", holds.version),
    }
}

fn fields(form: PolicyForm) -> AnyView {
    let PolicyForm { draft, mail } = form;
    let draft = field_values(draft);
    let units = [("60", "minutes"), ("3600", "hours"), ("86400", "days")];
    let units = units.map(|(value, label)| Choice::new(value, label)).into_iter().collect();
    let sign_ups = SignUp::ALL.iter().map(|it| Choice::new(it.as_str(), sign_up(*it))).collect();
    let factors = SecondFactor::ALL.iter().map(|it| Choice::new(it.as_str(), second_factor(*it))).collect();
    let (life_invalid, life_by) = aria_attributes("token_life", true);
    let (sign_up_invalid, sign_up_by) = aria_attributes("sign_up", true);
    let (factor_invalid, factor_by) = aria_attributes("second_factor", false);
    let mail = if mail {
        "Email is configured, so new users can confirm their addresses."
    } else {
        "Email is not configured, so new users cannot confirm their addresses. Open sign-up is not available."
    };
    view! {
        <div class="panel__body">
            <div class="fields">
                <Refused />
                <input type="hidden" name="version" value=draft.version />
                <Field
                    name="key_life_max"
                    label="Maximum key lifetime (days)"
                    value=draft.key_life_max
                    hint="Leave blank for no limit. If set, keys cannot be created without an expiry."
                    optional=true
                />
                <label class="check">
                    <input type="checkbox" name="may_never_expire" value="on" checked=draft.may_never_expire />
                    "Allow keys that never expire (when no maximum is set)"
                </label>
                <div class="field">
                    <label for="token_life">"Maximum access token lifetime"</label>
                    <div class="fields fields--pair">
                        <input
                            class="input"
                            id="token_life"
                            name="token_life"
                            value=draft.token_life
                            inputmode="numeric"
                            required
                            autocomplete="off"
                            aria-invalid=life_invalid
                            aria-describedby=life_by
                        />
                        <Select name="token_unit" choices=units chosen=draft.token_unit aria_label="Unit" />
                    </div>
                    <Wrong name="token_life" />
                    <p class="hint" id="token_life-hint">
                        "Projects can set a lower maximum."
                    </p>
                </div>
                <Field
                    name="keys_per_project"
                    label="Maximum keys per project"
                    value=draft.keys_per_project
                    hint="Leave blank for no limit. Deleted keys do not count."
                    optional=true
                />
                <div class="field">
                    <label for="sign_up">"Sign-up"</label>
                    <Select name="sign_up" choices=sign_ups chosen=draft.sign_up invalid=sign_up_invalid described_by=sign_up_by />
                    <Wrong name="sign_up" />
                    <p class="hint" id="sign_up-hint">
                        {mail}
                    </p>
                </div>
                <div class="field">
                    <label for="second_factor">"Two-factor authentication"</label>
                    <Select
                        name="second_factor"
                        choices=factors
                        chosen=draft.second_factor
                        invalid=factor_invalid
                        described_by=factor_by
                    />
                    <Wrong name="second_factor" />
                </div>
            </div>
        </div>
        {foot()}
    }
    .into_any()
}

/// The submit button. In the confirmation step also the list of effects.
fn foot() -> AnyView {
    let Some(PolicySaved::NeedsConfirmation { lines, confirms, .. }) = use_context::<PolicySaved>() else {
        return view! {
            <footer class="panel__foot">
                <Submit label="Save policy" working="Saving…" />
            </footer>
        }
        .into_any();
    };
    let lines = lines.into_iter().map(|line| view! { <li>{line}</li> }).collect_view();
    view! {
        <div class="panel__foot stack stack--close">
            <div class="notice" data-tone="warning" role="alert" id="touches">
                {Icon::Warn.view()}
                <div>
                    <p>"This policy is stricter than the current one. It is not saved yet."</p>
                    <ul class="lines">{lines}</ul>
                </div>
            </div>
            <input type="hidden" name="confirmed" value=confirms />
            <div class="actions">
                <Submit label="Save policy anyway" working="Saving…" class="button button--danger" />
                <a class="button" href=PAGE>
                    "Discard changes"
                </a>
            </div>
        </div>
    }
    .into_any()
}
