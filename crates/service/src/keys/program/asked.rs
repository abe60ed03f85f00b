//! Requests of the management API for keys, not yet parsed, and their validation.

use crate::{
    Error, Field, expiry,
    keys::{
        Rules,
        draft::{NewKey, gather, parse_scopes},
        patch::Edited,
        reach::Reach,
    },
    not_before,
    program::Program,
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
pub enum End {
    /// Days from now.
    Days(i64),
    /// An instant in RFC 3339.
    At(String),
    Never,
}

/// A request for a new key, not yet parsed. Without an environment or networks, those of the program's own key apply.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    pub name: String,
    pub environment: Option<Environment>,
    /// `None`: 90 days, or less if the policy or the expiry of the program's key requires it.
    pub end: Option<End>,
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
pub struct Changes {
    pub name: Option<String>,
    pub scopes: Option<Vec<String>>,
    pub end: Option<End>,
    pub issued_to: Option<Option<String>>,
    pub networks: Option<Vec<String>>,
    pub not_before: Option<Option<String>>,
    pub rate_limit: Option<Option<String>>,
}

/// An idempotency key, with which a program creates at most one key, and the request sent with it: digests of both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Once {
    number: Uuid,
    request: [u8; 32],
}

impl Once {
    pub(super) fn number(&self) -> FormNumber {
        self.number.into()
    }

    pub(super) const fn request(&self) -> &[u8; 32] {
        &self.request
    }

    /// Digests an idempotency key and the complete request. The digest includes the program's key, so that two programs
    /// may send the same idempotency key.
    pub fn new(program: &Program, idempotency_key: &str, request: &[u8]) -> Self {
        let digest =
            Sha256::new().chain_update(program.key.to_string()).chain_update("\n").chain_update(idempotency_key);
        let mut number = [0; 16];
        number.copy_from_slice(&digest.finalize()[..16]);
        Self { number: uuid::Builder::from_custom_bytes(number).into_uuid(), request: Sha256::digest(request).into() }
    }
}

/// Parses an instant. A local date and time without an offset is an error.
fn instant(name: &'static str, text: &str) -> Result<Timestamp, Field> {
    let read = text.trim().parse::<jiff::Timestamp>();
    let read = read.map_err(|_| {
        Field::new(name, "Write an instant in RFC 3339 before the year 9999, such as 2027-02-18T09:00:00Z.")
    })?;
    Ok(Timestamp::from_micros(read.as_microsecond()))
}

fn end(end: &End, now: Timestamp) -> Result<Option<Timestamp>, Field> {
    match end {
        End::Never => Ok(None),
        End::Days(days) => {
            let choice = u16::try_from(*days).ok().filter(|days| (1..=DAYS_MAX).contains(days)).map(ExpiryChoice::Days);
            let wrong = || Field::new("expires_in_days", format!("Write a whole number from 1 to {DAYS_MAX}."));
            expiry::resolve(&choice.ok_or_else(wrong)?, &TimeZone::UTC, now)
        }
        End::At(text) => match instant("expires_at", text)? {
            at if at <= now => Err(Field::new("expires_at", "This has passed. Choose a later time.")),
            at => expiry::within_limit(at, now).map(Some).map_err(|e| Field::new("expires_at", e)),
        },
    }
}

fn start(text: Option<&str>, now: Timestamp) -> Result<Option<Timestamp>, Field> {
    let Some(text) = text else { return Ok(None) };
    instant("not_before", text)?;
    not_before::read(text, &TimeZone::UTC, now)
}

fn networks(words: &[String]) -> Result<Networks, Field> {
    Networks::of(words.iter().map(String::as_str)).map_err(|e| Field::new("networks", e))
}

fn issued_to(text: Option<&str>) -> Result<Option<String>, Field> {
    parse_issued_to(text.unwrap_or_default()).map_err(|e| Field::new("issued_to", e))
}

fn rate<T>(text: Option<&str>) -> Result<Option<T>, Field>
where
    T: std::str::FromStr<Err = keyward_domain::rate::RateError>,
{
    text.map(str::parse).transpose().map_err(|e| Field::new("rate_limit", e))
}

impl Asked {
    /// Parses every member and returns all errors at once.
    pub(super) fn read(
        &self,
        program: &Program,
        maker: &Reach,
        usual: u16,
        once: Option<&Once>,
        now: Timestamp,
    ) -> Result<NewKey, Error> {
        let mut errors = Vec::new();
        let name = gather(&mut errors, self.name.parse::<KeyName>().map_err(|e| Field::new("name", e)));
        let scopes = gather(&mut errors, parse_scopes(&self.scopes));
        let expires_at = match &self.end {
            Some(said) => gather(&mut errors, end(said, now)),
            None => {
                let usual = end(&End::Days(i64::from(usual)), now);
                gather(&mut errors, usual).map(|usual| usual.into_iter().chain(maker.expires_at).min())
            }
        };
        let issued_to = gather(&mut errors, issued_to(self.issued_to.as_deref()));
        let networks = match &self.networks {
            Some(words) => gather(&mut errors, networks(words)),
            None => Some(maker.networks.clone()),
        };
        let not_before = gather(&mut errors, start(self.not_before.as_deref(), now));
        let rate_limit = gather(&mut errors, rate(self.rate_limit.as_deref()));
        if let (Some(from), Some(end)) = (not_before, expires_at) {
            gather(&mut errors, not_before::check(from, end, &TimeZone::UTC));
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
                rules: Rules { networks, not_before, rate_limit: limit },
            }),
            _ => Err(Error::Invalid(errors)),
        }
    }
}

impl Changes {
    /// Parses the members that are present and returns all errors at once.
    pub(super) fn read(&self, version: Option<i64>, now: Timestamp) -> Result<Edited, Error> {
        fn said<S, T>(
            errors: &mut Vec<Field>,
            said: Option<&S>,
            read: impl FnOnce(&S) -> Result<T, Field>,
        ) -> Option<T> {
            said.and_then(|it| gather(errors, read(it)))
        }
        let mut errors = Vec::new();
        let edited = Edited {
            version,
            name: said(&mut errors, self.name.as_ref(), |it| it.parse().map_err(|e| Field::new("name", e))),
            scopes: said(&mut errors, self.scopes.as_ref(), |it| parse_scopes(it)),
            expires_at: said(&mut errors, self.end.as_ref(), |it| end(it, now)),
            issued_to: said(&mut errors, self.issued_to.as_ref(), |it| issued_to(it.as_deref())),
            networks: said(&mut errors, self.networks.as_ref(), |it| networks(it)),
            not_before: said(&mut errors, self.not_before.as_ref(), |it| start(it.as_deref(), now)),
            rate_limit: said(&mut errors, self.rate_limit.as_ref(), |it| rate(it.as_deref())),
        };
        if errors.is_empty() { Ok(edited) } else { Err(Error::Invalid(errors)) }
    }
}
