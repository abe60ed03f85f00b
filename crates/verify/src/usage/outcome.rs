//! Outcomes of calls, as counted by the usage counters.

use crate::verify::Refused;

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
    pub const fn of(refused: &Refused) -> Option<Self> {
        Some(match refused {
            Refused::Malformed(_) | Refused::Unknown => return None,
            Refused::Deleted => Self::Deleted,
            Refused::ProjectArchived => Self::ProjectArchived,
            Refused::Inactive => Self::Inactive,
            Refused::NotYetValid => Self::NotYetValid,
            Refused::Expired => Self::Expired,
            Refused::WrongProject => Self::WrongProject,
            Refused::WrongNetwork => Self::WrongNetwork,
            Refused::MissingScope(_) => Self::MissingScope,
            Refused::RateLimited(_) => Self::RateLimited,
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
        for uncounted in [Refused::Malformed(malformed), Refused::Unknown] {
            assert_eq!(Outcome::of(&uncounted), None);
        }
        let refused = [
            Refused::Deleted,
            Refused::ProjectArchived,
            Refused::Inactive,
            Refused::NotYetValid,
            Refused::Expired,
            Refused::WrongProject,
            Refused::WrongNetwork,
            Refused::MissingScope("a".into()),
            Refused::RateLimited(quota),
        ];
        for (refused, outcome) in refused.iter().zip(&Outcome::ALL[1..]) {
            assert_eq!(Outcome::of(refused), Some(*outcome));
            assert_eq!(outcome.as_str(), refused.code());
        }
        assert_eq!(refused.len() + 1, Outcome::ALL.len());
        for (i, outcome) in Outcome::ALL.iter().enumerate() {
            assert_eq!(*outcome as usize, i, "counts stand in this order");
        }
    }
}
