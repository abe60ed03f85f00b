//! Outcomes of calls, as counted by the usage counters.

use crate::verify::DenyReason;

/// The outcome of a call with a known key: accepted, or the rule that denied it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Outcome {
    Accepted,
    Deleted,
    ProjectArchived,
    Inactive,
    NotYetValid,
    Expired,
    WrongProject,
    WrongNetwork,
    MissingScope,
    RateLimited,
}

impl Outcome {
    /// All outcomes, in the order in which the rules are evaluated.
    pub const ALL: [Self; 10] = [
        Self::Accepted,
        Self::Deleted,
        Self::ProjectArchived,
        Self::Inactive,
        Self::NotYetValid,
        Self::Expired,
        Self::WrongProject,
        Self::WrongNetwork,
        Self::MissingScope,
        Self::RateLimited,
    ];

    /// Returns the outcome of a denial, or `None` if it does not concern a known key and is not counted.
    pub const fn from_deny_reason(refused: &DenyReason) -> Option<Self> {
        Some(match refused {
            DenyReason::Malformed(_) | DenyReason::Unknown => return None,
            DenyReason::Deleted => Self::Deleted,
            DenyReason::ProjectArchived => Self::ProjectArchived,
            DenyReason::Inactive => Self::Inactive,
            DenyReason::NotYetValid => Self::NotYetValid,
            DenyReason::Expired => Self::Expired,
            DenyReason::WrongProject => Self::WrongProject,
            DenyReason::WrongNetwork => Self::WrongNetwork,
            DenyReason::MissingScope(_) => Self::MissingScope,
            DenyReason::RateLimited(_) => Self::RateLimited,
        })
    }

    /// Returns the stored form: `accepted`, or the reason code.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Deleted => "deleted",
            Self::ProjectArchived => "project_archived",
            Self::Inactive => "inactive",
            Self::NotYetValid => "not_yet_valid",
            Self::Expired => "expired",
            Self::WrongProject => "wrong_project",
            Self::WrongNetwork => "wrong_network",
            Self::MissingScope => "missing_scope",
            Self::RateLimited => "rate_limited",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Quota;
    use keyward_domain::rate::RateLimit;
    use keyward_domain::secret::{Malformed, PresentedSecret};

    #[test]
    fn what_is_counted_is_called_as_it_was_answered() {
        let limit: RateLimit = "1/day".parse().unwrap();
        let quota = Quota { limit, remaining: 0, reset: 1, retry_after: 1 };
        let malformed: Malformed = "kw".parse::<PresentedSecret>().unwrap_err();
        for uncounted in [DenyReason::Malformed(malformed), DenyReason::Unknown] {
            assert_eq!(Outcome::from_deny_reason(&uncounted), None);
        }
        let refused = [
            DenyReason::Deleted,
            DenyReason::ProjectArchived,
            DenyReason::Inactive,
            DenyReason::NotYetValid,
            DenyReason::Expired,
            DenyReason::WrongProject,
            DenyReason::WrongNetwork,
            DenyReason::MissingScope("a".into()),
            DenyReason::RateLimited(quota),
        ];
        for (refused, outcome) in refused.iter().zip(&Outcome::ALL[1..]) {
            assert_eq!(Outcome::from_deny_reason(refused), Some(*outcome));
            assert_eq!(outcome.as_str(), refused.code());
        }
        assert_eq!(refused.len() + 1, Outcome::ALL.len());
        for (i, outcome) in Outcome::ALL.iter().enumerate() {
            assert_eq!(*outcome as usize, i, "counts stand in this order");
        }
    }
}
