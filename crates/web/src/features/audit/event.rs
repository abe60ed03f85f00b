//! One audit event as a view: the sentence, the reason, and the exact values in a collapsed section.

use crate::domain::audit::{AuditEvent, EventDetails, ValueChange};
use leptos::prelude::*;

/// Returns the sentence of an event: "Maren Okafor (administrator) deactivated the key “Nightly export”".
pub fn sentence(event: &AuditEvent, own: &'static str) -> AnyView {
    let who = if event.own && !own.is_empty() { own.to_owned() } else { event.who.clone() };
    let capacity = event.capacity().map(|it| view! { <span class="muted">{format!(" ({it})")}</span> });
    view! {
        <b>{who}</b>
        {capacity}
        {format!(" {}", event.message)}
    }
    .into_any()
}

/// Returns the reason that the actor entered, in quotes.
pub fn reason(event: &AuditEvent) -> AnyView {
    event.reason.clone().map(|reason| view! { <span class="event__reason">{format!("“{reason}”")}</span> }).into_any()
}

/// Returns the changed fields and, for administrators, all exact values. Empty if the event has neither.
pub fn details(event: &AuditEvent) -> AnyView {
    if event.changed.is_empty() && event.exact.is_none() {
        return ().into_any();
    }
    let changed = event.changed.iter().cloned().map(changed_field).collect_view();
    let exact = event.exact.clone().map(|exact| exact_values(event, exact));
    view! {
        <details class="event__more">
            <summary>"Details"<span class="visually-hidden">{format!(" of event {}", event.seq)}</span></summary>
            <dl class="facts">{changed} {exact}</dl>
        </details>
    }
    .into_any()
}

fn changed_field(ValueChange { what, before, after }: ValueChange) -> AnyView {
    let value = match (before, after) {
        (Some(before), Some(after)) => view! {
            <del>{before}</del>
            <span aria-hidden="true">" → "</span>
            <ins>{after}</ins>
        }
        .into_any(),
        (Some(before), None) => view! { <del>{before}</del> }.into_any(),
        (None, after) => view! { <span class="event__value">{after.unwrap_or_default()}</span> }.into_any(),
    };
    view! {
        <dt>{what}</dt>
        <dd>{value}</dd>
    }
    .into_any()
}

fn exact_values(event: &AuditEvent, exact: EventDetails) -> AnyView {
    let fact = |name: &'static str, value: Option<String>| {
        value.map(|value| {
            view! {
                <dt>{name}</dt>
                <dd>{value}</dd>
            }
        })
    };
    let code = |name: &'static str, value: Option<String>| {
        value.map(|value| {
            view! {
                <dt>{name}</dt>
                <dd>
                    <code>{value}</code>
                </dd>
            }
        })
    };
    let project = exact.project.map(|project| {
        view! {
            <dt>"Project"</dt>
            <dd>{project.name} " " <code>{project.id.to_string()}</code></dd>
        }
    });
    view! {
        {fact("Time", Some(event.at.exact.clone()))}
        {fact("Acting as", event.acting.clone())}
        {code("Action", Some(exact.action))}
        {code("Actor", Some(exact.actor))}
        {code("Target", Some(exact.target))}
        {project}
        {fact("IP address", exact.ip)}
        {fact("User agent", exact.agent)}
        {code("Request ID", exact.request_id)}
        {fact("Event number", Some(event.seq.to_string()))}
        {code("Hash", Some(exact.hash))}
    }
    .into_any()
}
