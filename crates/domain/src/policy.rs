//! Policy of the instance: rules for all users, set by its administrators.

use super::{
    expiry::{DEFAULT_DAYS, PRESETS},
    time::{DAY, Timestamp},
};
use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// Registration rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignUp {
    /// Only administrators create accounts.
    #[default]
    Closed,
    /// Invited users can register.
    Invite,
    /// Anybody with a confirmed email address can register. Requires email.
    Open,
}

/// Users who must have a second factor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecondFactor {
    #[default]
    #[serde(rename = "nobody")]
    Optional,
    Administrators,
    #[serde(rename = "everybody")]
    Required,
}

/// Parse error: unknown option.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Choose an option from the list.")]
pub struct UnknownChoice;

macro_rules! words {
    ($name:ident { $($variant:ident = $word:literal),+ }) => {
        impl $name {
            /// All options, in the order of the form.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl FromStr for $name {
            type Err = UnknownChoice;

            fn from_str(text: &str) -> Result<Self, UnknownChoice> {
                match text { $($word => Ok(Self::$variant),)+ _ => Err(UnknownChoice) }
            }
        }
    };
}
words!(SignUp { Closed = "closed", Invite = "invite", Open = "open" });
words!(SecondFactor { Optional = "nobody", Administrators = "administrators", Required = "everybody" });

/// The policy. A stricter policy never changes existing keys and accounts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Maximum lifetime of a new key, in days. `None`: unlimited.
    pub key_life_max: Option<u32>,
    /// Whether a new key may have no expiry.
    pub may_never_expire: bool,
    /// Maximum lifetime of a token, in seconds. It also limits the projects' own settings.
    pub token_life_max: i64,
    pub sign_up: SignUp,
    /// Maximum number of keys of a project that are not deleted. `None`: unlimited.
    pub keys_per_project: Option<u32>,
    pub second_factor: SecondFactor,
}

impl SecondFactor {
    /// Whether the policy requires a second factor of a user.
    pub const fn is_required_for(self, admin: bool) -> bool {
        match self {
            Self::Optional => false,
            Self::Administrators => admin,
            Self::Required => true,
        }
    }
}

/// Requested expiry that the policy does not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TooLong {
    #[error("The policy allows a maximum key lifetime of {0} days. Choose an earlier expiry.")]
    Days(u32),
    #[error("The policy requires every key to expire. Choose an expiry.")]
    NoExpiry,
}

impl Policy {
    /// Whether a new key may have no expiry. False if there is a maximum lifetime, which such a key would exceed.
    pub const fn allows_never(&self) -> bool {
        self.may_never_expire && self.key_life_max.is_none()
    }

    /// Checks whether the policy allows this expiry at the time `now`. `None`: no expiry.
    ///
    /// # Errors
    /// [`TooLong`], whose message contains the limit.
    pub fn check_end(&self, end: Option<Timestamp>, now: Timestamp) -> Result<(), TooLong> {
        match (end, self.key_life_max) {
            (None, Some(days)) => Err(TooLong::Days(days)),
            (None, None) if !self.may_never_expire => Err(TooLong::NoExpiry),
            (Some(end), Some(days)) if end > now.plus_seconds(i64::from(days) * DAY) => Err(TooLong::Days(days)),
            _ => Ok(()),
        }
    }

    /// Returns the periods of the form, in days: the allowed presets, and the maximum lifetime if it is not a preset.
    pub fn periods(&self) -> Vec<u16> {
        let Some(most) = self.key_life_max else { return PRESETS.to_vec() };
        let mut periods: Vec<u16> = PRESETS.into_iter().filter(|days| u32::from(*days) <= most).collect();
        if let Ok(most) = u16::try_from(most)
            && most < PRESETS[PRESETS.len() - 1]
            && !periods.contains(&most)
        {
            periods.push(most);
        }
        periods
    }

    /// Returns the initially selected period: 90 days, or the longest allowed shorter period.
    pub fn default_period(&self) -> u16 {
        let longest = self.periods().into_iter().filter(|days| *days <= DEFAULT_DAYS).max();
        longest.unwrap_or(DEFAULT_DAYS)
    }

    /// Describes the rule for key lifetimes, for the form that sets an expiry. `None`: there is no rule.
    pub fn describe_lifetime_rule(&self) -> Option<String> {
        match self.key_life_max {
            Some(1) => Some("The policy allows a maximum key lifetime of 1 day.".to_owned()),
            Some(days) => Some(format!("The policy allows a maximum key lifetime of {days} days.")),
            None if !self.may_never_expire => Some("The policy requires every key to expire.".to_owned()),
            None => None,
        }
    }
}

/// Raw field values of the policy form. They are kept until the policy can be saved.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyDraft {
    /// Days. Empty: unlimited.
    pub key_life_max: String,
    pub may_never_expire: bool,
    /// Number of [`Self::token_unit`].
    pub token_life: String,
    /// Unit in seconds: 60, 3600, or 86400.
    pub token_unit: String,
    pub sign_up: String,
    /// Empty: unlimited.
    pub keys_per_project: String,
    pub second_factor: String,
    /// Version for optimistic locking: the change is denied if the policy changed since the form was loaded.
    pub version: String,
}

/// Data of the policy page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyForm {
    pub draft: PolicyDraft,
    /// Whether the server can send email, which is required to confirm addresses.
    pub mail: bool,
}

/// Result of saving a policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PolicySaved {
    /// The policy is saved and in effect.
    Saved,
    /// The policy is stricter and affects existing data. Nothing is saved until the administrator confirms.
    NeedsConfirmation {
        draft: Box<PolicyDraft>,
        /// One sentence for each kind of affected data.
        lines: Vec<String>,
        /// Confirmation value to send back. It is valid only for this policy and these numbers.
        confirms: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_000);

    fn policy(key_life_max: Option<u32>, may_never_expire: bool) -> Policy {
        Policy {
            key_life_max,
            may_never_expire,
            token_life_max: 86_400,
            sign_up: SignUp::Closed,
            keys_per_project: None,
            second_factor: SecondFactor::Optional,
        }
    }

    #[test]
    fn an_end_is_allowed_up_to_the_last_instant_of_the_longest_life() {
        let ninety = policy(Some(90), true);
        let end = NOW.plus_seconds(90 * DAY);
        assert_eq!(ninety.check_end(Some(end), NOW), Ok(()));
        assert_eq!(ninety.check_end(Some(Timestamp::from_micros(end.micros() + 1)), NOW), Err(TooLong::Days(90)));
        assert_eq!(ninety.check_end(None, NOW), Err(TooLong::Days(90)), "for ever is longer than 90 days");
        assert!(!ninety.allows_never());
        assert_eq!(policy(None, false).check_end(None, NOW), Err(TooLong::NoExpiry));
        assert_eq!(policy(None, false).check_end(Some(NOW.plus_seconds(36_500 * DAY)), NOW), Ok(()));
        assert_eq!(policy(None, true).check_end(None, NOW), Ok(()));
    }

    #[test]
    fn a_form_offers_what_is_allowed_and_begins_with_the_longest_of_at_most_90_days() {
        for (most, periods, usual) in [
            (None, vec![7, 30, 60, 90, 180, 365], 90),
            (Some(36_500), vec![7, 30, 60, 90, 180, 365], 90),
            (Some(365), vec![7, 30, 60, 90, 180, 365], 90),
            (Some(100), vec![7, 30, 60, 90, 100], 90),
            (Some(90), vec![7, 30, 60, 90], 90),
            (Some(45), vec![7, 30, 45], 45),
            (Some(3), vec![3], 3),
        ] {
            let policy = policy(most, true);
            assert_eq!((policy.periods(), policy.default_period()), (periods, usual), "{most:?}");
        }
    }
}
