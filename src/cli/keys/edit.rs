//! Arguments of `keyward keys edit`.

use super::expiry_field_value;
use crate::service::keys::KeyPatch;
use serde_json::{Map, Value, json};

/// Changes of an edit. At least one is required.
#[derive(clap::Args)]
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
        let mut insert = |name: &str, value: Option<Value>| value.map(|value| body.insert(name.to_owned(), value));
        let list = |words: &Vec<String>, none: bool| (none || !words.is_empty()).then(|| json!(words));
        let text = |text: Option<String>, none: bool| text.map(Value::from).or_else(|| none.then_some(Value::Null));
        insert("name", self.name.clone().map(Value::from));
        insert("scopes", list(&self.scopes, self.no_scopes));
        insert("issued_to", self.issued_to.clone().map(|it| if it.is_empty() { Value::Null } else { it.into() }));
        insert("networks", list(&self.networks, self.no_networks));
        insert("not_before", text(self.not_before.as_deref().map(instant), self.no_not_before));
        insert("rate_limit", text(self.rate.clone(), self.no_rate));
        if let Some(expires) = &self.expires {
            let (name, value) = end(expires)?;
            insert(name, Some(value));
        }
        Ok(body.into())
    }
}
