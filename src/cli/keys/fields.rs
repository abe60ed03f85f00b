//! Fields of a key on the command line: options of `create` and `edit`, request bodies, and output.

use crate::{
    domain::{
        expiry::ExpiryChoice,
        ids::{FormNumber, ProjectId},
        key::Environment,
        rate::RateLimit,
        time::Timestamp,
    },
    service::{
        keys::{KeyDraft, PatchDraft, RestrictionsDraft},
        time_format::rfc3339,
    },
};
use anyhow::Context as _;
use clap::Args;
use serde_json::{Map, Value, json};
use std::fmt::Write as _;

/// Arguments of `create`.
#[derive(Args)]
pub struct CreateArgs {
    /// Project ID, or name if it is unique [default with --url: the project of the key for the server]
    #[arg(long)]
    pub project: Option<String>,
    /// Name, 1 to 100 characters
    #[arg(long)]
    pub name: String,
    /// Expiry: a number of days such as 90d, a date such as 2027-02-18 (the end of the day in UTC), or never
    /// [default: 90d, or the maximum key lifetime if it is shorter]
    #[arg(long)]
    pub expires: Option<String>,
    /// live or test [default: live; with --url: the environment of the key for the server]
    #[arg(long)]
    pub environment: Option<Environment>,
    /// Scope that the project offers. This option can be repeated
    #[arg(long = "scope", value_name = "SCOPE")]
    pub scopes: Vec<String>,
    /// Person or system that uses the key
    #[arg(long, default_value = "", hide_default_value = true)]
    pub issued_to: String,
    /// Description, up to 500 characters on one or more lines
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub description: String,
    /// Allowed network, such as 203.0.113.0/24. This option can be repeated [default: all networks]
    #[arg(long = "network", value_name = "CIDR")]
    pub networks: Vec<String>,
    /// Time before which the key is rejected, in RFC 3339, such as 2026-12-01T09:00Z. Without an offset it is in UTC
    #[arg(long, value_name = "TIME", default_value = "", hide_default_value = true)]
    pub not_before: String,
    /// Rate limit per second, minute, hour, or day, such as 100/minute or 100/minute,burst=20
    #[arg(long, value_name = "LIMIT", default_value = "", hide_default_value = true)]
    pub rate: String,
    /// Idempotency key for --url: a repeated request with the same text does not create a second key
    #[arg(long, value_name = "TEXT")]
    pub idempotency_key: Option<String>,
    /// Print a JSON object
    #[arg(long)]
    pub json: bool,
}

/// Changes of an edit. At least one is required.
#[derive(Args)]
#[group(required = true, multiple = true)]
pub struct EditArgs {
    /// Name, 1 to 100 characters
    #[arg(long)]
    name: Option<String>,
    /// Expiry: a number of days from now such as 90d, a date such as 2027-02-18 (the end of the day in UTC), or never
    #[arg(long)]
    expires: Option<String>,
    /// New scope, which replaces all current scopes. This option can be repeated
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,
    /// Remove all scopes
    #[arg(long, conflicts_with = "scopes")]
    no_scopes: bool,
    /// Person or system that uses the key. An empty value removes it
    #[arg(long)]
    issued_to: Option<String>,
    /// Description, up to 500 characters on one or more lines. An empty value removes it
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// New allowed network, which replaces all current networks. This option can be repeated
    #[arg(long = "network", value_name = "CIDR")]
    networks: Vec<String>,
    /// Remove all allowed networks, so that the key can be used from anywhere
    #[arg(long, conflicts_with = "networks")]
    no_networks: bool,
    /// Time before which the key is rejected, in RFC 3339, such as 2026-12-01T09:00Z. Without an offset it is in UTC
    #[arg(long, value_name = "TIME")]
    not_before: Option<String>,
    /// Remove the not-before time
    #[arg(long, conflicts_with = "not_before")]
    no_not_before: bool,
    /// Rate limit per second, minute, hour, or day, such as 100/minute or 100/minute,burst=20
    #[arg(long, value_name = "LIMIT")]
    rate: Option<String>,
    /// Remove the rate limit
    #[arg(long, conflicts_with = "rate")]
    no_rate: bool,
}

/// Converts an expiry into the value of the form's select field, which marks a date with `date:`.
fn expiry_field_value(expires: String) -> String {
    if expires.contains('-') { format!("date:{expires}") } else { expires }
}

/// Converts an expiry into the name and value of the API member.
fn expiry_member(expires: &str) -> anyhow::Result<(&'static str, Value)> {
    Ok(match expiry_field_value(expires.to_owned()).parse::<ExpiryChoice>().context("expires")? {
        ExpiryChoice::Days(days) => ("expires_in_days", json!(days)),
        ExpiryChoice::Date(date) => ("expires_at", json!(format!("{date}T23:59:59Z"))),
        ExpiryChoice::Never => ("expires_at", Value::Null),
    })
}

/// Converts a time into RFC 3339. A time without an offset is in UTC.
fn to_rfc3339(text: &str) -> String {
    let civil = text.trim().parse::<jiff::civil::DateTime>().and_then(|at| at.to_zoned(jiff::tz::TimeZone::UTC));
    match (text.trim().parse::<jiff::Timestamp>(), civil) {
        (Err(_), Ok(at)) => rfc3339(Timestamp::from_micros(at.timestamp().as_microsecond())),
        _ => text.to_owned(),
    }
}

impl CreateArgs {
    /// Returns the text fields of a key in the database.
    pub fn into_draft(self, project: ProjectId, number: FormNumber) -> KeyDraft {
        KeyDraft {
            number,
            name: self.name,
            project,
            environment: self.environment.unwrap_or_default().to_string(),
            expires: self.expires.map(expiry_field_value).unwrap_or_default(),
            expires_on: String::new(),
            scopes: self.scopes,
            issued_to: self.issued_to,
            description: self.description,
            restrictions: RestrictionsDraft {
                networks: self.networks.join("\n"),
                not_before: self.not_before,
                rate: self.rate,
                ..RestrictionsDraft::default()
            },
        }
    }

    /// Returns the request body for the management API.
    pub fn body(&self) -> anyhow::Result<Value> {
        let mut body =
            Map::from_iter([("name".to_owned(), json!(self.name)), ("scopes".to_owned(), json!(self.scopes))]);
        let mut insert = |name: &str, value: Value| body.insert(name.to_owned(), value);
        if let Some(expires) = &self.expires {
            let (name, value) = expiry_member(expires)?;
            insert(name, value);
        }
        if let Some(environment) = self.environment {
            insert("environment", json!(environment));
        }
        if !self.issued_to.is_empty() {
            insert("issued_to", json!(self.issued_to));
        }
        if !self.description.is_empty() {
            insert("description", json!(self.description));
        }
        if !self.networks.is_empty() {
            insert("networks", json!(self.networks));
        }
        if !self.not_before.is_empty() {
            insert("not_before", json!(to_rfc3339(&self.not_before)));
        }
        if !self.rate.is_empty() {
            insert("rate_limit", json!(self.rate));
        }
        Ok(body.into())
    }
}

impl From<EditArgs> for PatchDraft {
    fn from(changes: EditArgs) -> Self {
        let none = |is_set: bool| is_set.then(String::new);
        let scopes = changes.scopes;
        let networks = (!changes.networks.is_empty()).then(|| changes.networks.join("\n"));
        let rate = changes.rate.or_else(|| none(changes.no_rate));
        Self {
            name: changes.name,
            scopes: (changes.no_scopes || !scopes.is_empty()).then_some(scopes),
            expires: changes.expires.map(|expires| (expiry_field_value(expires), String::new())),
            issued_to: changes.issued_to,
            description: changes.description,
            networks: networks.or_else(|| none(changes.no_networks)),
            not_before: changes.not_before.or_else(|| none(changes.no_not_before)),
            rate: rate.map(|rate| [rate, String::new(), String::new()]),
        }
    }
}

impl EditArgs {
    /// Returns the request body for the management API.
    pub fn body(&self) -> anyhow::Result<Value> {
        let mut body = Map::new();
        let mut insert = |name: &str, value: Option<Value>| value.map(|value| body.insert(name.to_owned(), value));
        let list = |words: &Vec<String>, none: bool| (none || !words.is_empty()).then(|| json!(words));
        let text = |text: Option<String>, none: bool| text.map(Value::from).or_else(|| none.then_some(Value::Null));
        insert("name", self.name.clone().map(Value::from));
        insert("scopes", list(&self.scopes, self.no_scopes));
        let or_null = |text: String| if text.is_empty() { Value::Null } else { text.into() };
        insert("issued_to", self.issued_to.clone().map(or_null));
        insert("description", self.description.clone().map(or_null));
        insert("networks", list(&self.networks, self.no_networks));
        insert("not_before", text(self.not_before.as_deref().map(to_rfc3339), self.no_not_before));
        insert("rate_limit", text(self.rate.clone(), self.no_rate));
        if let Some(expires) = &self.expires {
            let (name, value) = expiry_member(expires)?;
            insert(name, Some(value));
        }
        Ok(body.into())
    }
}

/// Returns a string member, or an empty string if it is missing.
pub fn string_member<'k>(key: &'k Value, name: &str) -> &'k str {
    key[name].as_str().unwrap_or_default()
}

fn string_list<'k>(key: &'k Value, name: &str) -> Vec<&'k str> {
    key[name].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

/// Returns the rate limit in words, such as "100 requests per minute".
fn rate(key: &Value) -> Option<String> {
    let limit = key["rate_limit"].as_str()?;
    Some(limit.parse::<RateLimit>().map_or_else(|_| limit.to_owned(), |limit| limit.describe()))
}

/// Appends a line to a string. Writing to a string cannot fail.
macro_rules! add_line {
    ($text:expr, $($argument:tt)*) => {
        let _ = writeln!($text, $($argument)*);
    };
}
pub(super) use add_line;

/// Formats the restrictions of a key, one per line.
pub fn restriction_lines(key: &Value) -> String {
    let mut out = String::new();
    if let Some(from) = key["not_before"].as_str() {
        add_line!(out, "not before  {from}");
    }
    add_line!(out, "expires     {}", key["expires_at"].as_str().unwrap_or("never"));
    let networks = string_list(key, "networks");
    if !networks.is_empty() {
        add_line!(out, "networks    {}", networks.join(", "));
    }
    if let Some(rate) = rate(key) {
        add_line!(out, "rate limit  {rate}");
    }
    out
}

/// Formats all attributes of a key, one per line.
pub fn attribute_lines(key: &Value) -> String {
    let mut out = String::new();
    for name in ["key_id", "project_id", "name", "preview", "environment", "status", "issued_to"] {
        if !string_member(key, name).is_empty() {
            let label = name.replace('_', if name.ends_with("_id") { "_" } else { " " });
            add_line!(out, "{label:<10}  {}", string_member(key, name));
        }
    }
    if let Some(description) = key["description"].as_str() {
        add_line!(out, "description {}", description.replace('\n', "\n            "));
    }
    let scopes = string_list(key, "scopes");
    add_line!(out, "scopes      {}", if scopes.is_empty() { "none".to_owned() } else { scopes.join(", ") });
    out.push_str(&restriction_lines(key));
    add_line!(out, "created     {} by {}", string_member(key, "created_at"), string_member(key, "created_by"));
    add_line!(out, "last used   {}", key["last_used_at"].as_str().unwrap_or("never"));
    if let Some(gone) = key["gone_at"].as_str() {
        add_line!(out, "restorable  until {gone}");
    }
    if let Some(why) = key["stopped_because"].as_str() {
        add_line!(out, "reason      {why} (from an administrator)");
    }
    out
}

/// Formats the restrictions of a key in one line, for example "  not before 2026-12-01T09:00:00Z, from 10.0.0.0/8 and 2
/// more, 100 requests per minute". Returns an empty string if there are none.
pub fn restrictions_line(key: &Value) -> String {
    let mut parts = Vec::new();
    parts.extend(key["not_before"].as_str().map(|at| format!("not before {at}")));
    match string_list(key, "networks").as_slice() {
        [] => {}
        [only] => parts.push(format!("from {only}")),
        [first, rest @ ..] => parts.push(format!("from {first} and {} more", rest.len())),
    }
    parts.extend(rate(key));
    if parts.is_empty() { String::new() } else { format!("  {}", parts.join(", ")) }
}
