//! From a choice of the expiry dropdown to an instant.

use super::Field;
use crate::domain::{
    expiry::ExpiryChoice,
    time::{DAY, Timestamp},
};
use jiff::{civil::Date, tz::TimeZone};

/// The instant from which the key is refused; `None`: never. A date is its last second in `zone` (an IANA name; UTC if it is
/// empty or unknown to us).
///
/// # Errors
/// If the date is none, or has passed.
pub fn resolve(choice: &ExpiryChoice, zone: &str, now: Timestamp) -> Result<Option<Timestamp>, Field> {
    match choice {
        ExpiryChoice::Never => Ok(None),
        ExpiryChoice::Days(days) => Ok(Some(now.plus_seconds(i64::from(*days) * DAY))),
        ExpiryChoice::Date(date) => {
            let wrong = |message: String| Field::new("expires_on", message);
            let date: Date = date.parse().map_err(|_| wrong("Choose the day on which the key ends.".into()))?;
            let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
            let end = date.at(23, 59, 59, 0).to_zoned(zone).map_err(|_| wrong("Choose an earlier day.".into()))?;
            let end = Timestamp::from_seconds(end.timestamp().as_second());
            if end <= now {
                let day = date.strftime("%-d %B %Y");
                return Err(wrong(format!("{day} has passed. Choose a day from today on.")));
            }
            Ok(Some(end))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-20T13:32:00Z
    const NOW: Timestamp = Timestamp::from_seconds(1_795_181_520);

    fn ends(date: &str, zone: &str) -> Result<String, String> {
        resolve(&ExpiryChoice::Date(date.into()), zone, NOW)
            .map(|end| super::super::moments::rfc3339(end.unwrap()))
            .map_err(|field| field.message)
    }

    #[test]
    fn days_are_counted_to_the_second() {
        let end = resolve(&ExpiryChoice::Days(90), "", NOW).unwrap().unwrap();
        assert_eq!(end.seconds_since(NOW), 90 * 86_400);
        assert_eq!(resolve(&ExpiryChoice::Never, "", NOW), Ok(None));
    }

    #[test]
    fn a_date_is_its_end_in_the_persons_zone() {
        assert_eq!(ends("2027-02-18", "Europe/Berlin").unwrap(), "2027-02-18T22:59:59Z");
        assert_eq!(ends("2027-07-18", "Europe/Berlin").unwrap(), "2027-07-18T21:59:59Z");
        assert_eq!(ends("2027-02-18", "Pacific/Kiritimati").unwrap(), "2027-02-18T09:59:59Z");
        assert_eq!(ends("2027-02-18", "").unwrap(), "2027-02-18T23:59:59Z");
        assert_eq!(ends("2027-02-18", "Not/AZone").unwrap(), "2027-02-18T23:59:59Z");
    }

    #[test]
    fn a_day_that_the_clock_skips_or_repeats_still_ends_once() {
        // The clocks of Santiago went forward at the midnight that ends 5 September 2026 + 1 year; of Berlin back on 31 October 2027.
        assert_eq!(ends("2027-10-31", "Europe/Berlin").unwrap(), "2027-10-31T22:59:59Z");
        assert_eq!(ends("2027-09-04", "America/Santiago").unwrap(), "2027-09-05T03:59:59Z");
    }

    #[test]
    fn today_is_allowed_and_yesterday_is_not() {
        assert!(ends("2026-11-20", "Europe/Berlin").is_ok());
        assert_eq!(
            ends("2026-11-19", "Europe/Berlin").unwrap_err(),
            "19 November 2026 has passed. Choose a day from today on."
        );
        assert!(ends("2027-02-30", "").is_err());
        assert!(ends("", "").is_err());
    }
}
