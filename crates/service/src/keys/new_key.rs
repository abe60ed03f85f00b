//! New keys: the request, not yet parsed, and the validated key.

use super::restrictions::{Restrictions, RestrictionsDraft};
use crate::{Error, InvalidField, expiry, not_before};
use jiff::tz::TimeZone;
use keyward_domain::{
    expiry::ExpiryChoice,
    ids::{FormNumber, ProjectId},
    key::{Environment, KeyName, parse_issued_to},
    scope::ScopeName,
    time::Timestamp,
};

/// The fields of the form, not yet parsed.
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
    pub restrictions: RestrictionsDraft,
}

/// A requested key, validated except for the rules that need the database.
#[derive(Clone, Debug)]
pub struct NewKey {
    pub number: Option<FormNumber>,
    /// SHA-256 of a program's request with that number.
    pub request: Option<[u8; 32]>,
    pub name: KeyName,
    pub project: ProjectId,
    pub environment: Environment,
    /// `None`: the key never expires.
    pub expires_at: Option<Timestamp>,
    pub scopes: Vec<ScopeName>,
    pub issued_to: Option<String>,
    pub restrictions: Restrictions,
}

impl NewKey {
    /// Validates a key without restrictions, and returns all errors at once.
    ///
    /// # Errors
    /// [`Error::Invalid`] with every invalid field.
    pub fn parse(
        name: &str,
        project: ProjectId,
        environment: Environment,
        expires: &ExpiryChoice,
        scopes: &[String],
        issued_to: &str,
        now: Timestamp,
    ) -> Result<Self, Error> {
        let mut errors = Vec::new();
        let name = collect_error(&mut errors, name.parse().map_err(|e| InvalidField::new("name", e)));
        let expires_at = collect_error(&mut errors, expiry::resolve(expires, &TimeZone::UTC, now));
        let scopes = collect_error(&mut errors, parse_scopes(scopes));
        let issued_to =
            collect_error(&mut errors, parse_issued_to(issued_to).map_err(|e| InvalidField::new("issued_to", e)));
        match (name, expires_at, scopes, issued_to) {
            (Some(name), Some(expires_at), Some(scopes), Some(issued_to)) => {
                let rules = Restrictions::default();
                Ok(Self {
                    number: None,
                    request: None,
                    name,
                    project,
                    environment,
                    expires_at,
                    scopes,
                    issued_to,
                    restrictions: rules,
                })
            }
            _ => Err(Error::Invalid(errors)),
        }
    }
}

/// Parses scope names, without duplicates.
pub(super) fn parse_scopes(scopes: &[String]) -> Result<Vec<ScopeName>, InvalidField> {
    let mut read = Vec::with_capacity(scopes.len());
    for scope in scopes {
        let scope = scope.parse::<ScopeName>().map_err(|e| InvalidField::new("scopes", e))?;
        if !read.contains(&scope) {
            read.push(scope);
        }
    }
    Ok(read)
}

/// Parses the value of the expiry dropdown and the date next to it.
pub(super) fn parse_expiry(
    expires: &str,
    on: &str,
    zone: &TimeZone,
    now: Timestamp,
) -> Result<Option<Timestamp>, InvalidField> {
    expiry::resolve(&expiry::parse(expires, on)?, zone, now)
}

/// Returns the value of a field, or collects its error.
pub(super) fn collect_error<T>(errors: &mut Vec<InvalidField>, read: Result<T, InvalidField>) -> Option<T> {
    read.map_err(|e| errors.push(e)).ok()
}

impl KeyDraft {
    /// Parses every field and returns all errors at once.
    pub(super) fn parse(&self, zone: &TimeZone, usual: u16, now: Timestamp) -> Result<NewKey, Error> {
        let mut errors = Vec::new();
        let usual = ExpiryChoice::Days(usual).to_string();
        let expires = if self.expires.is_empty() { &usual } else { &self.expires };
        let name = collect_error(&mut errors, self.name.parse().map_err(|e| InvalidField::new("name", e)));
        let environment = if self.environment.is_empty() { "live" } else { &self.environment };
        let environment =
            collect_error(&mut errors, environment.parse().map_err(|e| InvalidField::new("environment", e)));
        let expires_at = collect_error(&mut errors, parse_expiry(expires, &self.expires_on, zone, now));
        let scopes = collect_error(&mut errors, parse_scopes(&self.scopes));
        let issued_to =
            collect_error(&mut errors, parse_issued_to(&self.issued_to).map_err(|e| InvalidField::new("issued_to", e)));
        let rules = self.restrictions.parse(&mut errors, zone, now);
        if let (Some(rules), Some(end)) = (&rules, expires_at) {
            collect_error(&mut errors, not_before::check(rules.not_before, end, zone));
        }
        match (name, environment, expires_at, scopes, issued_to, rules) {
            (Some(name), Some(environment), Some(expires_at), Some(scopes), Some(issued_to), Some(rules))
                if errors.is_empty() =>
            {
                Ok(NewKey {
                    number: Some(self.number),
                    request: None,
                    project: self.project,
                    name,
                    environment,
                    expires_at,
                    scopes,
                    issued_to,
                    restrictions: rules,
                })
            }
            _ => Err(Error::Invalid(errors)),
        }
    }
}
