//! Arguments of `keyward keys edit`.

use super::expiry_field_value;
use crate::service::keys::KeyPatch;
use serde_json::{Map, Value, json};

/// Changes of an edit. At least one is required.
#[derive(clap::Args)]
#[group(required = true, multiple = true)]
pub struct EditArgs {
    /// A label, 1 to 100 characters
    #[arg(long)]
    name: Option<String>,
    /// When it ends: a number of days from now such as 90d, a date such as 2027-02-18 (its end in UTC), or never
    #[arg(long)]
    expires: Option<String>,
    /// A scope that it has from now on, in place of all that it had; may be given several times
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,
    /// Take all its scopes away
    #[arg(long, conflicts_with = "scopes")]
    no_scopes: bool,
    /// Whom it is for; empty: nobody in particular
    #[arg(long)]
    issued_to: Option<String>,
    /// A network from which it may be used, in place of all that it had; may be given several times
    #[arg(long = "network", value_name = "CIDR")]
    networks: Vec<String>,
    /// It may be used from anywhere
    #[arg(long, conflicts_with = "networks")]
    no_networks: bool,
    /// From when it works, in RFC 3339, such as 2026-12-01T09:00Z; without an offset in UTC
    #[arg(long, value_name = "TIME")]
    not_before: Option<String>,
    /// It works at once
    #[arg(long, conflicts_with = "not_before")]
    no_not_before: bool,
    /// How often it may be used: 100/minute, or 100/minute,burst=20; a second, minute, hour or day
    #[arg(long, value_name = "LIMIT")]
    rate: Option<String>,
    /// It may be used as often as anybody likes
    #[arg(long, conflicts_with = "rate")]
    no_rate: bool,
}

impl From<EditArgs> for KeyPatch {
    fn from(changes: EditArgs) -> Self {
        let none = |is_set: bool| is_set.then(String::new);
        let scopes = changes.scopes;
        let networks = (!changes.networks.is_empty()).then(|| changes.networks.join("\n"));
        let rate = changes.rate.or_else(|| none(changes.no_rate));
        Self {
            version: None,
            name: changes.name,
            scopes: (changes.no_scopes || !scopes.is_empty()).then_some(scopes),
            expires: changes.expires.map(|expires| (expiry_field_value(expires), String::new())),
            issued_to: changes.issued_to,
            networks: networks.or_else(|| none(changes.no_networks)),
            not_before: changes.not_before.or_else(|| none(changes.no_not_before)),
            rate: rate.map(|rate| [rate, String::new(), String::new()]),
        }
    }
}

impl EditArgs {
    /// Returns the request body for the management API. `end` and `instant` convert times into the API's format.
    pub fn body(
        &self,
        end: impl Fn(&str) -> anyhow::Result<(&'static str, Value)>,
        instant: impl Fn(&str) -> String,
    ) -> anyhow::Result<Value> {
        let mut body = Map::new();
        let mut say = |name: &str, value: Option<Value>| value.map(|value| body.insert(name.to_owned(), value));
        let list = |words: &Vec<String>, none: bool| (none || !words.is_empty()).then(|| json!(words));
        let text = |text: Option<String>, none: bool| text.map(Value::from).or_else(|| none.then_some(Value::Null));
        say("name", self.name.clone().map(Value::from));
        say("scopes", list(&self.scopes, self.no_scopes));
        say("issued_to", self.issued_to.clone().map(|it| if it.is_empty() { Value::Null } else { it.into() }));
        say("networks", list(&self.networks, self.no_networks));
        say("not_before", text(self.not_before.as_deref().map(instant), self.no_not_before));
        say("rate_limit", text(self.rate.clone(), self.no_rate));
        if let Some(expires) = &self.expires {
            let (name, value) = end(expires)?;
            say(name, Some(value));
        }
        Ok(body.into())
    }
}
