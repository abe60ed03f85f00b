//! Rate limit of a key: a number of calls per period, with a burst.

use super::count::format_grouped;
use serde::{Deserialize, Serialize};
use std::{fmt, num::NonZeroU32, str::FromStr};

/// Maximum number of calls per period, and maximum burst.
pub const CALLS_MAX: u32 = 1_000_000;

/// Period of a rate limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RatePeriod {
    Second,
    Minute,
    Hour,
    Day,
}

impl RatePeriod {
    /// All periods, shortest first.
    pub const ALL: [Self; 4] = [Self::Second, Self::Minute, Self::Hour, Self::Day];

    /// The identifier in forms and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Second => "second",
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
        }
    }

    /// Length of the period in seconds.
    pub const fn seconds(self) -> u32 {
        match self {
            Self::Second => 1,
            Self::Minute => 60,
            Self::Hour => 3_600,
            Self::Day => 86_400,
        }
    }
}

/// Validation error of a rate limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RateError {
    #[error("Enter a whole number of requests from 1 to {}.", format_grouped(CALLS_MAX.into()))]
    Calls,
    #[error("Choose second, minute, hour, or day.")]
    Per,
    #[error("Enter a whole number from 1 to {} as the burst, or leave it blank.", format_grouped(CALLS_MAX.into()))]
    Burst,
    #[error("Enter a limit such as 100/minute or 100/minute,burst=20.")]
    Form,
}

impl FromStr for RatePeriod {
    type Err = RateError;

    fn from_str(text: &str) -> Result<Self, RateError> {
        Self::ALL.into_iter().find(|per| per.as_str() == text).ok_or(RateError::Per)
    }
}

/// A rate limit: a number of calls per period. The burst is the number of calls allowed at once after a period without
/// calls. Further calls are allowed at the rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RateLimit {
    calls: NonZeroU32,
    per: RatePeriod,
    burst: NonZeroU32,
}

impl RateLimit {
    /// Parses the three fields of a form. An empty burst equals the number of calls per period. An empty number of
    /// calls means no limit.
    ///
    /// # Errors
    /// The error of the invalid field: see [`RateError`].
    pub fn from_form(calls: &str, per: &str, burst: &str) -> Result<Option<Self>, RateError> {
        if calls.trim().is_empty() {
            return if burst.trim().is_empty() { Ok(None) } else { Err(RateError::Calls) };
        }
        let calls = number(calls).ok_or(RateError::Calls)?;
        let per = per.parse()?;
        let burst = if burst.trim().is_empty() { calls } else { number(burst).ok_or(RateError::Burst)? };
        Ok(Some(Self { calls, per, burst }))
    }

    /// Creates a limit for a constant: calls per second, with a burst of the same number.
    ///
    /// # Panics
    /// If the number is not from 1 to [`CALLS_MAX`]. In a constant, this is a compile error.
    pub const fn per_second(calls: u32) -> Self {
        match NonZeroU32::new(calls) {
            Some(calls) if calls.get() <= CALLS_MAX => Self { calls, per: RatePeriod::Second, burst: calls },
            _ => panic!("not a number of calls"),
        }
    }

    /// Number of calls per period.
    pub const fn calls(&self) -> u32 {
        self.calls.get()
    }

    pub const fn per(&self) -> RatePeriod {
        self.per
    }

    /// Maximum number of calls at once after a period without calls.
    pub const fn burst(&self) -> u32 {
        self.burst.get()
    }

    /// Formats the limit: "100 requests per minute, burst 20".
    pub fn describe(&self) -> String {
        let noun = if self.calls() == 1 { "request" } else { "requests" };
        let rate = format!("{} {noun} per {}", format_grouped(self.calls().into()), self.per.as_str());
        if self.burst == self.calls { rate } else { format!("{rate}, burst {}", format_grouped(self.burst().into())) }
    }

    /// Whether every call pattern that this limit allows is also allowed by `outer`: neither the rate nor the burst is
    /// greater.
    pub fn is_within(&self, outer: &Self) -> bool {
        let product = |calls: u32, per: RatePeriod| u64::from(calls) * u64::from(per.seconds());
        product(self.calls(), outer.per) <= product(outer.calls(), self.per) && self.burst <= outer.burst
    }

    /// Whether usage counts are persisted across restarts: for periods of an hour or more.
    pub const fn is_persistent(&self) -> bool {
        self.per.seconds() >= 3_600
    }
}

fn number(text: &str) -> Option<NonZeroU32> {
    text.trim().parse().ok().filter(|n: &NonZeroU32| n.get() <= CALLS_MAX)
}

impl fmt::Display for RateLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.calls, self.per.as_str())?;
        if self.burst == self.calls { Ok(()) } else { write!(f, ",burst={}", self.burst) }
    }
}

impl TryFrom<String> for RateLimit {
    type Error = RateError;

    fn try_from(text: String) -> Result<Self, RateError> {
        text.parse()
    }
}

impl From<RateLimit> for String {
    fn from(limit: RateLimit) -> Self {
        limit.to_string()
    }
}

impl FromStr for RateLimit {
    type Err = RateError;

    /// Parses `100/minute` or `100/minute,burst=20`, the format of the command line and the database.
    fn from_str(text: &str) -> Result<Self, RateError> {
        let (rate, burst) = match text.trim().split_once(',') {
            Some((rate, burst)) => (rate, burst.trim().strip_prefix("burst=").ok_or(RateError::Form)?),
            None => (text.trim(), ""),
        };
        let (calls, per) = rate.split_once('/').ok_or(RateError::Form)?;
        Self::from_form(calls, per.trim(), burst)?.ok_or(RateError::Form)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_round_trip() {
        for text in ["1/second", "100/minute,burst=20", "1000000/hour", "5/day,burst=1000000"] {
            assert_eq!(text.parse::<RateLimit>().unwrap().to_string(), text);
        }
        assert_eq!(RateLimit::per_second(200).to_string(), "200/second");
        assert_eq!(" 100 / minute , burst=100 ".parse::<RateLimit>().unwrap().to_string(), "100/minute");
    }

    #[test]
    fn what_lies_within() {
        let within = |inner: &str, outer: &str| {
            inner.parse::<RateLimit>().unwrap().is_within(&outer.parse::<RateLimit>().unwrap())
        };
        assert!(within("100/minute", "100/minute") && within("1/second", "60/minute"));
        assert!(within("60/hour,burst=1", "1/minute") && !within("2/second", "100/minute"));
        assert!(!within("10/minute,burst=21", "100/minute,burst=20"));
    }

    #[test]
    fn limits_in_words() {
        for (text, words) in [
            ("100/minute,burst=20", "100 requests per minute, burst 20"),
            ("1/second", "1 request per second"),
            ("1000/hour", "1,000 requests per hour"),
            ("1000000/day,burst=1", "1,000,000 requests per day, burst 1"),
        ] {
            assert_eq!(text.parse::<RateLimit>().unwrap().describe(), words);
        }
        assert_eq!(RateError::Calls.to_string(), "Enter a whole number of requests from 1 to 1,000,000.");
    }

    #[test]
    fn what_is_wrong_is_said_of_its_field() {
        let read = RateLimit::from_form;
        assert_eq!(read("", "minute", ""), Ok(None));
        assert_eq!(read(" ", "minute", "5"), Err(RateError::Calls));
        for calls in ["0", "-1", "1.5", "many", "1000001", "99999999999"] {
            assert_eq!(read(calls, "minute", ""), Err(RateError::Calls), "{calls}");
        }
        assert_eq!(read("1", "week", ""), Err(RateError::Per));
        assert_eq!(read("1", "", ""), Err(RateError::Per));
        assert_eq!(read("1", "day", "0"), Err(RateError::Burst));
        for wrong in ["", "100", "100/", "/minute", "100/minute,20", "100 per minute"] {
            assert!(wrong.parse::<RateLimit>().is_err(), "{wrong}");
        }
    }
}
