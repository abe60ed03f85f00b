//! Key edits: the request, not yet parsed, and the validated change.

use super::{
    new_key::{collect_error, parse_expiry, parse_scopes},
    restrictions::{self, RestrictionsDraft},
};
use crate::{Error, InvalidField, not_before};
use jiff::tz::TimeZone;
use keyward_domain::{
    key::{KeyName, parse_issued_to},
    network::Networks,
    rate::RateLimit,
    scope::ScopeName,
    time::Timestamp,
};

/// The fields of the form, not yet parsed. The form sends every field.
#[derive(Clone, Debug)]
pub struct KeyEdit {
    /// The version of the key that the form started from.
    pub version: i64,
    pub name: String,
    /// `keep`, or a choice as for a new key.
    pub expires: String,
    pub expires_on: String,
    pub scopes: Vec<String>,
    pub issued_to: String,
    /// `not_before` may be `keep` too: the form shows it to the minute, and must not change it.
    pub restrictions: RestrictionsDraft,
}

/// A requested change, not yet parsed. A field that is `None` stays as it is.
#[derive(Clone, Debug, Default)]
pub struct KeyPatch {
    /// The version of the key that the change starts from; `None`: any version.
    pub version: Option<i64>,
    pub name: Option<String>,
    pub scopes: Option<Vec<String>>,
    /// The value of the dropdown, and the date next to it.
    pub expires: Option<(String, String)>,
    /// Empty: no label.
    pub issued_to: Option<String>,
    /// Empty: from any address.
    pub networks: Option<String>,
    /// Empty: immediately.
    pub not_before: Option<String>,
    /// Calls, period, and burst, or the complete limit in the first; empty: no limit.
    pub rate: Option<[String; 3]>,
}

/// The form value of a field that stays as it is.
pub const KEEP: &str = "keep";

impl From<KeyEdit> for KeyPatch {
    fn from(edit: KeyEdit) -> Self {
        let KeyEdit { version, name, expires, expires_on, scopes, issued_to, restrictions: rules } = edit;
        Self {
            version: Some(version),
            name: Some(name),
            scopes: Some(scopes),
            expires: (expires != KEEP).then_some((expires, expires_on)),
            issued_to: Some(issued_to),
            networks: Some(rules.networks),
            not_before: (rules.not_before != KEEP).then_some(rules.not_before),
            rate: Some([rules.rate, rules.per, rules.burst]),
        }
    }
}

/// A validated change. An outer `None` keeps the field. An inner `None` is as in a new key: no label, no expiry,
/// immediate start, no limit.
#[derive(Clone, Debug)]
pub(super) struct ParsedPatch {
    pub version: Option<i64>,
    pub name: Option<KeyName>,
    pub scopes: Option<Vec<ScopeName>>,
    pub expires_at: Option<Option<Timestamp>>,
    pub issued_to: Option<Option<String>>,
    pub networks: Option<Networks>,
    pub not_before: Option<Option<Timestamp>>,
    pub rate_limit: Option<Option<RateLimit>>,
}

impl KeyPatch {
    /// Parses the fields that are present and returns all errors at once, in the order of the form.
    pub(super) fn parse(&self, zone: &TimeZone, now: Timestamp) -> Result<ParsedPatch, Error> {
        let mut errors = Vec::new();
        let edited = ParsedPatch {
            version: self.version,
            name: parse_field(&mut errors, &self.name, |it| it.parse().map_err(|e| InvalidField::new("name", e))),
            scopes: parse_field(&mut errors, &self.scopes, |it| parse_scopes(it)),
            expires_at: parse_field(&mut errors, &self.expires, |(choice, on)| parse_expiry(choice, on, zone, now)),
            issued_to: parse_field(&mut errors, &self.issued_to, |it| {
                parse_issued_to(it).map_err(|e| InvalidField::new("issued_to", e))
            }),
            networks: parse_field(&mut errors, &self.networks, |it| restrictions::parse_networks(it)),
            not_before: parse_field(&mut errors, &self.not_before, |it| not_before::parse(it, zone, now)),
            rate_limit: parse_field(&mut errors, &self.rate, |[rate, per, burst]| {
                restrictions::parse_rate_limit(rate, per, burst)
            }),
        };
        if errors.is_empty() { Ok(edited) } else { Err(Error::Invalid(errors)) }
    }
}

/// Parses a field if it is present, and collects its error.
fn parse_field<S, T>(
    errors: &mut Vec<InvalidField>,
    value: &Option<S>,
    read: impl FnOnce(&S) -> Result<T, InvalidField>,
) -> Option<T> {
    value.as_ref().and_then(|it| collect_error(errors, read(it)))
}
