//! Key restrictions: allowed networks, start time, and rate limit, as forms and the command line send them.

use super::new_key::collect_error;
use crate::{InvalidField, not_before};
use jiff::tz::TimeZone;
use keyward_domain::{
    network::Networks,
    rate::{RateError, RateLimit},
    time::Timestamp,
};

/// The restrictions of a key, not yet parsed. An empty field means no restriction.
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

/// The restrictions of a key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Restrictions {
    /// Empty: from any address.
    pub networks: Networks,
    /// `None`: the key works immediately.
    pub not_before: Option<Timestamp>,
    /// `None`: unlimited.
    pub rate_limit: Option<RateLimit>,
}

impl RestrictionsDraft {
    /// Parses every restriction and collects all errors.
    pub(super) fn parse(
        &self,
        errors: &mut Vec<InvalidField>,
        zone: &TimeZone,
        now: Timestamp,
    ) -> Option<Restrictions> {
        let networks = collect_error(errors, parse_networks(&self.networks));
        let not_before = collect_error(errors, not_before::parse(&self.not_before, zone, now));
        let rate_limit = collect_error(errors, parse_rate_limit(&self.rate, &self.per, &self.burst));
        Some(Restrictions { networks: networks?, not_before: not_before?, rate_limit: rate_limit? })
    }
}

pub(super) fn parse_networks(text: &str) -> Result<Networks, InvalidField> {
    Networks::parse(text).map_err(|e| InvalidField::new("networks", e))
}

pub(super) fn parse_rate_limit(rate: &str, per: &str, burst: &str) -> Result<Option<RateLimit>, InvalidField> {
    let whole = !rate.trim().is_empty() && per.is_empty() && burst.trim().is_empty();
    let read = if whole { rate.parse().map(Some) } else { RateLimit::from_form(rate, per, burst) };
    read.map_err(|error| {
        let field = match error {
            RateError::Calls | RateError::Form => "rate",
            RateError::Per => "per",
            RateError::Burst => "burst",
        };
        InvalidField::new(field, error)
    })
}

/// Returns the networks as the column stores them.
pub(super) fn network_strings(networks: &Networks) -> Vec<String> {
    networks.iter().map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_said_of_its_field_all_at_once() {
        let draft = RestrictionsDraft {
            networks: "10.0.0.5/8".into(),
            not_before: "soon".into(),
            rate: "100".into(),
            per: "minute".into(),
            burst: "many".into(),
        };
        let mut errors = Vec::new();
        assert_eq!(draft.parse(&mut errors, &TimeZone::UTC, Timestamp::from_seconds(0)), None);
        let names: Vec<_> = errors.iter().map(|it| it.name).collect();
        assert_eq!(names, ["networks", "not_before", "burst"]);
    }

    #[test]
    fn a_limit_is_three_fields_or_one_text() {
        let read = |rate, per, burst| parse_rate_limit(rate, per, burst).map(|it| it.map(|it| it.to_string()));
        let field = |rate, per, burst| parse_rate_limit(rate, per, burst).unwrap_err().name;
        assert_eq!(read("100", "minute", "20").unwrap().unwrap(), "100/minute,burst=20");
        assert_eq!(read("100/minute,burst=20", "", "").unwrap().unwrap(), "100/minute,burst=20");
        assert_eq!(read("", "minute", ""), Ok(None));
        assert_eq!(read("", "", ""), Ok(None));
        assert_eq!(field("100/minute", "minute", ""), "rate");
        assert_eq!(field("100", "", ""), "rate");
        assert_eq!(field("", "minute", "20"), "rate");
        assert_eq!(field("100", "week", ""), "per");
        assert_eq!(field("100", "day", "-1"), "burst");
    }
}
