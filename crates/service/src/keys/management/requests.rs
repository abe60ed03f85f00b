//! Requests of the management API for keys, not yet parsed, and their validation.

use crate::{
    Error, InvalidField, expiry,
    keys::{
        Restrictions,
        key_patch::ParsedPatch,
        new_key::{NewKey, collect_error, parse_scopes},
        privileges::Privileges,
    },
    management_client::ManagementClient,
    not_before,
};
use jiff::tz::TimeZone;
use keyward_domain::{
    expiry::{DAYS_MAX, ExpiryChoice},
    ids::FormNumber,
    key::{Environment, KeyName, parse_issued_to},
    network::Networks,
    time::Timestamp,
};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// The expiry of a key, not yet parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// Days from now.
    Days(i64),
    /// An instant in RFC 3339.
    At(String),
    Never,
}

/// A request for a new key, not yet parsed. Without an environment or networks, those of the program's own key apply.
#[derive(Clone, Debug, Default)]
pub struct NewKeyRequest {
    pub name: String,
    pub environment: Option<Environment>,
    /// `None`: 90 days, or less if the policy or the expiry of the program's key requires it.
    pub expiry: Option<Expiry>,
    pub scopes: Vec<String>,
    pub issued_to: Option<String>,
    pub networks: Option<Vec<String>>,
    /// An instant in RFC 3339.
    pub not_before: Option<String>,
    /// For example `100/minute,burst=20`.
    pub rate_limit: Option<String>,
}

/// A requested change, not yet parsed. An outer `None` keeps the field. An inner `None` removes the value.
#[derive(Clone, Debug, Default)]
pub struct KeyPatchRequest {
    pub name: Option<String>,
    pub scopes: Option<Vec<String>>,
    pub expiry: Option<Expiry>,
    pub issued_to: Option<Option<String>>,
    pub networks: Option<Vec<String>>,
    pub not_before: Option<Option<String>>,
    pub rate_limit: Option<Option<String>>,
}

/// An idempotency key, with which a program creates at most one key, and the request sent with it: digests of both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdempotencyKey {
    number: Uuid,
    request: [u8; 32],
}

impl IdempotencyKey {
    pub(super) fn number(&self) -> FormNumber {
        self.number.into()
    }

    pub(super) const fn request(&self) -> &[u8; 32] {
        &self.request
    }

    /// Digests an idempotency key and the complete request. The digest includes the program's key, so that two programs
    /// may send the same idempotency key.
    pub fn new(program: &ManagementClient, idempotency_key: &str, request: &[u8]) -> Self {
        let subject = Uuid::from(program.subject).to_string();
        let digest = Sha256::new().chain_update(subject).chain_update("\n").chain_update(idempotency_key);
        let mut number = [0; 16];
        number.copy_from_slice(&digest.finalize()[..16]);
        Self { number: uuid::Builder::from_custom_bytes(number).into_uuid(), request: Sha256::digest(request).into() }
    }
}

/// Parses an instant. A local date and time without an offset is an error.
fn instant(name: &'static str, text: &str) -> Result<Timestamp, InvalidField> {
    let read = text.trim().parse::<jiff::Timestamp>();
    let read = read.map_err(|_| {
        InvalidField::new(name, "Use an RFC 3339 time before the year 9999, such as 2027-02-18T09:00:00Z.")
    })?;
    Ok(Timestamp::from_micros(read.as_microsecond()))
}

fn parse_expiry(end: &Expiry, now: Timestamp) -> Result<Option<Timestamp>, InvalidField> {
    match end {
        Expiry::Never => Ok(None),
        Expiry::Days(days) => {
            let choice = u16::try_from(*days).ok().filter(|days| (1..=DAYS_MAX).contains(days)).map(ExpiryChoice::Days);
            let wrong = || InvalidField::new("expires_in_days", format!("Use a whole number from 1 to {DAYS_MAX}."));
            expiry::resolve(&choice.ok_or_else(wrong)?, &TimeZone::UTC, now)
        }
        Expiry::At(text) => match instant("expires_at", text)? {
            at if at <= now => Err(InvalidField::new("expires_at", "This time has passed. Choose a later time.")),
            at => expiry::within_limit(at, now).map(Some).map_err(|e| InvalidField::new("expires_at", e)),
        },
    }
}

fn parse_not_before(text: Option<&str>, now: Timestamp) -> Result<Option<Timestamp>, InvalidField> {
    let Some(text) = text else { return Ok(None) };
    instant("not_before", text)?;
    not_before::parse(text, &TimeZone::UTC, now)
}

fn parse_networks(words: &[String]) -> Result<Networks, InvalidField> {
    Networks::parse_list(words.iter().map(String::as_str)).map_err(|e| InvalidField::new("networks", e))
}

fn parse_issued_to_member(text: Option<&str>) -> Result<Option<String>, InvalidField> {
    parse_issued_to(text.unwrap_or_default()).map_err(|e| InvalidField::new("issued_to", e))
}

fn parse_rate_limit<T>(text: Option<&str>) -> Result<Option<T>, InvalidField>
where
    T: std::str::FromStr<Err = keyward_domain::rate::RateError>,
{
    text.map(str::parse).transpose().map_err(|e| InvalidField::new("rate_limit", e))
}

impl NewKeyRequest {
    /// Parses every member and returns all errors at once.
    pub(super) fn parse(
        &self,
        program: &ManagementClient,
        maker: &Privileges,
        usual: u16,
        once: Option<&IdempotencyKey>,
        now: Timestamp,
    ) -> Result<NewKey, Error> {
        let mut errors = Vec::new();
        let name = collect_error(&mut errors, self.name.parse::<KeyName>().map_err(|e| InvalidField::new("name", e)));
        let scopes = collect_error(&mut errors, parse_scopes(&self.scopes));
        let expires_at = match &self.expiry {
            Some(expiry) => collect_error(&mut errors, parse_expiry(expiry, now)),
            None => {
                let usual = parse_expiry(&Expiry::Days(i64::from(usual)), now);
                collect_error(&mut errors, usual).map(|usual| usual.into_iter().chain(maker.expires_at).min())
            }
        };
        let issued_to = collect_error(&mut errors, parse_issued_to_member(self.issued_to.as_deref()));
        let networks = match &self.networks {
            Some(words) => collect_error(&mut errors, parse_networks(words)),
            None => Some(maker.networks.clone()),
        };
        let not_before = collect_error(&mut errors, parse_not_before(self.not_before.as_deref(), now));
        let rate_limit = collect_error(&mut errors, parse_rate_limit(self.rate_limit.as_deref()));
        if let (Some(from), Some(end)) = (not_before, expires_at) {
            collect_error(&mut errors, not_before::check(from, end, &TimeZone::UTC));
        }
        match (name, scopes, expires_at, issued_to, networks, not_before, rate_limit) {
            (
                Some(name),
                Some(scopes),
                Some(expires_at),
                Some(issued_to),
                Some(networks),
                Some(not_before),
                Some(limit),
            ) if errors.is_empty() => Ok(NewKey {
                number: once.map(|once| once.number.into()),
                request: once.map(|once| once.request),
                name,
                project: program.project,
                environment: self.environment.unwrap_or(maker.environment),
                expires_at,
                scopes,
                issued_to,
                restrictions: Restrictions { networks, not_before, rate_limit: limit },
            }),
            _ => Err(Error::Invalid(errors)),
        }
    }
}

impl KeyPatchRequest {
    /// Parses the members that are present and returns all errors at once.
    pub(super) fn parse(&self, version: Option<i64>, now: Timestamp) -> Result<ParsedPatch, Error> {
        fn parse_member<S, T>(
            errors: &mut Vec<InvalidField>,
            value: Option<&S>,
            read: impl FnOnce(&S) -> Result<T, InvalidField>,
        ) -> Option<T> {
            value.and_then(|it| collect_error(errors, read(it)))
        }
        let mut errors = Vec::new();
        let edited = ParsedPatch {
            version,
            name: parse_member(&mut errors, self.name.as_ref(), |it| {
                it.parse().map_err(|e| InvalidField::new("name", e))
            }),
            scopes: parse_member(&mut errors, self.scopes.as_ref(), |it| parse_scopes(it)),
            expires_at: parse_member(&mut errors, self.expiry.as_ref(), |it| parse_expiry(it, now)),
            issued_to: parse_member(&mut errors, self.issued_to.as_ref(), |it| parse_issued_to_member(it.as_deref())),
            networks: parse_member(&mut errors, self.networks.as_ref(), |it| parse_networks(it)),
            not_before: parse_member(&mut errors, self.not_before.as_ref(), |it| parse_not_before(it.as_deref(), now)),
            rate_limit: parse_member(&mut errors, self.rate_limit.as_ref(), |it| parse_rate_limit(it.as_deref())),
        };
        if errors.is_empty() { Ok(edited) } else { Err(Error::Invalid(errors)) }
    }
}
