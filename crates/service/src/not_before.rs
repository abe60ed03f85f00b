//! Key start time ("not before"): converts between the form field, a timestamp, and the sentence under the field.

use super::{
    InvalidField,
    time_format::{self, abbreviation, zoned},
};
use jiff::{civil::DateTime, tz::TimeZone};
use keyward_domain::time::Timestamp;

/// Name of the form field.
const FIELD: &str = "not_before";
/// Resolution of the field, in seconds. The current minute does not count as past.
const MINUTE: i64 = 60;

/// Returns the timestamp from which the key is valid; `None`: at once. A time without an offset is local to `zone`. A
/// time that the clocks skip moves forward by the length of the gap; a time that occurs twice is the first one.
///
/// # Errors
/// If the text is not a time, or the time has passed.
pub fn parse(text: &str, zone: &TimeZone, now: Timestamp) -> Result<Option<Timestamp>, InvalidField> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    // Try a timestamp first: parsing as civil time would discard the offset.
    let at = text.parse::<jiff::Timestamp>().or_else(|_| {
        let civil: DateTime = text.parse()?;
        civil.to_zoned(zone.clone()).map(|zoned| zoned.timestamp())
    });
    let wrong = |message: String| InvalidField::new(FIELD, message);
    // The message says what to enter. The error of the parser adds nothing.
    let at = at.map_err(|_| wrong("Enter a date and time, such as 2027-02-18 09:00.".into()))?;
    let at = Timestamp::from_micros(at.as_microsecond());
    if now.seconds_since(at) >= MINUTE {
        let exact = time_format::format_moment(at, zone).exact;
        return Err(wrong(format!("{exact} has passed. Choose a later time, or leave the field blank to start now.")));
    }
    Ok(Some(at))
}

/// Checks that the key becomes valid before it expires.
///
/// # Errors
/// A field error if the key would never be valid.
pub fn check(from: Option<Timestamp>, end: Option<Timestamp>, zone: &TimeZone) -> Result<(), InvalidField> {
    match (from, end) {
        (Some(from), Some(end)) if from >= end => {
            let end = time_format::format_moment(end, zone).exact;
            Err(InvalidField::new(FIELD, format!("The key would expire first, on {end}. Choose an earlier time.")))
        }
        _ => Ok(()),
    }
}

/// Returns the sentence under the field, with the exact time in the user's time zone.
///
/// # Errors
/// Same as [`parse`].
pub fn preview_text(text: &str, zone: &TimeZone, now: Timestamp) -> Result<String, InvalidField> {
    let Some(from) = parse(text, zone, now)? else { return Ok("Valid immediately.".to_owned()) };
    let from = zoned(from, zone);
    Ok(format!("Valid from {} {}.", from.strftime("%A %-d %B %Y at %H:%M:%S"), abbreviation(&from)))
}

/// Formats a timestamp as the value of the field, to the minute.
pub fn field_value(at: Timestamp, zone: &TimeZone) -> String {
    zoned(at, zone).strftime("%Y-%m-%dT%H:%M").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-20T13:32:00Z
    const NOW: Timestamp = Timestamp::from_seconds(1_795_181_520);

    fn zone(name: &str) -> TimeZone {
        time_format::zone(name).unwrap()
    }

    fn starts(text: &str, name: &str) -> Result<String, String> {
        parse(text, &zone(name), NOW).map(|at| time_format::rfc3339(at.unwrap())).map_err(|field| field.message)
    }

    #[test]
    fn a_time_is_one_of_the_persons_zone_unless_it_says_another() {
        assert_eq!(starts("2026-12-01T09:00", "Europe/Berlin").unwrap(), "2026-12-01T08:00:00Z");
        assert_eq!(starts(" 2027-07-01 09:00:30 ", "Europe/Berlin").unwrap(), "2027-07-01T07:00:30Z");
        assert_eq!(starts("2026-12-01", "America/Sao_Paulo").unwrap(), "2026-12-01T03:00:00Z");
        assert_eq!(starts("2026-12-01T09:00Z", "Europe/Berlin").unwrap(), "2026-12-01T09:00:00Z");
        assert_eq!(starts("2026-12-01T09:00:00+05:45", "Europe/Berlin").unwrap(), "2026-12-01T03:15:00Z");
        assert_eq!(parse(" ", &TimeZone::UTC, NOW), Ok(None));
        for wrong in ["soon", "2026-13-01T09:00", "2027-02-30T09:00", "09:00", "+10000-01-01T00:00"] {
            assert!(starts(wrong, "UTC").unwrap_err().starts_with("Enter a date and time"), "{wrong}");
        }
    }

    #[test]
    fn a_time_that_the_clocks_skip_or_repeat_is_one_instant() {
        // Berlin goes from 2:00 to 3:00 on 28 March 2027, and from 3:00 back to 2:00 on 31 October 2027.
        assert_eq!(starts("2027-03-28T02:30", "Europe/Berlin").unwrap(), "2027-03-28T01:30:00Z");
        assert_eq!(starts("2027-10-31T02:30", "Europe/Berlin").unwrap(), "2027-10-31T00:30:00Z");
        let berlin = zone("Europe/Berlin");
        let preview = |text| preview_text(text, &berlin, NOW).unwrap();
        assert_eq!(preview("2027-03-28T02:30"), "Valid from Sunday 28 March 2027 at 03:30:00 CEST.");
        assert_eq!(preview("2027-10-31T02:30"), "Valid from Sunday 31 October 2027 at 02:30:00 CEST.");
        assert_eq!(preview("2027-10-31T02:30+01:00"), "Valid from Sunday 31 October 2027 at 02:30:00 CET.");
        assert_eq!(preview(""), "Valid immediately.");
    }

    #[test]
    fn the_minute_that_has_begun_is_not_past() {
        let (now, utc) = (NOW.plus_seconds(59), TimeZone::UTC);
        assert_eq!(parse("2026-11-20T13:32", &utc, now), Ok(Some(NOW)));
        let refused = parse("2026-11-20T13:31", &utc, now).unwrap_err();
        assert!(refused.message.starts_with("20 November 2026, 13:31:00 UTC has passed."), "{}", refused.message);
        assert_eq!(refused.name, "not_before");
        assert!(parse("2026-11-20T13:32", &utc, now.plus_seconds(1)).is_err());
    }

    #[test]
    fn a_key_that_would_end_before_it_works_is_refused() {
        let later = NOW.plus_seconds(1);
        let ends = |end| check(Some(NOW), end, &TimeZone::UTC);
        assert_eq!((ends(None), ends(Some(later))), (Ok(()), Ok(())));
        assert!(ends(Some(NOW)).unwrap_err().message.contains("would expire first, on 20 November 2026, 13:32:00 UTC"));
        assert_eq!(check(None, Some(NOW), &TimeZone::UTC), Ok(()));
    }

    #[test]
    fn what_the_field_shows_is_read_as_it_was() {
        let berlin = zone("Europe/Berlin");
        assert_eq!(field_value(NOW.plus_seconds(59), &berlin), "2026-11-20T14:32");
        assert_eq!(parse(&field_value(NOW, &berlin), &berlin, NOW), Ok(Some(NOW)));
    }
}
