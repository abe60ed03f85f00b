//! Instants in words. Zones are the server's affair: the browser's copy of them is megabytes.

use crate::domain::time::{Moment, Timestamp};
use jiff::tz::TimeZone;

/// An instant ready to be shown, in UTC.
pub fn moment(at: Timestamp) -> Moment {
    let instant = jiff::Timestamp::from_microsecond(at.micros()).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    let zoned = instant.to_zoned(TimeZone::UTC);
    Moment {
        at,
        iso: instant.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        day: zoned.strftime("%-d %b %Y").to_string(),
        exact: zoned.strftime("%-d %B %Y, %H:%M:%S UTC").to_string(),
    }
}

/// As [`moment`], from a column.
pub fn moment_of(micros: i64) -> Moment {
    moment(Timestamp::from_micros(micros))
}

/// RFC 3339 in UTC, for programs.
pub fn rfc3339(at: Timestamp) -> String {
    moment(at).iso
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_in_words() {
        let shown = moment(Timestamp::from_seconds(1_786_691_529));
        assert_eq!(shown.iso, "2026-08-14T07:12:09Z");
        assert_eq!(shown.day, "14 Aug 2026");
        assert_eq!(shown.exact, "14 August 2026, 07:12:09 UTC");
    }
}
