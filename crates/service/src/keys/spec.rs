//! The fields of a key in requests: the text of forms and of the command line, the validated requests to create and to
//! change a key, and their conversion into a row.

use super::{FieldParser, IdempotencyKey};
use crate::{
    Error,
    actor::Actor,
    permissions::{Action, role_allows},
};
use jiff::tz::TimeZone;
use keyward_domain::{
    ids::{FormNumber, ProjectId},
    key::{Environment, Key, KeyName, Note, parse_description, parse_issued_to},
    network::Networks,
    project::Role,
    rate::RateLimit,
    scope::ScopeName,
    time::Timestamp,
};
use keyward_store::keys::{KeyFields, KeyRow};

/// A request for a new key, validated except for the rules that need the database.
#[derive(Clone, Debug)]
pub struct KeySpec {
    pub project: ProjectId,
    pub environment: Environment,
    pub name: KeyName,
    pub scopes: Vec<ScopeName>,
    pub issued_to: Option<String>,
    pub description: Option<String>,
    /// Empty: from any address.
    pub networks: Networks,
    /// `None`: the key works immediately.
    pub not_before: Option<Timestamp>,
    /// `None`: the key never expires.
    pub expires_at: Option<Timestamp>,
    /// `None`: unlimited.
    pub rate_limit: Option<RateLimit>,
    /// At most one key is created with this number.
    pub number: Option<FormNumber>,
    /// SHA-256 of a program's request with that number.
    pub request: Option<[u8; 32]>,
}

impl KeySpec {
    /// Creates the request for a live key without scopes, expiry, and restrictions.
    pub fn new(project: ProjectId, name: KeyName) -> Self {
        Self {
            project,
            environment: Environment::Live,
            name,
            scopes: Vec::new(),
            issued_to: None,
            description: None,
            networks: Networks::default(),
            not_before: None,
            expires_at: None,
            rate_limit: None,
            number: None,
            request: None,
        }
    }

    /// Creates the key at most once for this idempotency key.
    #[must_use]
    pub fn with_idempotency_key(self, once: Option<&IdempotencyKey>) -> Self {
        Self { number: once.map(IdempotencyKey::number), request: once.map(|once| *once.request()), ..self }
    }

    /// Returns the fields of the row.
    pub(super) fn fields(&self) -> KeyFields {
        KeyFields {
            name: self.name.as_str().to_owned(),
            scopes: self.scopes.iter().map(ToString::to_string).collect(),
            issued_to: self.issued_to.clone(),
            description: self.description.clone(),
            networks: self.networks.clone(),
            not_before: self.not_before,
            expires_at: self.expires_at,
            rate_limit: self.rate_limit,
        }
    }
}

/// A validated change. An outer `None` keeps the field. An inner `None` is as in a new key: no label, no description, no
/// expiry, immediate start, no limit.
#[derive(Clone, Debug, Default)]
pub struct KeyPatch {
    pub name: Option<KeyName>,
    pub scopes: Option<Vec<ScopeName>>,
    pub issued_to: Option<Option<String>>,
    pub description: Option<Option<String>>,
    pub networks: Option<Networks>,
    pub not_before: Option<Option<Timestamp>>,
    pub expires_at: Option<Option<Timestamp>>,
    pub rate_limit: Option<Option<RateLimit>>,
}

impl KeyPatch {
    /// Returns the fields of the row after the change.
    pub(super) fn apply_to(self, row: KeyFields) -> KeyFields {
        KeyFields {
            name: self.name.map_or(row.name, String::from),
            scopes: self.scopes.map_or(row.scopes, |scopes| scopes.into_iter().map(String::from).collect()),
            issued_to: self.issued_to.unwrap_or(row.issued_to),
            description: self.description.unwrap_or(row.description),
            networks: self.networks.unwrap_or(row.networks),
            not_before: self.not_before.unwrap_or(row.not_before),
            expires_at: self.expires_at.unwrap_or(row.expires_at),
            rate_limit: self.rate_limit.unwrap_or(row.rate_limit),
        }
    }
}

/// Returns the key of a row, with what an actor with this role in the key's project may do.
pub(super) fn to_key(row: KeyRow, actor: &Actor, role: Option<Role>, now: Timestamp) -> Result<Key, Error> {
    let may_change = role.is_some_and(|role| role_allows(role, Action::ChangeKeys));
    let may_start = matches!(actor, Actor::Administrator(_)) || (may_change && !row.held);
    let (environment, status, purge_at) = (row.environment()?, row.lifecycle().status(now), row.purge_at());
    let KeyFields { name, scopes, issued_to, description, networks, not_before, expires_at, rate_limit } =
        row.fields()?;
    let note = row.note.zip(row.note_at).map(|(text, at)| Note {
        text,
        by: row.note_by.unwrap_or_default(),
        at: Timestamp::from_micros(at),
        held: row.held,
    });
    Ok(Key {
        id: row.id.into(),
        project_id: row.project_id.into(),
        project: row.project_name,
        name,
        environment,
        preview: row.preview,
        scopes,
        issued_to,
        description,
        networks,
        not_before,
        expires_at,
        rate_limit,
        status,
        note,
        created_at: Timestamp::from_micros(row.created_at),
        created_by: row.created_by.map(Into::into),
        created_by_name: row.created_by_name,
        last_used_at: row.last_used_at.map(Timestamp::from_micros),
        calls_today: None,
        purge_at: purge_at.map(Timestamp::from_micros),
        version: row.updated_at,
        may_change,
        may_start,
        owner: None,
        owner_email: None,
        now,
    })
}

/// What a request for a new key leaves to the server: the defaults of its fields, and the time and the time zone for
/// its parser.
#[derive(Clone, Debug)]
pub struct KeyDefaults {
    pub environment: Environment,
    pub networks: Networks,
    pub expires_at: Timestamp,
    pub zone: TimeZone,
    pub now: Timestamp,
}

/// Restrictions as forms and the command line send them. An empty field means no restriction.
#[derive(Clone, Debug, Default)]
pub struct RestrictionsDraft {
    /// Networks, separated by commas, spaces, or line breaks.
    pub networks: String,
    /// A local time in the user's zone, `2026-12-01T09:00`, or an instant in RFC 3339.
    pub not_before: String,
    /// A number of calls, or the complete limit (`100/minute,burst=20`) if the other two are empty.
    pub rate: String,
    pub per: String,
    pub burst: String,
}

/// The text fields of a new key, as the form and the command line send them.
#[derive(Clone, Debug)]
pub struct KeyDraft {
    pub number: FormNumber,
    pub name: String,
    pub project: ProjectId,
    /// Empty: live.
    pub environment: String,
    /// `90d`, `date` (then `expires_on` applies), or `never`; empty: 90 days, or the longest period that the policy
    /// allows.
    pub expires: String,
    pub expires_on: String,
    pub scopes: Vec<String>,
    pub issued_to: String,
    pub description: String,
    pub restrictions: RestrictionsDraft,
}

impl KeyDraft {
    /// Creates the draft of a live key with the default expiry, without scopes and restrictions.
    pub fn new(project: ProjectId, number: FormNumber, name: impl Into<String>) -> Self {
        Self {
            number,
            name: name.into(),
            project,
            environment: String::new(),
            expires: String::new(),
            expires_on: String::new(),
            scopes: Vec::new(),
            issued_to: String::new(),
            description: String::new(),
            restrictions: RestrictionsDraft::default(),
        }
    }

    /// Parses every field and returns all errors at once.
    ///
    /// # Errors
    /// [`Error::Invalid`] with every invalid field.
    pub fn parse(&self, defaults: &KeyDefaults) -> Result<KeySpec, Error> {
        FieldParser::parse(&defaults.zone, defaults.now, |fields| {
            let name = fields.field("name", self.name.parse());
            let environment = match self.environment.as_str() {
                "" => Some(defaults.environment),
                text => fields.field("environment", text.parse()),
            };
            let expires_at = match self.expires.as_str() {
                "" => Some(Some(defaults.expires_at)),
                choice => fields.expiry(choice, &self.expires_on),
            };
            let scopes = fields.scopes(&self.scopes);
            let issued_to = fields.field("issued_to", parse_issued_to(&self.issued_to));
            let description = fields.field("description", parse_description(&self.description));
            let RestrictionsDraft { networks, not_before, rate, per, burst } = &self.restrictions;
            let networks = fields.field("networks", Networks::parse(networks));
            let not_before = fields.not_before(not_before);
            let rate_limit = fields.rate_limit(rate, per, burst);
            fields.check_validity(not_before, expires_at);
            Some(KeySpec {
                environment: environment?,
                scopes: scopes?,
                issued_to: issued_to?,
                description: description?,
                networks: networks?,
                not_before: not_before?,
                expires_at: expires_at?,
                rate_limit: rate_limit?,
                number: Some(self.number),
                ..KeySpec::new(self.project, name?)
            })
        })
    }
}

/// The text fields of a change, as the form and the command line send them. A field that is `None` stays as it is.
#[derive(Clone, Debug, Default)]
pub struct PatchDraft {
    pub name: Option<String>,
    pub scopes: Option<Vec<String>>,
    /// The value of the dropdown, and the date next to it.
    pub expires: Option<(String, String)>,
    /// Empty: no label.
    pub issued_to: Option<String>,
    /// Empty: no description.
    pub description: Option<String>,
    /// Empty: from any address.
    pub networks: Option<String>,
    /// Empty: immediately.
    pub not_before: Option<String>,
    /// Calls, period, and burst, or the complete limit in the first; empty: no limit.
    pub rate: Option<[String; 3]>,
}

impl PatchDraft {
    /// Parses the fields that are present and returns all errors at once.
    ///
    /// # Errors
    /// [`Error::Invalid`] with every invalid field.
    pub fn parse(&self, zone: &TimeZone, now: Timestamp) -> Result<KeyPatch, Error> {
        FieldParser::parse(zone, now, |fields| {
            Some(KeyPatch {
                name: self.name.as_ref().and_then(|it| fields.field("name", it.parse())),
                scopes: self.scopes.as_ref().and_then(|it| fields.scopes(it)),
                expires_at: self.expires.as_ref().and_then(|(choice, on)| fields.expiry(choice, on)),
                issued_to: self.issued_to.as_ref().and_then(|it| fields.field("issued_to", parse_issued_to(it))),
                description: self
                    .description
                    .as_ref()
                    .and_then(|it| fields.field("description", parse_description(it))),
                networks: self.networks.as_ref().and_then(|it| fields.field("networks", Networks::parse(it))),
                not_before: self.not_before.as_ref().and_then(|it| fields.not_before(it)),
                rate_limit: self.rate.as_ref().and_then(|[rate, per, burst]| fields.rate_limit(rate, per, burst)),
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draft_reports_all_invalid_fields_at_once() {
        let blank = KeyDraft::new(uuid::Uuid::nil().into(), uuid::Uuid::nil().into(), " ");
        let draft = KeyDraft {
            environment: "prod".into(),
            expires: "soon".into(),
            scopes: vec!["a b".into()],
            issued_to: "a\nb".into(),
            description: "a\tb".into(),
            restrictions: RestrictionsDraft {
                networks: "10.0.0.5/8".into(),
                not_before: "soon".into(),
                rate: "100".into(),
                per: "minute".into(),
                burst: "many".into(),
            },
            ..blank.clone()
        };
        let now = Timestamp::from_seconds(0);
        let defaults = KeyDefaults {
            environment: Environment::Live,
            networks: Networks::default(),
            expires_at: now.plus_seconds(60),
            zone: TimeZone::UTC,
            now,
        };
        let names = |error: Error| match error {
            Error::Invalid(fields) => fields.into_iter().map(|it| it.name).collect::<Vec<_>>(),
            other => panic!("{other}"),
        };
        let found = names(draft.parse(&defaults).unwrap_err());
        let fields =
            ["name", "environment", "expires", "scopes", "issued_to", "description", "networks", "not_before", "burst"];
        assert_eq!(found, fields);
        let valid = KeyDraft { name: "Gateway".into(), scopes: vec!["a".into(), "a".into()], ..blank };
        let spec = valid.parse(&defaults).unwrap();
        assert_eq!((spec.environment, spec.expires_at), (Environment::Live, Some(defaults.expires_at)));
        assert_eq!((spec.scopes.len(), spec.issued_to, spec.not_before), (1, None, None));
        let late = RestrictionsDraft { not_before: "1970-01-01T00:02:00Z".into(), ..RestrictionsDraft::default() };
        let late = KeyDraft { restrictions: late, ..valid };
        assert_eq!(names(late.parse(&defaults).unwrap_err()), ["not_before"]);
    }

    #[test]
    fn a_patch_keeps_the_fields_that_it_does_not_name() {
        let row = KeyFields { name: "Gateway".into(), issued_to: Some("Ada".into()), ..KeyFields::default() };
        let now = Timestamp::from_seconds(0);
        let patch = |draft: PatchDraft| draft.parse(&TimeZone::UTC, now).unwrap();
        assert_eq!(patch(PatchDraft::default()).apply_to(row.clone()), row);
        let rename = PatchDraft { name: Some("Kiosk".into()), issued_to: Some(" ".into()), ..PatchDraft::default() };
        let renamed = patch(rename).apply_to(row);
        assert_eq!((renamed.name.as_str(), renamed.issued_to), ("Kiosk", None));
    }
}
