//! Optional fields of a key: its description and its restrictions (networks, start time, and rate limit), as form fields
//! and as entries of a list.

use super::KeyView;
use crate::{
    domain::{
        key::DESCRIPTION_MAX,
        rate::{RateLimit, RatePeriod},
    },
    islands::NotBefore,
    ui::{
        field::{Area, Wrong, aria_attributes},
        form::FormState,
        icon::Icon,
        select::{Choice, Select},
        time::{Ago, Exactly},
    },
};
use leptos::prelude::*;

/// The field values.
#[derive(Clone, Debug, Default)]
pub struct RestrictionFields {
    description: String,
    /// One network per line.
    pub networks: String,
    /// `2026-12-01T09:00` in the user's time zone. Empty means immediately.
    pub not_before: String,
    /// A hint about the start time. Present only for the key's saved value.
    start_hint: Option<String>,
    rate: String,
    /// Empty means the first choice.
    per: String,
    burst: String,
}

/// The field names.
const NAMES: [&str; 6] = ["description", "networks", "not_before", "rate", "per", "burst"];

impl RestrictionFields {
    /// Builds field values from query parameters: a description, networks, a start time, and a rate limit such as
    /// `100/minute,burst=20`. An invalid rate limit is ignored; the rest is validated on submission.
    pub fn from_query(description: &str, networks: &[String], not_before: String, rate: &str) -> Self {
        let description = description.chars().take(DESCRIPTION_MAX).collect();
        let networks: Vec<_> = networks.iter().flat_map(|it| it.split([',', ' '])).collect();
        let (rate, per, burst) = rate_limit_values(rate.parse().ok());
        Self { description, networks: networks.join("\n"), not_before, start_hint: None, rate, per, burst }
    }

    /// Builds field values from a key. `not_before` has the format of the field.
    pub fn from_key(key: &KeyView, not_before: String) -> Self {
        let (rate, per, burst) = rate_limit_values(key.rate_limit);
        let start_hint = key.not_before.as_ref().map(|at| {
            let word = if at.at > key.now { "Valid from" } else { "Valid since" };
            format!("{word} {}.", at.exact)
        });
        let description = key.description.clone().unwrap_or_default();
        Self { description, networks: key.networks.to_strings().join("\n"), not_before, start_hint, rate, per, burst }
    }

    /// Returns the submitted values after a rejected submission, otherwise `self`.
    pub fn or_submitted(self) -> Self {
        let state = FormState::from_context();
        let typed = |name: &str, first: String| state.submitted_value(name).unwrap_or(first);
        let not_before = typed("not_before", self.not_before.clone());
        Self {
            description: typed("description", self.description),
            start_hint: self.start_hint.filter(|_| not_before == self.not_before),
            networks: typed("networks", self.networks),
            not_before,
            rate: typed("rate", self.rate),
            per: typed("per", self.per),
            burst: typed("burst", self.burst),
        }
    }

    /// Whether a field has a value or an error, so that the section must be open.
    pub fn has_content(&self) -> bool {
        let state = FormState::from_context();
        let set = [&self.description, &self.networks, &self.not_before, &self.rate, &self.burst];
        set.iter().any(|it| !it.is_empty()) || NAMES.iter().any(|name| state.field_error(name).is_some())
    }
}

/// Field values for calls, period, and burst. A burst equal to the limit is left empty, since it is the default.
fn rate_limit_values(limit: Option<RateLimit>) -> (String, String, String) {
    let Some(limit) = limit else { return Default::default() };
    let burst = if limit.burst() == limit.calls() { String::new() } else { limit.burst().to_string() };
    (limit.calls().to_string(), limit.per().as_str().to_owned(), burst)
}

/// A collapsed section for rarely needed fields.
pub fn more(open: bool, inside: AnyView) -> AnyView {
    view! {
        <details class="more" open=open>
            <summary>
                {Icon::Down.view()}
                "More"
            </summary>
            <div class="fields">{inside}</div>
        </details>
    }
    .into_any()
}

/// The fields. `zone` is the name of the user's time zone.
pub fn restriction_fields(fields: RestrictionFields, zone: &str) -> AnyView {
    let state = FormState::from_context();
    let RestrictionFields { description, networks, not_before, start_hint: preview, rate, per, burst } = fields;
    let wrong = state.field_error("not_before");
    let hint = format!("Requests before this time are rejected. Leave blank to start now. Time zone: {zone}.");
    view! {
        <Area
            name="description"
            label="Description"
            value=description
            rows=3
            hint=format!("What the key is for. At most {DESCRIPTION_MAX} characters.")
        />
        <Area
            name="networks"
            label="Allowed networks"
            value=networks
            rows=2
            hint="One per line, such as 203.0.113.0/24 or 2001:db8::/32. Leave blank to allow any network."
        />
        <NotBefore first=not_before hint preview wrong_time=wrong focus=state.has_initial_focus("not_before", false) />
        {rate_limit_fields(rate, &per, burst)}
    }
    .into_any()
}

/// The rate limit, a group of three fields.
fn rate_limit_fields(rate: String, per: &str, burst: String) -> AnyView {
    let state = FormState::from_context();
    let choices = RatePeriod::ALL.map(|per| Choice::new(per.as_str(), per.as_str())).into_iter().collect();
    let chosen = if per.is_empty() { RatePeriod::Minute.as_str() } else { per }.to_owned();
    let number = |name: &'static str, label: &'static str, value: String| {
        let (invalid, by) = aria_attributes(name, false);
        let by = by.map_or_else(|| "rate-hint".to_owned(), |by| format!("{by} rate-hint"));
        view! {
            <div class="field">
                <label for=name>{label}</label>
                <input
                    class="input"
                    id=name
                    name=name
                    value=value
                    inputmode="numeric"
                    autocomplete="off"
                    autofocus=state.has_initial_focus(name, false)
                    aria-invalid=invalid
                    aria-describedby=by
                />
            </div>
        }
    };
    let (invalid, by) = aria_attributes("per", false);
    view! {
        <fieldset class="field">
            <legend>"Rate limit " <span class="optional">"optional"</span></legend>
            <div class="fields fields--limit">
                {number("rate", "Requests", rate)}
                <div class="field">
                    <label for="per">"Per"</label>
                    <Select
                        name="per"
                        choices
                        chosen
                        invalid
                        described_by=by
                        autofocus=state.has_initial_focus("per", false)
                    />
                </div> {number("burst", "Burst", burst)}
            </div>
            <Wrong name="rate" />
            <Wrong name="per" />
            <Wrong name="burst" />
            <p class="hint" id="rate-hint">
                "Requests over the limit are rejected. Burst: how many requests may arrive at once. Default: the full limit."
            </p>
        </fieldset>
    }
    .into_any()
}

/// The restrictions of a key as entries of a description list. `all`: also those that are not set, and the key's
/// description.
pub fn restriction_details(key: &KeyView, all: bool) -> AnyView {
    let description = all.then(|| {
        view! {
            <dt>"Description"</dt>
            <dd>{lines(key.description.as_deref().unwrap_or("Not set"))}</dd>
        }
    });
    let networks = (all || !key.networks.is_empty()).then(|| {
        view! {
            <dt>"Allowed networks"</dt>
            <dd>{networks_view(&key.networks.to_strings())}</dd>
        }
    });
    let not_before = key.not_before.clone().map(|at| {
        view! {
            <dt>"Not before"</dt>
            <dd><Exactly at=at.clone() /> " " <span class="muted"><Ago at now=key.now /></span></dd>
        }
    });
    let limit = key.rate_limit.map_or_else(|| "No limit".to_owned(), |limit| limit.describe());
    let limit = (all || key.rate_limit.is_some()).then(|| {
        view! {
            <dt>"Rate limit"</dt>
            <dd>{limit}</dd>
        }
    });
    view! { {description} {networks} {not_before} {limit} }.into_any()
}

/// A text with its line breaks.
fn lines(text: &str) -> AnyView {
    let line = |(place, line): (usize, &str)| {
        let line = line.to_owned();
        if place == 0 { line.into_any() } else { view! { <br /> {line} }.into_any() }
    };
    text.split('\n').enumerate().map(line).collect_view().into_any()
}

/// "10.0.0.0/8 and 2 more", expandable to the full list.
fn networks_view(networks: &[String]) -> AnyView {
    let Some((first, rest)) = networks.split_first() else { return "Any network".into_any() };
    if rest.is_empty() {
        return view! { <code>{first.clone()}</code> }.into_any();
    }
    let all = networks.iter().map(|network| view! { <li><code>{network.clone()}</code></li> }).collect_view();
    view! {
        <details class="all">
            <summary><code>{first.clone()}</code> {format!(" and {} more", rest.len())}</summary>
            <ul>{all}</ul>
        </details>
    }
    .into_any()
}
