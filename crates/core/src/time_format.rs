//! Time formatting in a user's time zone.
//!
//! The server formats times, because the time zone data would add megabytes to the browser download.

use jiff::{Zoned, tz::TimeZone};
use keyward_domain::time::{Moment, Timestamp};

/// Maximum accepted length of a time zone name, in bytes. The longest existing name has 32.
const ZONE_MAX: usize = 64;

/// Returns the time zone with this IANA name, if it exists.
pub fn zone(name: &str) -> Option<TimeZone> {
    if name.is_empty() || name.len() > ZONE_MAX {
        return None;
    }
    TimeZone::get(name).ok().filter(|zone| !zone.is_unknown())
}

/// Name of a time zone, for form hints.
pub fn zone_name(zone: &TimeZone) -> String {
    zone.iana_name().unwrap_or("UTC").to_owned()
}

/// Converts a timestamp to a time zone.
pub fn zoned(at: Timestamp, zone: &TimeZone) -> Zoned {
    jiff::Timestamp::from_microsecond(at.micros()).unwrap_or(jiff::Timestamp::UNIX_EPOCH).to_zoned(zone.clone())
}

/// Formats the zone abbreviation: "CEST". If the zone has no abbreviation, its UTC offset: "UTC+3".
pub fn abbreviation(zoned: &Zoned) -> String {
    let name = zoned.strftime("%Z").to_string();
    if !name.starts_with(['+', '-']) {
        return name;
    }
    let minutes = zoned.offset().seconds() / 60;
    let sign = if minutes < 0 { '-' } else { '+' };
    match (minutes.abs() / 60, minutes.abs() % 60) {
        (0, 0) => "UTC".to_owned(),
        (hours, 0) => format!("UTC{sign}{hours}"),
        (hours, minutes) => format!("UTC{sign}{hours}:{minutes:02}"),
    }
}

/// Formats a timestamp for display in a time zone.
pub fn format_moment(at: Timestamp, zone: &TimeZone) -> Moment {
    let zoned = zoned(at, zone);
    Moment {
        at,
        iso: rfc3339(at),
        day: zoned.strftime("%-d %b %Y").to_string(),
        exact: format!("{} {}", zoned.strftime("%-d %B %Y, %H:%M:%S"), abbreviation(&zoned)),
    }
}

/// As [`format_moment`], for a database column in microseconds.
pub fn moment_from_micros(micros: i64, zone: &TimeZone) -> Moment {
    format_moment(Timestamp::from_micros(micros), zone)
}

/// Formats a timestamp as RFC 3339 in UTC, for programs.
pub fn rfc3339(at: Timestamp) -> String {
    Rfc3339::new(at).as_str().to_owned()
}

/// Length of a timestamp before the year 0: `-YYYY-MM-DDTHH:MM:SSZ`.
const RFC3339_MAX: usize = 21;

/// A timestamp in the same format, without an allocation. For responses that are generated thousands of times per
/// second.
pub struct Rfc3339 {
    text: [u8; RFC3339_MAX],
    length: usize,
}

impl Rfc3339 {
    pub fn new(at: Timestamp) -> Self {
        let instant = jiff::Timestamp::from_microsecond(at.micros()).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        let time = jiff::tz::Offset::UTC.to_datetime(instant);
        let mut text = Self { text: [0; RFC3339_MAX], length: 0 };
        // RFC 3339 has no years before 0. Here they have a sign and four digits.
        if time.year() < 0 {
            text.push(b'-');
        }
        let year = time.year().unsigned_abs();
        let parts = [
            (year / 100, b' '),
            (year % 100, b'-'),
            (time.month().unsigned_abs().into(), b'-'),
            (time.day().unsigned_abs().into(), b'T'),
            (time.hour().unsigned_abs().into(), b':'),
            (time.minute().unsigned_abs().into(), b':'),
            (time.second().unsigned_abs().into(), b'Z'),
        ];
        for (number, behind) in parts {
            // Each number has two digits.
            text.push(b'0' + (number / 10) as u8);
            text.push(b'0' + (number % 10) as u8);
            if behind != b' ' {
                text.push(behind);
            }
        }
        text
    }

    fn push(&mut self, byte: u8) {
        self.text[self.length] = byte;
        self.length += 1;
    }

    pub fn as_str(&self) -> &str {
        // Only ASCII characters were written.
        std::str::from_utf8(&self.text[..self.length]).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Timestamp = Timestamp::from_seconds(1_786_691_529);

    fn exact(name: &str) -> String {
        format_moment(AT, &zone(name).unwrap()).exact
    }

    #[test]
    fn an_instant_in_words() {
        let shown = format_moment(AT, &TimeZone::UTC);
        assert_eq!(shown.iso, "2026-08-14T07:12:09Z");
        assert_eq!(shown.day, "14 Aug 2026");
        assert_eq!(shown.exact, "14 August 2026, 07:12:09 UTC");
    }

    #[test]
    fn rfc_3339_is_the_format_of_jiff() {
        for seconds in [0, -1, AT.seconds(), 253_402_207_199, -62_135_596_801, -377_000_000_000] {
            for at in [Timestamp::from_seconds(seconds), Timestamp::from_micros(seconds * 1_000_000 - 1)] {
                let expected = zoned(at, &TimeZone::UTC).strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
                assert_eq!(rfc3339(at), expected, "{at:?}");
            }
        }
        assert_eq!(Rfc3339::new(Timestamp::from_micros(i64::MAX)).as_str(), "1970-01-01T00:00:00Z");
        assert_eq!(Rfc3339::new(AT).as_str(), "2026-08-14T07:12:09Z");
    }

    #[test]
    fn an_instant_in_a_persons_zone() {
        let shown = format_moment(AT, &zone("Pacific/Kiritimati").unwrap());
        assert_eq!((shown.iso.as_str(), shown.day.as_str()), ("2026-08-14T07:12:09Z", "14 Aug 2026"));
        assert_eq!(shown.exact, "14 August 2026, 21:12:09 UTC+14");
        assert_eq!(format_moment(AT, &zone("Pacific/Pago_Pago").unwrap()).day, "13 Aug 2026");
        assert_eq!(exact("Europe/Berlin"), "14 August 2026, 09:12:09 CEST");
        assert_eq!(exact("Asia/Kathmandu"), "14 August 2026, 12:57:09 UTC+5:45");
        assert_eq!(exact("America/Sao_Paulo"), "14 August 2026, 04:12:09 UTC-3");
        assert_eq!(exact("Antarctica/Troll"), "14 August 2026, 09:12:09 UTC+2");
        let winter = format_moment(Timestamp::from_seconds(1_795_181_520), &zone("Europe/Berlin").unwrap());
        assert_eq!(winter.exact, "20 November 2026, 14:32:00 CET");
    }

    #[test]
    fn zones_are_those_that_there_are() {
        for bad in ["", "Mars/Olympus", "Europe/Berlin\n", "../etc/passwd", "Etc/Unknown", &"x".repeat(65)] {
            assert!(zone(bad).is_none(), "{bad}");
        }
        assert_eq!(zone_name(&zone("Europe/Berlin").unwrap()), "Europe/Berlin");
        assert_eq!(zone_name(&TimeZone::UTC), "UTC");
    }
}
