//! Timestamps and relative times. The clock itself belongs to the server (`service::clock`).

use super::count::format_number_of;
use serde::{Deserialize, Serialize};

/// An instant: microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

/// Seconds in a day of 24 hours.
pub const DAY: i64 = 86_400;

impl Timestamp {
    /// Creates a timestamp from microseconds since the epoch.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Creates a timestamp from whole seconds since the epoch.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000_000))
    }

    /// Microseconds since the epoch.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// Returns this instant plus a number of seconds, which may be negative.
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(1_000_000)))
    }

    /// Returns the number of whole seconds from `earlier` to this instant. Negative if this instant is earlier.
    pub const fn seconds_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0).div_euclid(1_000_000)
    }
}

/// A timestamp formatted in a user's time zone. The server formats it, because the WASM bundle contains no time zone
/// data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    pub at: Timestamp,
    /// RFC 3339, UTC, for `<time datetime>`.
    pub iso: String,
    /// "14 Aug 2026".
    pub day: String,
    /// "14 August 2026, 09:12:09 CEST".
    pub exact: String,
}

/// Formats the distance of `at` from `now` in its largest unit: "in 12 days", "2 min ago", "just now".
pub fn relative(at: Timestamp, now: Timestamp) -> String {
    let seconds = at.seconds_since(now);
    let distance = seconds.unsigned_abs();
    let (count, unit) = match distance {
        0..45 => return if seconds > 0 { "in a moment".into() } else { "just now".into() },
        45..3_570 => ((distance + 30) / 60, "min"),
        3_570..84_600 => ((distance + 1_800) / 3_600, "hour"),
        84_600..1_166_400 => ((distance + 43_200) / 86_400, "day"),
        1_166_400..7_776_000 if seconds < 0 => ((distance + 302_400) / 604_800, "week"),
        1_166_400..31_536_000 if seconds > 0 => ((distance + 43_200) / 86_400, "day"),
        1_166_400..31_536_000 => ((distance + 1_314_900) / 2_629_800, "month"),
        _ => ((distance + 15_778_800) / 31_557_600, "year"),
    };
    let plural = if count == 1 || unit == "min" { "" } else { "s" };
    if seconds < 0 { format!("{count} {unit}{plural} ago") } else { format!("in {count} {unit}{plural}") }
}

/// Formats a duration in seconds, in the largest unit that divides it: "15 minutes", "7 days".
pub fn format_duration(seconds: i64) -> String {
    let (count, one, many) = [(DAY, "day", "days"), (3_600, "hour", "hours"), (60, "minute", "minutes")]
        .into_iter()
        .find(|(unit, ..)| seconds > 0 && seconds % unit == 0)
        .map_or((seconds, "second", "seconds"), |(unit, one, many)| (seconds / unit, one, many));
    format_number_of(count.unsigned_abs(), one, many)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_the_largest_unit_that_divides_them() {
        let formatted = [86_400, 604_800, 3_600, 5_400, 90, 1, 0].map(format_duration);
        assert_eq!(formatted, ["1 day", "7 days", "1 hour", "90 minutes", "90 seconds", "1 second", "0 seconds"]);
        assert_eq!(format_duration(1_000 * DAY), "1,000 days");
    }

    #[test]
    fn distances_are_said_in_their_largest_unit() {
        let now = Timestamp::from_seconds(1_800_000_000);
        let relative_after = |seconds| relative(now.plus_seconds(seconds), now);
        assert_eq!(relative_after(0), "just now");
        assert_eq!(relative_after(-44), "just now");
        assert_eq!(relative_after(44), "in a moment");
        assert_eq!(relative_after(-120), "2 min ago");
        assert_eq!(relative_after(-3_600), "1 hour ago");
        assert_eq!(relative_after(-86_400), "1 day ago");
        assert_eq!(relative_after(90 * DAY), "in 90 days");
        assert_eq!(relative_after(7 * DAY), "in 7 days");
        assert_eq!(relative_after(-49 * DAY), "7 weeks ago");
        assert_eq!(relative_after(-180 * DAY), "6 months ago");
        assert_eq!(relative_after(-2 * 366 * DAY), "2 years ago");
    }

    #[test]
    fn seconds_round_down_on_both_sides_of_the_epoch() {
        assert_eq!(Timestamp::from_micros(1_999_999).seconds(), 1);
        assert_eq!(Timestamp::from_micros(-1).seconds(), -1);
    }
}
