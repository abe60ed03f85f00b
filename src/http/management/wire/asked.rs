//! Request bodies of the management API.

use crate::{
    domain::key::Environment,
    http::json::Whole,
    service::keys::{Asked, Changes, End},
};
use serde::{Deserialize, Deserializer, Serialize};

/// Deserializes a member that is present, with a value or `null`. Together with `default`, an absent member is `None`;
/// without it, the member would be required.
fn said<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// A key to be made. Every member but the name has a default.
#[derive(Deserialize, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewKey {
    /// A label, 1 to 100 characters; not unique.
    #[cfg_attr(test, schema(example = "Nightly job", min_length = 1, max_length = 100))]
    name: String,
    /// `live` or `test`: that of the key behind the token, which is the default too.
    #[serde(default, deserialize_with = "said")]
    #[cfg_attr(test, schema(value_type = String, required = false, pattern = "^(live|test)$"))]
    environment: Option<Environment>,
    /// So many days from now, 1 to 36500. 90, or fewer where the policy or the key behind the token end before, if neither this nor
    /// `expires_at` is said.
    #[serde(default, deserialize_with = "said")]
    #[cfg_attr(test, schema(value_type = i64, required = false, minimum = 1, maximum = 36500))]
    expires_in_days: Option<Whole>,
    /// An instant in RFC 3339; null: never.
    #[serde(default, deserialize_with = "said", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schema(value_type = Option<String>, required = false, format = "date-time"))]
    expires_at: Option<Option<String>>,
    /// Scopes that the project offers and the key behind the token has; none if it is left out.
    #[serde(default)]
    #[cfg_attr(test, schema(required = false, example = json!(["data:read"])))]
    scopes: Vec<String>,
    /// Whom it is for.
    #[serde(default)]
    #[cfg_attr(test, schema(required = false, max_length = 100))]
    issued_to: Option<String>,
    /// Networks from which it may be used, in CIDR notation, within those of the key behind the token, which are the default; none:
    /// from anywhere.
    #[serde(default, deserialize_with = "said")]
    #[cfg_attr(test, schema(value_type = Vec<String>, required = false, max_items = 50))]
    networks: Option<Vec<String>>,
    /// An instant in RFC 3339; null: it works at once.
    #[serde(default)]
    #[cfg_attr(test, schema(required = false, format = "date-time"))]
    not_before: Option<String>,
    /// How often it may be used: `100/minute` or `100/minute,burst=20`; a second, minute, hour or day. null: no limit.
    #[serde(default)]
    #[cfg_attr(test, schema(required = false, example = "100/minute"))]
    rate_limit: Option<String>,
}

/// What changes of a key; what is not named stays as it is.
#[derive(Deserialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[cfg_attr(test, schema(min_properties = 1))]
#[serde(deny_unknown_fields)]
pub struct KeyChanges {
    #[serde(default, deserialize_with = "said")]
    #[cfg_attr(test, schema(value_type = String, required = false, min_length = 1, max_length = 100))]
    name: Option<String>,
    /// In place of all that it had.
    #[serde(default, deserialize_with = "said")]
    #[cfg_attr(test, schema(value_type = Vec<String>, required = false))]
    scopes: Option<Vec<String>>,
    /// So many days from now, 1 to 36500.
    #[serde(default, deserialize_with = "said")]
    #[cfg_attr(test, schema(value_type = i64, required = false, minimum = 1, maximum = 36500))]
    expires_in_days: Option<Whole>,
    /// An instant in RFC 3339; null: never.
    #[serde(default, deserialize_with = "said")]
    #[cfg_attr(test, schema(value_type = Option<String>, required = false, format = "date-time"))]
    expires_at: Option<Option<String>>,
    /// Whom it is for; null: nobody in particular.
    #[serde(default, deserialize_with = "said")]
    #[cfg_attr(test, schema(value_type = Option<String>, required = false, max_length = 100))]
    issued_to: Option<Option<String>>,
    /// In place of all that it had; none: from anywhere.
    #[serde(default, deserialize_with = "said")]
    #[cfg_attr(test, schema(value_type = Vec<String>, required = false, max_items = 50))]
    networks: Option<Vec<String>>,
    /// An instant in RFC 3339; null: it works at once.
    #[serde(default, deserialize_with = "said")]
    #[cfg_attr(test, schema(value_type = Option<String>, required = false, format = "date-time"))]
    not_before: Option<Option<String>>,
    /// As in a new key; null: no limit.
    #[serde(default, deserialize_with = "said")]
    #[cfg_attr(test, schema(value_type = Option<String>, required = false))]
    rate_limit: Option<Option<String>>,
}

/// Converts the two expiry members, which are mutually exclusive.
fn end(days: Option<Whole>, at: Option<Option<String>>) -> Result<Option<End>, &'static str> {
    match (days, at) {
        (Some(_), Some(_)) => Err("Send expires_in_days or expires_at, not both."),
        (Some(Whole(days)), None) => Ok(Some(End::Days(days))),
        (None, Some(Some(at))) => Ok(Some(End::At(at))),
        (None, Some(None)) => Ok(Some(End::Never)),
        (None, None) => Ok(None),
    }
}

impl TryFrom<NewKey> for Asked {
    type Error = &'static str;

    fn try_from(new: NewKey) -> Result<Self, &'static str> {
        Ok(Self {
            end: end(new.expires_in_days, new.expires_at)?,
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

impl TryFrom<KeyChanges> for Changes {
    type Error = &'static str;

    fn try_from(said: KeyChanges) -> Result<Self, &'static str> {
        let end = end(said.expires_in_days, said.expires_at)?;
        let nothing = said.name.is_none()
            && said.scopes.is_none()
            && end.is_none()
            && said.issued_to.is_none()
            && said.networks.is_none()
            && said.not_before.is_none()
            && said.rate_limit.is_none();
        if nothing {
            return Err("Name at least one member that changes.");
        }
        Ok(Self {
            end,
            name: said.name,
            scopes: said.scopes,
            issued_to: said.issued_to,
            networks: said.networks,
            not_before: said.not_before,
            rate_limit: said.rate_limit,
        })
    }
}
