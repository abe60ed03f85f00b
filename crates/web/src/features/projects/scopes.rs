//! Scopes that a project offers: the section, and the dialog in which an administrator chooses them.

use super::{
    api::scopes_form,
    dialog::{DialogSpec, current_project, error_dialog, form_dialog, project_path},
};
use crate::{
    domain::{
        count::format_grouped,
        project::{ProjectView, ScopesForm},
    },
    features::session::load,
    ui::{
        choices::{Check, Choices},
        field::{Wrong, aria_attributes},
        form::FormState,
        segments::Segments,
    },
};
use leptos::prelude::*;

/// The section of the project page.
pub fn section(project: &ProjectView) -> AnyView {
    let scopes = project
        .scopes
        .iter()
        .map(|scope| view! { <dt><code>{scope.name.to_string()}</code></dt> <dd>{scope.description.clone()}</dd> })
        .collect_view();
    let offered = match (project.default_scopes, project.scopes.is_empty()) {
        (_, true) => "No scopes. Keys identify the caller but grant no access.",
        (true, false) => "Default set of this instance.",
        (false, false) => "Custom set of this project.",
    };
    let retired = (!project.retired.is_empty()).then(|| {
        let rows = project
            .retired
            .iter()
            .map(|scope| {
                let keys = if scope.keys == 1 {
                    "1 key has it".to_owned()
                } else {
                    format!("{} keys have it", format_grouped(scope.keys))
                };
                view! { <dt><code>{scope.name.clone()}</code></dt> <dd>{keys}</dd> }
            })
            .collect_view();
        view! {
            <p class="hint">"Retired scopes. Existing keys keep them, but they cannot be added to new keys."</p>
            <dl class="facts">{rows}</dl>
        }
    });
    let choose = project.may_choose_scopes.then(|| {
        view! {
            <a class="button" id="choose-scopes" href=format!("{}/scopes", project_path(project))>
                "Choose scopes"
            </a>
        }
    });
    view! {
        <section class="panel" aria-labelledby="scopes">
            <header class="panel__head">
                <h2 id="scopes">"Offered scopes"</h2>
                {choose}
            </header>
            <div class="panel__body stack stack--close">
                <p class="hint">{offered}</p>
                <dl class="facts">{scopes}</dl>
                {retired}
            </div>
        </section>
    }
    .into_any()
}

#[component]
pub fn ScopesOfferedPage() -> impl IntoView {
    let project = current_project();
    if !project.may_choose_scopes {
        return error_dialog(&project, 403, "Only an administrator can choose the scopes that a project offers.");
    }
    let id = project.id;
    load(move || scopes_form(id), move |form| scopes_dialog(&project, form))
}

fn scopes_dialog(project: &ProjectView, form: ScopesForm) -> AnyView {
    let words = DialogSpec {
        path: "scopes".into(),
        title: "Choose scopes".into(),
        lead: "New keys of this project can have these scopes. Existing keys keep their scopes.".into(),
        button: ("Save scopes", "Saving…"),
        danger: false,
        opener: "choose-scopes",
        focus_cancel: false,
    };
    form_dialog(project, words, move || fields(form))
}

fn fields(form: ScopesForm) -> AnyView {
    let state = FormState::from_context();
    let set = state.submitted_value("set").unwrap_or_else(|| if form.default { "default" } else { "own" }.to_owned());
    let version = state.submitted_value("version").unwrap_or(form.version);
    let typed = state.submitted_values("scopes");
    let is_chosen =
        |name: &str, offered: bool| typed.as_ref().map_or(offered, |typed| typed.iter().any(|it| it == name));
    // Rejected because keys still have dropped scopes: each of these scopes needs its own confirmation.
    let retire = state.field_error("retire").map(|message| {
        let rows = form
            .scopes
            .iter()
            .filter(|it| it.offered && it.keys > 0)
            .filter(|it| if set == "own" { !is_chosen(&it.name, it.offered) } else { !it.in_default })
            .map(|it| {
                let keys = if it.keys == 1 {
                    "1 key keeps it".to_owned()
                } else {
                    format!("{} keys keep it", format_grouped(it.keys))
                };
                view! {
                    <label class="check">
                        <input type="checkbox" name="retire[]" value=it.name.clone() aria-describedby="retire-error" />
                        {format!("Retire {} in this project: {keys}", it.name)}
                    </label>
                }
            })
            .collect_view();
        view! {
            <fieldset class="field">
                <legend>"Scopes in use"</legend>
                {crate::ui::field::error_message("retire", message)}
                {rows}
            </fieldset>
        }
    });
    let checks = form
        .scopes
        .iter()
        .map(|it| Check {
            checked: is_chosen(&it.name, it.offered),
            offered_for: None,
            description: match it.keys {
                0 => it.description.clone(),
                1 => format!("{} (1 key has it)", it.description),
                n => format!("{} ({} keys have it)", it.description, format_grouped(n)),
            },
            value: it.name.clone(),
        })
        .collect();
    let (invalid, by) = aria_attributes("scopes", false);
    view! {
        <input type="hidden" name="version" value=version />
        <fieldset class="field">
            <legend>"Offered scopes"</legend>
            <div class="segments segments--wide">
                <Segments name="set" choices=&[("default", "Default set"), ("own", "Custom set")] chosen=set />
            </div>
        </fieldset>
        <fieldset class="field" aria-describedby=by>
            <legend>"Scopes"</legend>
            <Choices name="scopes[]" checks invalid />
            <Wrong name="scopes" />
            <p class="hint">"Used only if “Custom set” is selected."</p>
        </fieldset>
        {retire}
    }
    .into_any()
}
