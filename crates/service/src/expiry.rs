//! Key expiry: resolves the choice in the expiry dropdown to a timestamp and to the sentence under the field.

use super::{
    InvalidField,
    time_format::{abbreviation, zoned},
};
use jiff::{ToSpan as _, civil::Date, tz::TimeZone};
use keyward_domain::{
    expiry::{BadExpiry, DAYS_MAX, DEFAULT_DAYS, ExpiryChoice, ExpiryOption},
    policy::Policy,
    time::{DAY, Timestamp},
};

/// Parses the value of the dropdown (empty: 90 days) and the date beside it.
///
/// # Errors
/// If the dropdown has no such choice.
pub fn parse(expires: &str, on: &str) -> Result<ExpiryChoice, InvalidField> {
    match expires {
        "" => Ok(ExpiryChoice::Days(DEFAULT_DAYS)),
        "date" => Ok(ExpiryChoice::Date(on.to_owned())),
        other => other.parse().map_err(|e| InvalidField::new("expires", e)),
    }
}

/// Returns the timestamp from which the key is denied; `None`: the key never expires. A date resolves to its last
/// second in `zone`.
///
/// # Errors
/// If the date is invalid, has passed, or is beyond [`DAYS_MAX`].
pub fn resolve(choice: &ExpiryChoice, zone: &TimeZone, now: Timestamp) -> Result<Option<Timestamp>, InvalidField> {
    match choice {
        ExpiryChoice::Never => Ok(None),
        ExpiryChoice::Days(days) => Ok(Some(now.plus_seconds(i64::from(*days) * DAY))),
        ExpiryChoice::Date(date) => {
            let wrong = |message: String| InvalidField::new("expires_on", message);
            // The messages say what to choose. The errors of the parsers add nothing.
            let date: Date = date.parse().map_err(|_| wrong("Choose the day on which the key expires.".into()))?;
            let end = last_second(date, zone).map_err(|_| wrong("Choose an earlier day.".into()))?;
            if end <= now {
                let day = date.strftime("%-d %B %Y");
                return Err(wrong(format!("{day} has passed. Choose today or a later day.")));
            }
            within_limit(end, now).map(Some).map_err(|e| wrong(e.to_string()))
        }
    }
}

/// Checks that a key's expiry is within the maximum lifetime.
///
/// # Errors
/// [`BadExpiry`] beyond [`DAYS_MAX`].
pub(super) fn within_limit(end: Timestamp, now: Timestamp) -> Result<Timestamp, BadExpiry> {
    if end > now.plus_seconds(i64::from(DAYS_MAX) * DAY) { Err(BadExpiry) } else { Ok(end) }
}

/// Returns the last second before the next day begins. This is usually 23:59:59; where the clocks change at midnight,
/// that time may not exist or may occur twice.
fn last_second(date: Date, zone: &TimeZone) -> Result<Timestamp, jiff::Error> {
    let next = date.tomorrow()?.at(12, 0, 0, 0).to_zoned(zone.clone())?.start_of_day()?;
    let end = next.checked_sub(1.second())?;
    Ok(Timestamp::from_seconds(end.timestamp().as_second()))
}

/// Returns the sentence under the field, with the exact time in the user's time zone.
///
/// # Errors
/// Same as [`resolve`].
pub fn preview_text(choice: &ExpiryChoice, zone: &TimeZone, now: Timestamp) -> Result<String, InvalidField> {
    let Some(end) = resolve(choice, zone, now)? else { return Ok("Never expires.".to_owned()) };
    let end = zoned(end, zone);
    Ok(format!("Expires on {} {}.", end.strftime("%A %-d %B %Y at %H:%M:%S"), abbreviation(&end)))
}

/// Returns the dropdown options that the policy allows: presets and "never".
pub(super) fn options(policy: &Policy, zone: &TimeZone, now: Timestamp) -> Vec<ExpiryOption> {
    let label = |days: u16| if days == 1 { "1 day".to_owned() } else { format!("{days} days") };
    let periods = policy.periods().into_iter().map(|days| (ExpiryChoice::Days(days), label(days)));
    let never = policy.allows_never().then(|| (ExpiryChoice::Never, "Never".to_owned()));
    periods
        .chain(never)
        .map(|(choice, label)| ExpiryOption {
            value: choice.to_string(),
            label,
            // Cannot fail: only a date can be invalid.
            sentence: preview_text(&choice, zone, now).unwrap_or_default(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time_format;
    use keyward_domain::policy::{SecondFactor, SignUp};

    /// 2026-11-20T13:32:00Z
    const NOW: Timestamp = Timestamp::from_seconds(1_795_181_520);

    fn zone(name: &str) -> TimeZone {
        time_format::zone(name).unwrap()
    }

    fn ends(date: &str, name: &str) -> Result<String, String> {
        resolve(&ExpiryChoice::Date(date.into()), &zone(name), NOW)
            .map(|end| time_format::rfc3339(end.unwrap()))
            .map_err(|field| field.message)
    }

    fn preview(choice: &str, name: &str) -> String {
        preview_text(&choice.parse().unwrap(), &zone(name), NOW).unwrap()
    }

    #[test]
    fn days_are_counted_to_the_second() {
        let end = resolve(&ExpiryChoice::Days(90), &TimeZone::UTC, NOW).unwrap().unwrap();
        assert_eq!(end.seconds_since(NOW), 90 * 86_400);
        assert_eq!(resolve(&ExpiryChoice::Never, &TimeZone::UTC, NOW), Ok(None));
        assert_eq!(parse("", ""), Ok(ExpiryChoice::Days(90)));
        assert_eq!(parse("date", "2027-02-18"), Ok(ExpiryChoice::Date("2027-02-18".into())));
        assert_eq!(parse("soon", "").unwrap_err().name, "expires");
    }

    #[test]
    fn a_date_is_its_end_in_the_persons_zone() {
        assert_eq!(ends("2027-02-18", "Europe/Berlin").unwrap(), "2027-02-18T22:59:59Z");
        assert_eq!(ends("2027-07-18", "Europe/Berlin").unwrap(), "2027-07-18T21:59:59Z");
        assert_eq!(ends("2027-02-18", "Pacific/Kiritimati").unwrap(), "2027-02-18T09:59:59Z");
        assert_eq!(ends("2027-02-18", "UTC").unwrap(), "2027-02-18T23:59:59Z");
    }

    #[test]
    fn a_day_that_the_clock_skips_or_repeats_still_ends_once() {
        // The last Sunday of October and of March: Berlin sets its clocks back, and forward.
        assert_eq!(ends("2027-10-31", "Europe/Berlin").unwrap(), "2027-10-31T22:59:59Z");
        assert_eq!(ends("2027-03-28", "Europe/Berlin").unwrap(), "2027-03-28T21:59:59Z");
        // Santiago skips midnight at the start of 5 September 2027, and repeats the last hour of 3 April 2027.
        assert_eq!(ends("2027-09-04", "America/Santiago").unwrap(), "2027-09-05T03:59:59Z");
        assert_eq!(ends("2027-09-05", "America/Santiago").unwrap(), "2027-09-06T02:59:59Z");
        assert_eq!(ends("2027-04-03", "America/Santiago").unwrap(), "2027-04-04T03:59:59Z");
        // Nuuk skips the last hour of 27 March 2027, so that day ends at 22:59:59.
        assert_eq!(ends("2027-03-27", "America/Nuuk").unwrap(), "2027-03-28T00:59:59Z");
        assert_eq!(preview("date:2027-03-27", "America/Nuuk"), "Expires on Saturday 27 March 2027 at 22:59:59 UTC-2.");
    }

    #[test]
    fn today_is_allowed_and_yesterday_is_not() {
        assert!(ends("2026-11-20", "Europe/Berlin").is_ok());
        assert_eq!(
            ends("2026-11-19", "Europe/Berlin").unwrap_err(),
            "19 November 2026 has passed. Choose today or a later day."
        );
        assert!(ends("2027-02-30", "UTC").is_err());
        assert!(ends("9999-12-31", "UTC").is_err());
        // 36,500 days from now is 27 October 2126, 13:32.
        assert!(ends("2126-10-27", "UTC").is_err_and(|words| words == BadExpiry.to_string()));
        assert!(ends("9999-12-29", "UTC").is_err_and(|words| words == BadExpiry.to_string()));
        assert!(ends("2126-10-26", "UTC").is_ok());
        assert!(ends("", "UTC").is_err());
    }

    #[test]
    fn the_sentence_says_the_instant() {
        assert_eq!(preview("90d", "Europe/Berlin"), "Expires on Thursday 18 February 2027 at 14:32:00 CET.");
        // Across a clock change: the same number of seconds, but another hour of local time.
        assert_eq!(preview("180d", "Europe/Berlin"), "Expires on Wednesday 19 May 2027 at 15:32:00 CEST.");
        let end = resolve(&ExpiryChoice::Days(180), &zone("Europe/Berlin"), NOW).unwrap().unwrap();
        assert_eq!(end.seconds_since(NOW), 180 * 86_400);
        assert_eq!(
            preview("date:2027-02-18", "Europe/Berlin"),
            "Expires on Thursday 18 February 2027 at 23:59:59 CET."
        );
        assert_eq!(preview("7d", "America/Sao_Paulo"), "Expires on Friday 27 November 2026 at 10:32:00 UTC-3.");
        assert_eq!(preview("never", "UTC"), "Never expires.");
        let any = Policy {
            key_life_max: None,
            may_never_expire: true,
            token_life_max: 1,
            sign_up: SignUp::Closed,
            keys_per_project: None,
            second_factor: SecondFactor::Optional,
        };
        let options = options(&any, &zone("Europe/Berlin"), NOW);
        assert_eq!(options.len(), 7);
        assert_eq!((options[3].value.as_str(), options[3].label.as_str()), ("90d", "90 days"));
        assert_eq!(options[3].sentence, preview("90d", "Europe/Berlin"));
        assert_eq!((options[6].value.as_str(), options[6].sentence.as_str()), ("never", "Never expires."));
    }
}
