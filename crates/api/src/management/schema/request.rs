//! Request bodies of the management API.

use keyward_domain::key::Environment;
use keyward_edge::json::JsonInteger;
use keyward_service::keys::{Expiry, KeyPatchRequest, NewKeyRequest};
use serde::{Deserialize, Deserializer, Serialize};

/// Deserializes a member that is present, with a value or `null`. Together with `default`, an absent member is `None`;
/// without it, the member would be required.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// A new key. Every field except `name` has a default.
#[derive(Deserialize, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewKey {
    /// A label of 1 to 100 characters. It does not have to be unique.
    #[cfg_attr(test, schema(example = "Nightly job", min_length = 1, max_length = 100))]
    name: String,
    /// `live` or `test`. It must be the environment of the client’s key, which is the default.
    #[serde(default, deserialize_with = "present")]
    #[cfg_attr(test, schema(value_type = String, required = false, pattern = "^(live|test)$"))]
    environment: Option<Environment>,
    /// Days from now, 1 to 36500. Without this and `expires_at`: 90, or fewer if the policy or the client’s key requires
    /// an earlier expiry.
    #[serde(default, deserialize_with = "present")]
    #[cfg_attr(test, schema(value_type = i64, required = false, minimum = 1, maximum = 36500))]
    expires_in_days: Option<JsonInteger>,
    /// An RFC 3339 timestamp. null: never.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schema(value_type = Option<String>, required = false, format = "date-time"))]
    expires_at: Option<Option<String>>,
    /// Scopes that the project offers and the client’s key has. Default: none.
    #[serde(default)]
    #[cfg_attr(test, schema(required = false, example = json!(["data:read"])))]
    scopes: Vec<String>,
    /// The person or system that uses the key.
    #[serde(default)]
    #[cfg_attr(test, schema(required = false, max_length = 100))]
    issued_to: Option<String>,
    /// Allowed networks in CIDR notation, within those of the client’s key, which are the default. Empty: any network.
    #[serde(default, deserialize_with = "present")]
    #[cfg_attr(test, schema(value_type = Vec<String>, required = false, max_items = 50))]
    networks: Option<Vec<String>>,
    /// An RFC 3339 timestamp. null: valid immediately.
    #[serde(default)]
    #[cfg_attr(test, schema(required = false, format = "date-time"))]
    not_before: Option<String>,
    /// The rate limit: `100/minute` or `100/minute,burst=20`, per second, minute, hour, or day. null: no limit.
    #[serde(default)]
    #[cfg_attr(test, schema(required = false, example = "100/minute"))]
    rate_limit: Option<String>,
}

/// Changes to a key. Fields that are left out do not change.
#[derive(Deserialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[cfg_attr(test, schema(min_properties = 1))]
#[serde(deny_unknown_fields)]
pub struct KeyChanges {
    #[serde(default, deserialize_with = "present")]
    #[cfg_attr(test, schema(value_type = String, required = false, min_length = 1, max_length = 100))]
    name: Option<String>,
    /// Replaces all scopes.
    #[serde(default, deserialize_with = "present")]
    #[cfg_attr(test, schema(value_type = Vec<String>, required = false))]
    scopes: Option<Vec<String>>,
    /// Days from now, 1 to 36500.
    #[serde(default, deserialize_with = "present")]
    #[cfg_attr(test, schema(value_type = i64, required = false, minimum = 1, maximum = 36500))]
    expires_in_days: Option<JsonInteger>,
    /// An RFC 3339 timestamp. null: never.
    #[serde(default, deserialize_with = "present")]
    #[cfg_attr(test, schema(value_type = Option<String>, required = false, format = "date-time"))]
    expires_at: Option<Option<String>>,
    /// The person or system that uses the key. null: not set.
    #[serde(default, deserialize_with = "present")]
    #[cfg_attr(test, schema(value_type = Option<String>, required = false, max_length = 100))]
    issued_to: Option<Option<String>>,
    /// Replaces all allowed networks. Empty: any network.
    #[serde(default, deserialize_with = "present")]
    #[cfg_attr(test, schema(value_type = Vec<String>, required = false, max_items = 50))]
    networks: Option<Vec<String>>,
    /// An RFC 3339 timestamp. null: valid immediately.
    #[serde(default, deserialize_with = "present")]
    #[cfg_attr(test, schema(value_type = Option<String>, required = false, format = "date-time"))]
    not_before: Option<Option<String>>,
    /// As in a new key. null: no limit.
    #[serde(default, deserialize_with = "present")]
    #[cfg_attr(test, schema(value_type = Option<String>, required = false))]
    rate_limit: Option<Option<String>>,
}

/// Converts the two expiry members, which are mutually exclusive.
fn parse_expiry(days: Option<JsonInteger>, at: Option<Option<String>>) -> Result<Option<Expiry>, &'static str> {
    match (days, at) {
        (Some(_), Some(_)) => Err("Send expires_in_days or expires_at, not both."),
        (Some(JsonInteger(days)), None) => Ok(Some(Expiry::Days(days))),
        (None, Some(Some(at))) => Ok(Some(Expiry::At(at))),
        (None, Some(None)) => Ok(Some(Expiry::Never)),
        (None, None) => Ok(None),
    }
}

impl TryFrom<NewKey> for NewKeyRequest {
    type Error = &'static str;

    fn try_from(new: NewKey) -> Result<Self, &'static str> {
        Ok(Self {
            expiry: parse_expiry(new.expires_in_days, new.expires_at)?,
            name: new.name,
            environment: new.environment,
            scopes: new.scopes,
            issued_to: new.issued_to,
            networks: new.networks,
            not_before: new.not_before,
            rate_limit: new.rate_limit,
        })
    }
}

impl TryFrom<KeyChanges> for KeyPatchRequest {
    type Error = &'static str;

    fn try_from(changes: KeyChanges) -> Result<Self, &'static str> {
        let end = parse_expiry(changes.expires_in_days, changes.expires_at)?;
        let nothing = changes.name.is_none()
            && changes.scopes.is_none()
            && end.is_none()
            && changes.issued_to.is_none()
            && changes.networks.is_none()
            && changes.not_before.is_none()
            && changes.rate_limit.is_none();
        if nothing {
            return Err("Include at least one field to change.");
        }
        Ok(Self {
            expiry: end,
            name: changes.name,
            scopes: changes.scopes,
            issued_to: changes.issued_to,
            networks: changes.networks,
            not_before: changes.not_before,
            rate_limit: changes.rate_limit,
        })
    }
}
