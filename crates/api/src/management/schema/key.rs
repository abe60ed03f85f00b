//! Keys in requests and responses of the management API.

use keyward_domain::{
    ids::{KeyId, ProjectId},
    key::{self, Environment, Status},
    network::Networks,
    rate::RateLimit,
    sensitive::RevealedSecret,
    time::Timestamp,
};
use keyward_edge::json::JsonInteger;
use keyward_service::{
    Error, InvalidField,
    keys::{FieldParser, KeyDefaults, KeyPatch, KeySpec},
    time_format::rfc3339,
};
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
    /// What the key is for, on one or more lines.
    // Not in the digest of an idempotent request without a description: the previous release computed it so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schema(required = false, max_length = 500))]
    description: Option<String>,
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
    /// What the key is for, on one or more lines. null: not set.
    #[serde(default, deserialize_with = "present")]
    #[cfg_attr(test, schema(value_type = Option<String>, required = false, max_length = 500))]
    description: Option<Option<String>>,
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

/// The expiry of a key, not yet parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// Days from now.
    Days(i64),
    /// An instant in RFC 3339.
    At(String),
    Never,
}

impl Expiry {
    /// Converts the two expiry members, which are mutually exclusive.
    fn from_members(days: Option<JsonInteger>, at: Option<&Option<String>>) -> Result<Option<Self>, &'static str> {
        match (days, at) {
            (Some(_), Some(_)) => Err("Send expires_in_days or expires_at, not both."),
            (Some(JsonInteger(days)), None) => Ok(Some(Self::Days(days))),
            (None, Some(Some(at))) => Ok(Some(Self::At(at.clone()))),
            (None, Some(None)) => Ok(Some(Self::Never)),
            (None, None) => Ok(None),
        }
    }

    fn parse(&self, fields: &mut FieldParser<'_>) -> Option<Option<Timestamp>> {
        match self {
            Self::Never => Some(None),
            Self::Days(days) => fields.expiry_in_days("expires_in_days", *days).map(Some),
            Self::At(text) => fields.expiry_at("expires_at", text).map(Some),
        }
    }

    /// Renames the error field of a rule that forms and programs share, from the form's field to the member that the
    /// program sent.
    pub fn rename_error(expiry: Option<&Self>, error: Error) -> Error {
        let name = if matches!(expiry, Some(Self::Days(_))) { "expires_in_days" } else { "expires_at" };
        match error {
            Error::Invalid(fields) => Error::Invalid(
                fields
                    .into_iter()
                    .map(|field| if field.name == "expires" { InvalidField { name, ..field } } else { field })
                    .collect(),
            ),
            other => other,
        }
    }
}

/// Parses a start of validity; `None`: immediately.
fn parse_not_before(fields: &mut FieldParser<'_>, text: Option<&str>) -> Option<Option<Timestamp>> {
    text.map_or(Some(None), |text| fields.not_before_instant(text))
}

/// Parses an issued-to label; `None`: not set.
fn parse_issued_to(fields: &mut FieldParser<'_>, text: Option<&str>) -> Option<Option<String>> {
    fields.field("issued_to", key::parse_issued_to(text.unwrap_or_default()))
}

/// Parses a description; `None`: not set.
fn parse_description(fields: &mut FieldParser<'_>, text: Option<&str>) -> Option<Option<String>> {
    fields.field("description", key::parse_description(text.unwrap_or_default()))
}

/// Parses a rate limit; `None`: no limit.
fn parse_rate_limit(fields: &mut FieldParser<'_>, text: Option<&str>) -> Option<Option<RateLimit>> {
    fields.field("rate_limit", text.map(str::parse).transpose())
}

fn parse_networks(fields: &mut FieldParser<'_>, words: &[String]) -> Option<Networks> {
    fields.field("networks", Networks::parse_list(words.iter().map(String::as_str)))
}

impl NewKey {
    /// Returns the expiry, or the error if the body has both members.
    pub fn expiry(&self) -> Result<Option<Expiry>, &'static str> {
        Expiry::from_members(self.expires_in_days, self.expires_at.as_ref())
    }

    /// Parses every member and returns all errors at once. Members that are left out get the defaults.
    ///
    /// # Errors
    /// [`Error::Invalid`] with every invalid member.
    pub fn parse(&self, project: ProjectId, expiry: Option<&Expiry>, defaults: &KeyDefaults) -> Result<KeySpec, Error> {
        FieldParser::parse(&defaults.zone, defaults.now, |fields| {
            let name = fields.field("name", self.name.parse());
            let scopes = fields.scopes(&self.scopes);
            let expires_at = match expiry {
                Some(expiry) => expiry.parse(fields),
                None => Some(Some(defaults.expires_at)),
            };
            let issued_to = parse_issued_to(fields, self.issued_to.as_deref());
            let description = parse_description(fields, self.description.as_deref());
            let networks = match &self.networks {
                Some(words) => parse_networks(fields, words),
                None => Some(defaults.networks.clone()),
            };
            let not_before = parse_not_before(fields, self.not_before.as_deref());
            let rate_limit = parse_rate_limit(fields, self.rate_limit.as_deref());
            fields.check_validity(not_before, expires_at);
            Some(KeySpec {
                environment: self.environment.unwrap_or(defaults.environment),
                scopes: scopes?,
                issued_to: issued_to?,
                description: description?,
                networks: networks?,
                not_before: not_before?,
                expires_at: expires_at?,
                rate_limit: rate_limit?,
                ..KeySpec::new(project, name?)
            })
        })
    }
}

impl KeyChanges {
    /// Returns the expiry, or the error if the body has both members, or no member at all.
    pub fn expiry(&self) -> Result<Option<Expiry>, &'static str> {
        let expiry = Expiry::from_members(self.expires_in_days, self.expires_at.as_ref())?;
        let nothing = self.name.is_none()
            && self.scopes.is_none()
            && expiry.is_none()
            && self.issued_to.is_none()
            && self.description.is_none()
            && self.networks.is_none()
            && self.not_before.is_none()
            && self.rate_limit.is_none();
        if nothing { Err("Include at least one field to change.") } else { Ok(expiry) }
    }

    /// Parses the members that are present and returns all errors at once.
    ///
    /// # Errors
    /// [`Error::Invalid`] with every invalid member.
    pub fn parse(&self, expiry: Option<&Expiry>, now: Timestamp) -> Result<KeyPatch, Error> {
        FieldParser::parse_utc(now, |fields| {
            Some(KeyPatch {
                name: self.name.as_ref().and_then(|it| fields.field("name", it.parse())),
                scopes: self.scopes.as_ref().and_then(|it| fields.scopes(it)),
                expires_at: expiry.and_then(|it| it.parse(fields)),
                issued_to: self.issued_to.as_ref().and_then(|it| parse_issued_to(fields, it.as_deref())),
                description: self.description.as_ref().and_then(|it| parse_description(fields, it.as_deref())),
                networks: self.networks.as_ref().and_then(|it| parse_networks(fields, it)),
                not_before: self.not_before.as_ref().and_then(|it| parse_not_before(fields, it.as_deref())),
                rate_limit: self.rate_limit.as_ref().and_then(|it| parse_rate_limit(fields, it.as_deref())),
            })
        })
    }
}

/// A key without its secret.
#[derive(Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub struct Key {
    #[cfg_attr(test, schema(value_type = String, format = "uuid"))]
    key_id: KeyId,
    #[cfg_attr(test, schema(value_type = String, format = "uuid"))]
    project_id: ProjectId,
    name: String,
    /// The prefix of the secret and its first four characters.
    #[cfg_attr(test, schema(example = "kw_live_3fA9"))]
    preview: String,
    /// The environment, which is also in the prefix of the secret.
    #[cfg_attr(test, schema(value_type = String, pattern = "^(live|test)$"))]
    environment: Environment,
    scopes: Vec<String>,
    /// The status at the time of the response.
    #[cfg_attr(test, schema(value_type = String, pattern = "^(deleted|inactive|scheduled|expired|active)$"))]
    status: Status,
    #[cfg_attr(test, schema(required))]
    issued_to: Option<String>,
    /// What the key is for. null: not set.
    #[cfg_attr(test, schema(required))]
    description: Option<String>,
    /// Allowed networks in CIDR notation. Empty: any network.
    networks: Vec<String>,
    /// The key is denied before this time. null: valid immediately.
    #[cfg_attr(test, schema(required, format = "date-time"))]
    not_before: Option<String>,
    /// The key is denied from this time. null: never expires.
    #[cfg_attr(test, schema(required, format = "date-time"))]
    expires_at: Option<String>,
    /// The rate limit. null: no limit.
    #[cfg_attr(test, schema(required, example = "100/minute,burst=20"))]
    rate_limit: Option<String>,
    #[cfg_attr(test, schema(format = "date-time"))]
    created_at: String,
    /// The name of the user or key that created it, at that time.
    created_by: String,
    #[cfg_attr(test, schema(required, format = "date-time"))]
    last_used_at: Option<String>,
    /// For a deleted key: it cannot be restored from this time.
    #[cfg_attr(test, schema(required, format = "date-time"))]
    gone_at: Option<String>,
    /// The reason for which an administrator deactivated the key. Only an administrator can activate it again.
    #[cfg_attr(test, schema(required))]
    stopped_because: Option<String>,
}

impl From<key::Key> for Key {
    fn from(key: key::Key) -> Self {
        Self {
            key_id: key.id,
            project_id: key.project_id,
            name: key.name,
            preview: key.preview,
            environment: key.environment,
            scopes: key.scopes,
            status: key.status,
            issued_to: key.issued_to,
            description: key.description,
            networks: key.networks.to_strings(),
            not_before: key.not_before.map(rfc3339),
            expires_at: key.expires_at.map(rfc3339),
            rate_limit: key.rate_limit.map(|limit| limit.to_string()),
            created_at: rfc3339(key.created_at),
            created_by: key.created_by_name,
            last_used_at: key.last_used_at.map(rfc3339),
            gone_at: key.purge_at.map(rfc3339),
            stopped_because: key.note.filter(|note| note.held).map(|note| note.text),
        }
    }
}

/// A new key with its secret, which only this response contains.
#[derive(Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub struct CreatedKey {
    /// 64 characters. It cannot be retrieved again.
    #[cfg_attr(test, schema(value_type = String, pattern = "^kw_(live|test)_[0-9A-Za-z]{56}$"))]
    pub secret: RevealedSecret,
    #[serde(flatten)]
    pub key: Key,
}

/// A page of keys, newest first.
#[derive(Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub struct Keys {
    pub keys: Vec<Key>,
    /// The value of `cursor` for the next page. null: this is the last page.
    #[cfg_attr(test, schema(required))]
    pub next_cursor: Option<String>,
    /// Number of matching keys on all pages, counted up to 10,000.
    pub total: u64,
    /// Whether `total` is exact. If false, there can be more keys.
    pub total_is_exact: bool,
}
