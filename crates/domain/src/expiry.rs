//! Expiry of a new key: the options of the dropdown and their parser.

use super::{
    count::format_grouped,
    time::{DAY, Timestamp},
};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// An option of the expiry dropdown. A date means the end of that day in the user's time zone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ExpiryChoice {
    /// Number of days from now, to the second.
    Days(u16),
    /// `YYYY-MM-DD`, until its last second in the user's time zone.
    Date(String),
    Never,
}

/// An option of the dropdown for display.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpiryOption {
    /// Value in the form: `90d`, `never`.
    pub value: String,
    /// "90 days".
    pub label: String,
    /// "Expires on Thursday 18 February 2027 at 14:32:00 CET."
    pub sentence: String,
}

/// Preset periods in days, in the order of the dropdown.
pub const PRESETS: [u16; 6] = [7, 30, 60, 90, 180, 365];
/// Preset that is selected initially, in days.
pub const DEFAULT_DAYS: u16 = 90;
/// Maximum requested lifetime in days: one hundred years.
pub const DAYS_MAX: u16 = 36_500;

/// Maximum lifetime in days that does not count as unlimited: five years, with room for leap days and the end of the
/// last day.
pub const LONG_LIFE: i64 = 1_830;

/// Whether a key with this expiry lives so long that it needs the same protection as a key that never expires.
pub fn is_long_lived(end: Option<Timestamp>, now: Timestamp) -> bool {
    end.is_none_or(|end| end > now.plus_seconds(LONG_LIFE * DAY))
}

/// Parse error: no valid expiry, or one beyond [`DAYS_MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Choose 1 to {} days, a date within that period, or never.", format_grouped(DAYS_MAX.into()))]
pub struct BadExpiry;

impl FromStr for ExpiryChoice {
    type Err = BadExpiry;

    /// `90d`, `date:2027-02-18` or `never`.
    fn from_str(text: &str) -> Result<Self, BadExpiry> {
        if text == "never" {
            return Ok(Self::Never);
        }
        if let Some(date) = text.strip_prefix("date:") {
            return Ok(Self::Date(date.to_owned()));
        }
        let days: u16 = text.strip_suffix('d').and_then(|days| days.parse().ok()).ok_or(BadExpiry)?;
        if (1..=DAYS_MAX).contains(&days) { Ok(Self::Days(days)) } else { Err(BadExpiry) }
    }
}

impl fmt::Display for ExpiryChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Days(days) => write!(f, "{days}d"),
            Self::Date(date) => write!(f, "date:{date}"),
            Self::Never => f.write_str("never"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_life_beyond_five_years_is_long() {
        let now = Timestamp::from_seconds(1_795_181_520);
        let after = |days: i64| Some(now.plus_seconds(days * DAY));
        assert!(is_long_lived(None, now) && is_long_lived(after(1_831), now));
        // Five years with two leap days, to the end of the last day.
        assert!(!is_long_lived(after(1_828), now) && !is_long_lived(after(90), now));
    }

    #[test]
    fn choices_round_trip() {
        for text in ["7d", "36500d", "never", "date:2027-02-18"] {
            assert_eq!(text.parse::<ExpiryChoice>().unwrap().to_string(), text);
        }
        for bad in ["", "0d", "36501d", "-1d", "90", "soon", "99999d"] {
            assert_eq!(bad.parse::<ExpiryChoice>(), Err(BadExpiry), "{bad}");
        }
        assert_eq!(BadExpiry.to_string(), "Choose 1 to 36,500 days, a date within that period, or never.");
    }
}
