//! Scope checkboxes of a key form. None is checked by default.

use crate::{
    domain::project::ProjectChoice,
    ui::{
        choices::{Check, ScopeField},
        form::FormState,
    },
};
use leptos::prelude::*;

/// The scopes of the projects. With several projects each scope carries the ids of the projects that offer it. `first`
/// are the initially checked scopes.
#[component]
pub fn Scopes(projects: Vec<ProjectChoice>, first: Vec<String>) -> impl IntoView {
    let state = FormState::from_context();
    let chosen = state.submitted_values("scopes").unwrap_or(first);
    let several = projects.len() > 1;
    let mut offers: Vec<(String, String, Vec<String>)> = Vec::new();
    for choice in projects {
        let id = choice.id.to_string();
        for scope in choice.scopes {
            match offers.iter_mut().find(|offer| offer.0 == scope.name.as_str()) {
                Some(offer) => offer.2.push(id.clone()),
                None => offers.push((scope.name.into(), scope.description, vec![id.clone()])),
            }
        }
    }
    let none = offers.is_empty();
    let checks = offers
        .into_iter()
        .map(|(value, description, by)| Check {
            checked: chosen.contains(&value),
            offered_for: several.then(|| by.join(" ")),
            value,
            description,
        })
        .collect();
    let hint = if none {
        "This project offers no scopes. The key identifies the caller but grants no access."
    } else {
        "Without scopes, the key identifies the caller but grants no access."
    };
    view! { <ScopeField legend="Access scope" checks hint autofocus=state.has_initial_focus("scopes", false) /> }
        .into_any()
}
