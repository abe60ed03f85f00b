//! Parser of the fields of a key request. It collects the errors of all fields.

use crate::{Error, InvalidField, expiry, not_before};
use jiff::tz::TimeZone;
use keyward_domain::{
    expiry::{DAYS_MAX, ExpiryChoice},
    rate::{RateError, RateLimit},
    scope::ScopeName,
    time::Timestamp,
};

/// Parses the fields of one request. A method returns `None` for an invalid field and keeps its error.
pub struct FieldParser<'a> {
    /// The time zone of dates and of times without an offset.
    zone: &'a TimeZone,
    now: Timestamp,
    errors: Vec<InvalidField>,
}

impl<'a> FieldParser<'a> {
    /// Runs a function that parses all fields, then builds the request from them.
    ///
    /// # Errors
    /// [`Error::Invalid`] with every invalid field, in the order in which they were parsed.
    pub fn parse<T>(
        zone: &'a TimeZone,
        now: Timestamp,
        request: impl FnOnce(&mut Self) -> Option<T>,
    ) -> Result<T, Error> {
        let mut parser = Self { zone, now, errors: Vec::new() };
        match request(&mut parser) {
            Some(parsed) if parser.errors.is_empty() => Ok(parsed),
            _ => Err(Error::Invalid(parser.errors)),
        }
    }

    /// As [`FieldParser::parse`], with times in UTC.
    ///
    /// # Errors
    /// As [`FieldParser::parse`].
    pub fn parse_utc<T>(now: Timestamp, request: impl FnOnce(&mut FieldParser<'_>) -> Option<T>) -> Result<T, Error> {
        FieldParser::parse(&TimeZone::UTC, now, request)
    }

    fn collect<T>(&mut self, result: Result<T, InvalidField>) -> Option<T> {
        result.map_err(|error| self.errors.push(error)).ok()
    }

    /// Returns the value of a field that has this name in error messages.
    pub fn field<T, E: ToString>(&mut self, name: &'static str, result: Result<T, E>) -> Option<T> {
        self.collect(result.map_err(|error| InvalidField::new(name, error)))
    }

    /// Parses scope names, without duplicates.
    pub fn scopes(&mut self, scopes: &[String]) -> Option<Vec<ScopeName>> {
        let mut unique = Vec::with_capacity(scopes.len());
        for scope in scopes {
            let scope = self.field("scopes", scope.parse::<ScopeName>())?;
            if !unique.contains(&scope) {
                unique.push(scope);
            }
        }
        Some(unique)
    }

    /// Parses the value of the expiry dropdown and the date next to it. An inner `None`: the key never expires.
    pub fn expiry(&mut self, expires: &str, on: &str) -> Option<Option<Timestamp>> {
        let choice = self.collect(expiry::parse(expires, on))?;
        self.collect(expiry::resolve(&choice, self.zone, self.now))
    }

    /// Parses an expiry as a number of days from now.
    pub fn expiry_in_days(&mut self, name: &'static str, days: i64) -> Option<Timestamp> {
        let days = u16::try_from(days).ok().filter(|days| (1..=DAYS_MAX).contains(days));
        let days = self.field(name, days.ok_or_else(|| format!("Use a whole number from 1 to {DAYS_MAX}.")))?;
        self.collect(expiry::resolve(&ExpiryChoice::Days(days), self.zone, self.now)).flatten()
    }

    /// Parses an expiry in RFC 3339.
    pub fn expiry_at(&mut self, name: &'static str, text: &str) -> Option<Timestamp> {
        let at = self.instant(name, text)?;
        if at <= self.now {
            return self.field(name, Err("This time has passed. Choose a later time."));
        }
        self.field(name, expiry::within_limit(at, self.now))
    }

    /// Parses the start of validity: empty for none, a local time in the zone, or an instant in RFC 3339.
    pub fn not_before(&mut self, text: &str) -> Option<Option<Timestamp>> {
        self.collect(not_before::parse(text, self.zone, self.now))
    }

    /// Parses the start of validity in RFC 3339. A local time without an offset is an error.
    pub fn not_before_instant(&mut self, text: &str) -> Option<Option<Timestamp>> {
        self.instant("not_before", text)?;
        self.not_before(text)
    }

    /// Parses the three fields of a rate limit, or the complete limit in the first. An inner `None`: no limit.
    pub fn rate_limit(&mut self, rate: &str, per: &str, burst: &str) -> Option<Option<RateLimit>> {
        let whole = !rate.trim().is_empty() && per.is_empty() && burst.trim().is_empty();
        let limit = if whole { rate.parse().map(Some) } else { RateLimit::from_form(rate, per, burst) };
        self.collect(limit.map_err(|error| {
            let field = match error {
                RateError::Calls | RateError::Form => "rate",
                RateError::Per => "per",
                RateError::Burst => "burst",
            };
            InvalidField::new(field, error)
        }))
    }

    /// Checks that the key becomes valid before it expires, if both fields are valid.
    pub fn check_validity(&mut self, from: Option<Option<Timestamp>>, end: Option<Option<Timestamp>>) {
        if let (Some(from), Some(end)) = (from, end) {
            self.collect(not_before::check(from, end, self.zone));
        }
    }

    /// Parses an instant in RFC 3339. A local date and time without an offset is an error.
    fn instant(&mut self, name: &'static str, text: &str) -> Option<Timestamp> {
        let instant = text.trim().parse::<jiff::Timestamp>();
        let instant = instant.map_err(|_| "Use an RFC 3339 time before the year 9999, such as 2027-02-18T09:00:00Z.");
        self.field(name, instant).map(|at| Timestamp::from_micros(at.as_microsecond()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_three_fields_or_one_text() {
        let parse = |rate: &str, per: &str, burst: &str| {
            FieldParser::parse(&TimeZone::UTC, Timestamp::from_seconds(0), |fields| fields.rate_limit(rate, per, burst))
        };
        let read = |rate, per, burst| parse(rate, per, burst).unwrap().map(|it| it.to_string());
        let field = |rate, per, burst| match parse(rate, per, burst) {
            Err(Error::Invalid(errors)) => errors[0].name,
            other => panic!("{other:?}"),
        };
        assert_eq!(read("100", "minute", "20").unwrap(), "100/minute,burst=20");
        assert_eq!(read("100/minute,burst=20", "", "").unwrap(), "100/minute,burst=20");
        assert_eq!(read("", "minute", ""), None);
        assert_eq!(read("", "", ""), None);
        assert_eq!(field("100/minute", "minute", ""), "rate");
        assert_eq!(field("100", "", ""), "rate");
        assert_eq!(field("", "minute", "20"), "rate");
        assert_eq!(field("100", "week", ""), "per");
        assert_eq!(field("100", "day", "-1"), "burst");
    }
}
